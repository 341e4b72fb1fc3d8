using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Members from either end of a sorted set, taken out, and members chosen by chance.</summary>
/// <remarks>Semantics: redis.io/commands, group sorted-set.</remarks>
internal static class SortedSetPopCommands
{
    /// <summary>Removes the members with the lowest scores and replies with them.</summary>
    [Command("ZPOPMIN", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "5.0.0", Complexity = "O(log(N)*M) for M members of N.",
        Summary = "Removes the members with the lowest scores and returns them.", Syntax = "key [count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void ZPopMin(CommandContext ctx) => Pop(ctx, fromMax: false);

    /// <summary>Removes the members with the greatest scores and replies with them.</summary>
    [Command("ZPOPMAX", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "5.0.0", Complexity = "O(log(N)*M) for M members of N.",
        Summary = "Removes the members with the greatest scores and returns them.", Syntax = "key [count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void ZPopMax(CommandContext ctx) => Pop(ctx, fromMax: true);

    /// <summary>Removes members from an end of the first sorted set that exists and replies with its key and them.</summary>
    [Command("ZMPOP", arity: -4, CommandFlags.Write, Group = CommandGroup.SortedSet, Since = "7.0.0",
        Complexity = "O(K) + O(M*log(N)) for K keys and M members of N.",
        Summary = "Removes members from an end of the first of several sorted sets that exists.",
        Syntax = "numkeys key... where:(MIN|MAX) [COUNT count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, NumKeysAt = 1)]
    internal static void ZMPop(CommandContext ctx)
    {
        if (TryParseMultiplePop(ctx, 1, out int keyCount, out bool fromMax, out long count)
            && !TryPopMultiple(ctx, firstKey: 2, keyCount, fromMax, count))
        {
            ctx.Reply.NullArray();
        }
    }

    /// <summary>Replies with members chosen at random: one, <c>count</c> different ones, or with a negative count that
    /// many draws which may repeat.</summary>
    [Command("ZRANDMEMBER", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "6.2.0",
        Complexity = "O(log(N)) for each member returned.", Summary = "Returns random members of a sorted set.",
        Syntax = "key [options:count [WITHSCORES]]", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRandMember(CommandContext ctx)
    {
        if (ctx.Args.Count > 2)
        {
            PickMany(ctx);
            return;
        }

        if (SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied))
        {
            SetCommands.Write(ctx.Reply, set.PickRandom().Member);
        }
        else if (!replied)
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Removes members from an end of a sorted set and writes them: what every pop does, also one for a client
    /// that has waited for a member.</summary>
    /// <param name="ctx">The call that is reported to.</param>
    /// <param name="reply">Where they are written; the header is the caller's.</param>
    /// <param name="key">The set's key, which goes with its last member.</param>
    /// <param name="set">The set; not to be used afterwards.</param>
    /// <param name="count">How many, at most all.</param>
    /// <param name="fromMax">From the greatest score down, or from the lowest up.</param>
    /// <param name="nested">Whether each member with its score is an array of its own.</param>
    internal static void PopInto(
        CommandContext ctx, ReplyWriter reply, Key key, ref SortedSetValue set, long count, bool fromMax, bool nested)
    {
        SortedSetSlice slice = set.Slice(fromMax ? set.Count - count : 0, count);
        foreach (SortedSetMember member in set.Range(slice, reversed: fromMax))
        {
            if (nested)
            {
                reply.Array(2);
            }

            SetCommands.Write(reply, member.Member);
            reply.Double(member.Score);
        }

        SortedSetRangeCommands.Remove(ctx, key, ref set, slice, fromMax ? KeyEvent.ZPopMax : KeyEvent.ZPopMin);
    }

    /// <summary>Reads what ZMPOP and BZMPOP have in common, from the number of keys on, or replies with what is wrong.
    /// </summary>
    /// <param name="ctx">The call.</param>
    /// <param name="numKeysAt">Where the number of keys stands.</param>
    /// <param name="keyCount">How many keys follow.</param>
    /// <param name="fromMax">Whether to begin with the greatest score.</param>
    /// <param name="count">Members to remove at most, at least 1.</param>
    internal static bool TryParseMultiplePop(
        CommandContext ctx, int numKeysAt, out int keyCount, out bool fromMax, out long count)
    {
        Arguments args = ctx.Args;
        keyCount = 0;
        fromMax = false;
        count = 1;
        if (!Numbers.TryParseInt64(args[numKeysAt], out long keys) || keys < 1)
        {
            ctx.Reply.Error("ERR numkeys should be greater than 0"u8);
            return false;
        }

        if (keys >= args.Count - numKeysAt - 1)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        keyCount = (int)keys;
        int whereAt = numKeysAt + 1 + keyCount;
        fromMax = Ascii.EqualsIgnoreCase(args[whereAt], "MAX"u8);
        if (!fromMax && !Ascii.EqualsIgnoreCase(args[whereAt], "MIN"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        int left = args.Count - whereAt - 1;
        if (left == 0)
        {
            return true;
        }

        if (left == 1 || !Ascii.EqualsIgnoreCase(args[whereAt + 1], "COUNT"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        if (!Numbers.TryParseInt64(args[whereAt + 2], out count) || count < 1)
        {
            ctx.Reply.Error("ERR count should be greater than 0"u8);
            return false;
        }

        if (left > 2)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        return true;
    }

    /// <summary>Removes members from an end of the first sorted set that exists, replies with its key and them, and has
    /// the call passed on as a pop from that set.</summary>
    /// <param name="ctx">The call; one that has waited passes over keys of another type.</param>
    /// <param name="firstKey">The first key argument.</param>
    /// <param name="keyCount">How many there are.</param>
    /// <param name="fromMax">Whether to begin with the greatest score.</param>
    /// <param name="count">Members to remove at most.</param>
    /// <returns>False when none of the keys exists: nothing has been replied.</returns>
    internal static bool TryPopMultiple(CommandContext ctx, int firstKey, int keyCount, bool fromMax, long count)
    {
        if (!ctx.TryFindFirstForWrite(
            firstKey, keyCount, ValueType.SortedSet, out Key key, out Entry entry, out bool replied))
        {
            return replied;
        }

        SortedSetValue set = SortedSetValue.Open(ctx.Database, entry, SortedSetCommands.LimitsOf(ctx));
        count = Math.Min(count, set.Count);
        ctx.Reply.Array(2);
        ctx.Reply.BulkString(key.Bytes);
        ctx.Reply.Array(count);
        ctx.PropagateAs(fromMax ? "ZPOPMAX"u8 : "ZPOPMIN"u8, key.Bytes, count);
        PopInto(ctx, ctx.Reply, key, ref set, count, fromMax, nested: true);
        return true;
    }

    private static void Pop(CommandContext ctx, bool fromMax)
    {
        Arguments args = ctx.Args;
        if (args.Count > 3)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        long count = 1;
        if (args.Count == 3 && (!Numbers.TryParseInt64(args[2], out count) || count < 0))
        {
            ctx.Reply.Error(CommandError.MustBePositive);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = SortedSetCommands.TryOpenForWrite(ctx, key, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        if (!exists || count == 0)
        {
            ctx.Reply.EmptyArray();
            return;
        }

        // A count, even of 1, makes pairs in RESP3; without one there is a single pair, which is not nested.
        bool nested = ctx.Reply.Protocol > 2 && args.Count == 3;
        count = Math.Min(count, set.Count);
        ctx.Reply.Array(nested ? count : count * 2);
        PopInto(ctx, ctx.Reply, key, ref set, count, fromMax, nested);
    }

    private static void PickMany(CommandContext ctx)
    {
        if (!SampleCount.TryRead(ctx, "WITHSCORES"u8, out long count, out bool withScores))
        {
            return;
        }

        if (!SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.EmptyArray();
            }

            return;
        }

        if (count is < 0 or 1)
        {
            Draw(ctx, in set, Math.Abs(count), withScores);
            return;
        }

        SortedSetCommands.BeginMembers(ctx.Reply, Math.Min(count, set.Count), withScores);
        foreach (SortedSetMember member in set.Sample(count))
        {
            SortedSetCommands.Write(ctx.Reply, member, withScores);
        }
    }

    private static void Draw(CommandContext ctx, in SortedSetValue set, long count, bool withScores)
    {
        SortedSetCommands.BeginMembers(ctx.Reply, count, withScores);
        for (long i = 0; i < count; i++)
        {
            SortedSetCommands.Write(ctx.Reply, set.PickRandom(), withScores);

            // The count is the client's: stop when it asks for more than its output may hold.
            if (ctx.Client.Is(ClientFlags.Closing))
            {
                return;
            }
        }
    }
}
