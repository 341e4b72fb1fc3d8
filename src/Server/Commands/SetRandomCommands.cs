using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>SPOP and SRANDMEMBER: members chosen by chance, every member as likely as any other.</summary>
/// <remarks>Semantics: redis.io/commands, group set.</remarks>
internal static class SetRandomCommands
{
    // When fewer members stay than a fifth of those that go, it is cheaper to pick the ones that stay.
    private const int KeepRatio = 5;

    /// <summary>Removes members chosen at random and replies with them: one, or a set of <c>count</c>.</summary>
    [Command("SPOP", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(1) for one member, O(N) in the members removed.",
        Summary = "Removes random members of a set and returns them.", Syntax = "key [count]@3.2.0",
        Tips = "nondeterministic_output", History = "3.2.0: The count argument.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void SPop(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count == 3)
        {
            PopCount(ctx, args[2]);
            return;
        }

        if (args.Count > 3)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        Key key = ctx.Key(1);
        if (!SetCommands.TryOpenForWrite(ctx, key, out SetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Null();
            }

            return;
        }

        SetMember picked = set.PickRandom();
        SetCommands.Write(ctx.Reply, picked);
        SetRemovals removals = new(ctx, key, count: 1);
        removals.Add(picked);
        set.RemovePicked();
        bool isEmpty = set.Count == 0;
        ctx.KeyChanged(key, KeyEvent.SPop);
        if (isEmpty)
        {
            SetCommands.DeleteEmptied(ctx, key);
        }
    }

    /// <summary>Replies with members chosen at random: one, <c>count</c> different ones, or with a negative count that
    /// many draws which may repeat.</summary>
    [Command("SRANDMEMBER", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(1) for one member, O(N) in the absolute value of the count.",
        Summary = "Returns random members of a set.", Syntax = "key [count]@2.6.0", Tips = "nondeterministic_output",
        History = "2.6.0: The count argument.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void SRandMember(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count == 3)
        {
            PickMany(ctx);
            return;
        }

        if (args.Count > 3)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        if (SetCommands.TryOpen(ctx, 1, out SetValue set, out bool replied))
        {
            SetCommands.Write(ctx.Reply, set.PickRandom());
        }
        else if (!replied)
        {
            ctx.Reply.Null();
        }
    }

    private static void PopCount(CommandContext ctx, ReadOnlySpan<byte> countText)
    {
        if (!Numbers.TryParseInt64(countText, out long count) || count < 0)
        {
            ctx.Reply.Error(CommandError.MustBePositive);
            return;
        }

        Key key = ctx.Key(1);
        if (!SetCommands.TryOpenForWrite(ctx, key, out SetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Set(0);
            }

            return;
        }

        if (count == 0)
        {
            ctx.Reply.Set(0);
            return;
        }

        bool lazily = ctx.Server.Config.LazyFreeLazyServerDel;
        long size = set.Count;
        if (count >= size)
        {
            SetCommands.WriteAll(ctx, in set);
            ctx.Database.Delete(key, lazily);
            ctx.KeyChanged(key, KeyEvent.SPop, size);
            ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
            ctx.PropagateAs(lazily ? "UNLINK"u8 : "DEL"u8, key.Bytes);
            return;
        }

        ctx.Reply.Set(count);
        long staying = size - count;
        if (staying * KeepRatio > count)
        {
            SetRemovals removals = new(ctx, key, count);
            for (long i = 0; i < count; i++)
            {
                SetMember picked = set.PickRandom();
                SetCommands.Write(ctx.Reply, picked);
                removals.Add(picked);
                set.RemovePicked();
            }
        }
        else
        {
            KeepSome(ctx, key, in set, staying, lazily);
        }

        ctx.KeyChanged(key, KeyEvent.SPop, count);
    }

    /// <summary>Walks over the set once: copies some members into a new set, replies with the others, and lets the new set
    /// take the old one's place.</summary>
    /// <remarks>The old set stays whole until then: there may be no memory for the new one. Each choice of the members
    /// that stay is equally likely, because each member stays with the chance that those still wanted have among those
    /// still to come.</remarks>
    private static void KeepSome(CommandContext ctx, Key key, in SetValue set, long staying, bool lazily)
    {
        SetValue kept = default;
        bool isFirst = true;
        long left = set.Count;
        SetRemovals removals = new(ctx, key, left - staying);
        try
        {
            foreach (SetMember member in set)
            {
                if (Random.Shared.NextInt64(left--) >= staying)
                {
                    SetCommands.Write(ctx.Reply, member);
                    removals.Add(member);
                    continue;
                }

                if (isFirst)
                {
                    kept = SetValue.Create(ctx.Server.Keyspace, SetCommands.LimitsOf(ctx), member, memberCount: 0);
                    isFirst = false;
                }

                kept.Add(member);
                staying--;
            }

            kept.ReplaceIn(ctx.Database, key, lazily);
        }
        finally
        {
            kept.Dispose();
        }
    }

    private static void PickMany(CommandContext ctx)
    {
        if (!SampleCount.TryRead(ctx, out long count))
        {
            return;
        }

        if (!SetCommands.TryOpen(ctx, 1, out SetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.EmptyArray();
            }

            return;
        }

        if (count == 0)
        {
            ctx.Reply.EmptyArray();
        }
        else if (count is < 0 or 1)
        {
            Draw(ctx, ref set, Math.Abs(count));
        }
        else
        {
            ctx.Reply.Array(Math.Min(count, set.Count));
            foreach (SetMember member in set.Sample(count))
            {
                SetCommands.Write(ctx.Reply, member);
            }
        }
    }

    private static void Draw(CommandContext ctx, ref SetValue set, long count)
    {
        ctx.Reply.Array(count);
        for (long i = 0; i < count; i++)
        {
            SetCommands.Write(ctx.Reply, set.PickRandom());

            // The count is the client's: stop when it asks for more than its output may hold.
            if (ctx.Client.Is(ClientFlags.Closing))
            {
                return;
            }
        }
    }
}
