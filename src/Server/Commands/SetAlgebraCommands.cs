using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Intersection, union and difference of sets, answered or stored.</summary>
/// <remarks>Semantics: redis.io/commands, group set. A missing key is an empty set; a key of another type is an error
/// before anything changes.</remarks>
internal static class SetAlgebraCommands
{
    /// <summary>Adds to an empty result what an operation makes of its operands.</summary>
    private delegate void Combination(in SetOperands sets, ref SetValue result);

    /// <summary>Tells beforehand that the result has no members; may put the operands in another order.</summary>
    private delegate bool EmptyCheck(ref SetOperands sets);

    private const string IntersectionCost = "O(N*M) for M sets, the smallest of N members.";
    private const string TotalCost = "O(N) in the members of all sets.";

    /// <summary>Replies with the members that all sets have.</summary>
    [Command("SINTER", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = IntersectionCost, Summary = "Returns the intersection of sets.", Syntax = "key...",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SInter(CommandContext ctx)
    {
        SetOperands sets = NewOperands(ctx, ctx.Args.Count - 1);
        try
        {
            if (!TryFindAll(ctx, ref sets, 1, ctx.Args.Count - 1))
            {
                return;
            }

            if (sets.MissingCount > 0)
            {
                ctx.Reply.Set(0);
            }
            else if (sets.Count == 1)
            {
                SetValue only = sets[0];
                SetCommands.WriteAll(ctx, in only);
            }
            else
            {
                DeferredAggregate reply = ctx.Reply.BeginSet();
                SetIntersection intersection = new(in sets);
                long count = 0;
                foreach (SetMember member in intersection)
                {
                    SetCommands.Write(ctx.Reply, member);
                    count++;
                }

                ctx.Reply.End(reply, count);
            }
        }
        finally
        {
            sets.Dispose();
        }
    }

    /// <summary>Replies with how many members all sets have, counting up to a limit.</summary>
    [Command("SINTERCARD", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "7.0.0",
        Complexity = IntersectionCost, Summary = "Counts the members of an intersection.",
        Syntax = "numkeys key... [LIMIT limit]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 1)]
    internal static void SInterCard(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!Numbers.TryParseInt64(args[1], out long keyCount) || keyCount < 1)
        {
            ctx.Reply.Error("ERR numkeys should be greater than 0"u8);
            return;
        }

        if (keyCount > args.Count - 2)
        {
            ctx.Reply.Error("ERR Number of keys can't be greater than number of args"u8);
            return;
        }

        if (!TryParseLimit(ctx, 2 + (int)keyCount, out long limit))
        {
            return;
        }

        SetOperands sets = NewOperands(ctx, (int)keyCount);
        try
        {
            if (!TryFindAll(ctx, ref sets, 2, (int)keyCount))
            {
                return;
            }

            long count = 0;
            if (sets.MissingCount == 0)
            {
                SetIntersection intersection = new(in sets);
                foreach (SetMember member in intersection)
                {
                    _ = member;
                    if (++count == limit)
                    {
                        break;
                    }
                }
            }

            ctx.Reply.Integer(count);
        }
        finally
        {
            sets.Dispose();
        }
    }

    /// <summary>Stores the members that all sets have and replies with their number.</summary>
    [Command("SINTERSTORE", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Set,
        Since = "1.0.0", Complexity = IntersectionCost, Summary = "Stores the intersection of sets.",
        Syntax = "destination key...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SInterStore(CommandContext ctx) => StoreResult(ctx, Intersect, KeyEvent.SInterStore);

    /// <summary>Replies with the members that any of the sets has.</summary>
    [Command("SUNION", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = TotalCost, Summary = "Returns the union of sets.", Syntax = "key...",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SUnion(CommandContext ctx) => ReplyWithResult(ctx, IsUnionEmpty, Unite);

    /// <summary>Stores the members that any of the sets has and replies with their number.</summary>
    [Command("SUNIONSTORE", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Set,
        Since = "1.0.0", Complexity = TotalCost, Summary = "Stores the union of sets.", Syntax = "destination key...")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SUnionStore(CommandContext ctx) => StoreResult(ctx, Unite, KeyEvent.SUnionStore);

    /// <summary>Replies with the members of the first set that none of the others has.</summary>
    [Command("SDIFF", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = TotalCost, Summary = "Returns the difference of sets.", Syntax = "key...",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SDiff(CommandContext ctx) => ReplyWithResult(ctx, IsDifferenceEmpty, Subtract);

    /// <summary>Stores the members of the first set that none of the others has and replies with their number.</summary>
    [Command("SDIFFSTORE", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Set,
        Since = "1.0.0", Complexity = TotalCost, Summary = "Stores the difference of sets.",
        Syntax = "destination key...")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void SDiffStore(CommandContext ctx) => StoreResult(ctx, Subtract, KeyEvent.SDiffStore);

    /// <summary>Combines the sets named from the first key on and replies with the members.</summary>
    private static void ReplyWithResult(CommandContext ctx, EmptyCheck isEmpty, Combination combine)
    {
        SetOperands sets = NewOperands(ctx, ctx.Args.Count - 1);
        SetValue result = default;
        try
        {
            if (!TryFindAll(ctx, ref sets, 1, ctx.Args.Count - 1))
            {
                return;
            }

            if (isEmpty(ref sets))
            {
                ctx.Reply.Set(0);
            }
            else if (sets.Count - sets.MissingCount == 1)
            {
                SetValue only = sets[0];
                SetCommands.WriteAll(ctx, in only);
            }
            else
            {
                // Searching a packed list for each new member would cost more than a table that is thrown away.
                SetLimits limits = SetCommands.LimitsOf(ctx) with { PackedEntries = 0 };
                result = SetValue.CreateForResult(ctx.Server.Keyspace, limits);
                combine(in sets, ref result);
                SetCommands.WriteAll(ctx, in result);
            }
        }
        finally
        {
            result.Dispose();
            sets.Dispose();
        }
    }

    /// <summary>Combines the sets named from the second key on and stores the members under the first.</summary>
    private static void StoreResult(CommandContext ctx, Combination combine, KeyEvent keyEvent)
    {
        SetOperands sets = NewOperands(ctx, ctx.Args.Count - 2);
        SetValue result = default;
        try
        {
            if (!TryFindAll(ctx, ref sets, 2, ctx.Args.Count - 2))
            {
                return;
            }

            result = SetValue.CreateForResult(ctx.Server.Keyspace, SetCommands.LimitsOf(ctx));
            combine(in sets, ref result);
            Store(ctx, ref result, keyEvent);
        }
        finally
        {
            result.Dispose();
            sets.Dispose();
        }
    }

    private static void Intersect(in SetOperands sets, ref SetValue result)
    {
        if (sets.MissingCount > 0)
        {
            return;
        }

        SetIntersection intersection = new(in sets);
        foreach (SetMember member in intersection)
        {
            result.Add(member);
        }

        result.PreferIntegers();
    }

    private static bool IsUnionEmpty(ref SetOperands sets)
    {
        sets.SortBySize(from: 0, largestFirst: true);
        return sets.IsMissing(0);
    }

    private static void Unite(in SetOperands sets, ref SetValue result) => SetOperations.Unite(in sets, ref result);

    private static bool IsDifferenceEmpty(ref SetOperands sets) => SetOperations.IsDifferenceEmpty(in sets);

    private static void Subtract(in SetOperands sets, ref SetValue result)
    {
        if (!SetOperations.IsDifferenceEmpty(in sets))
        {
            SetOperations.Subtract(in sets, ref result);
        }
    }

    private static SetOperands NewOperands(CommandContext ctx, int count) =>
        new(ctx.Database, SetCommands.LimitsOf(ctx), count);

    /// <returns>False when a key holds another type; the client has been told.</returns>
    private static bool TryFindAll(CommandContext ctx, ref SetOperands sets, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            switch (ctx.Database.FindForRead(ctx.Key(i), ValueType.Set, out Entry entry))
            {
                case Lookup.WrongType:
                    ctx.Reply.Error(CommandError.WrongType);
                    return false;
                case Lookup.Missing:
                    sets.AddMissing();
                    break;
                default:
                    sets.Add(entry);
                    break;
            }
        }

        return true;
    }

    /// <summary>Puts a result in place of what the destination holds, or deletes the destination when it is empty.</summary>
    private static void Store(CommandContext ctx, ref SetValue result, KeyEvent keyEvent)
    {
        Key destination = ctx.Key(1);
        bool lazily = ctx.Server.Config.LazyFreeLazyServerDel;
        long count = result.Count;
        if (count > 0)
        {
            result.StoreAs(ctx.Database, destination, lazily);
            ctx.KeyChanged(destination, keyEvent);
        }
        else if (ctx.Database.Delete(destination, lazily))
        {
            ctx.KeyChanged(destination, KeyEvent.Del);
        }

        ctx.Reply.Integer(count);
    }

    /// <summary>Reads LIMIT of SINTERCARD and ZINTERCARD, or replies with what is wrong.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="start">Index of the first argument behind the keys.</param>
    /// <param name="limit">The limit; 0 for none.</param>
    internal static bool TryParseLimit(CommandContext ctx, int start, out long limit)
    {
        Arguments args = ctx.Args;
        limit = 0;
        for (int i = start; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count || !Ascii.EqualsIgnoreCase(args[i], "LIMIT"u8))
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }

            if (!Numbers.TryParseInt64(args[i + 1], out limit) || limit < 0)
            {
                ctx.Reply.Error("ERR LIMIT can't be negative"u8);
                return false;
            }
        }

        return true;
    }
}
