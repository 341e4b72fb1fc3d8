using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Union, intersection and difference of sorted sets and sets, answered or stored.</summary>
/// <remarks>Semantics: redis.io/commands, group sorted-set. A missing key is an empty set; the members of a plain set have
/// the score 1; a key of another type is an error before anything changes.</remarks>
internal static class SortedSetAlgebraCommands
{
    private const string UnionCost = "O(N)+O(M*log(M)) for N members in all sets and M in the result.";
    private const string IntersectionCost =
        "O(N*K)+O(M*log(M)) for K sets, the smallest of N members, and M in the result.";

    private const string DifferenceCost = "O(N)+O(M*log(M)) for N members in all sets and M in the result.";
    private const string OptionSyntax = "[WEIGHTS weight...] [AGGREGATE aggregate:(SUM|MIN|MAX)]";

    private enum Operation
    {
        Union,
        Intersection,
        Difference,
    }

    /// <summary>Replies with the members that any of the sets has.</summary>
    [Command("ZUNION", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "6.2.0",
        Complexity = UnionCost, Summary = "Returns the union of sorted sets.",
        Syntax = "numkeys key... " + OptionSyntax + " [WITHSCORES]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 1)]
    internal static void ZUnion(CommandContext ctx) => ReplyWithResult(ctx, Operation.Union);

    /// <summary>Replies with the members that all sets have.</summary>
    [Command("ZINTER", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "6.2.0",
        Complexity = IntersectionCost, Summary = "Returns the intersection of sorted sets.",
        Syntax = "numkeys key... " + OptionSyntax + " [WITHSCORES]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 1)]
    internal static void ZInter(CommandContext ctx) => ReplyWithResult(ctx, Operation.Intersection);

    /// <summary>Replies with the members of the first set that none of the others has.</summary>
    [Command("ZDIFF", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "6.2.0",
        Complexity = DifferenceCost, Summary = "Returns the difference of sorted sets.",
        Syntax = "numkeys key... [WITHSCORES]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 1)]
    internal static void ZDiff(CommandContext ctx) => ReplyWithResult(ctx, Operation.Difference);

    /// <summary>Stores the members that any of the sets has and replies with their number.</summary>
    [Command("ZUNIONSTORE", arity: -4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.SortedSet,
        Since = "2.0.0", Complexity = UnionCost, Summary = "Stores the union of sorted sets.",
        Syntax = "destination numkeys key... " + OptionSyntax)]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 2)]
    internal static void ZUnionStore(CommandContext ctx) => StoreResult(ctx, Operation.Union, KeyEvent.ZUnionStore);

    /// <summary>Stores the members that all sets have and replies with their number.</summary>
    [Command("ZINTERSTORE", arity: -4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.SortedSet,
        Since = "2.0.0", Complexity = IntersectionCost, Summary = "Stores the intersection of sorted sets.",
        Syntax = "destination numkeys key... " + OptionSyntax)]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 2)]
    internal static void ZInterStore(CommandContext ctx) =>
        StoreResult(ctx, Operation.Intersection, KeyEvent.ZInterStore);

    /// <summary>Stores the members of the first set that none of the others has and replies with their number.</summary>
    [Command("ZDIFFSTORE", arity: -4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.SortedSet,
        Since = "6.2.0", Complexity = DifferenceCost, Summary = "Stores the difference of sorted sets.",
        Syntax = "destination numkeys key...")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 2)]
    internal static void ZDiffStore(CommandContext ctx) => StoreResult(ctx, Operation.Difference, KeyEvent.ZDiffStore);

    /// <summary>Replies with how many members all sets have, counting up to a limit.</summary>
    [Command("ZINTERCARD", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "7.0.0",
        Complexity = "O(N*K) for K sets, the smallest of N members.",
        Summary = "Counts the members of an intersection of sorted sets.", Syntax = "numkeys key... [LIMIT limit]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, NumKeysAt = 1)]
    internal static void ZInterCard(CommandContext ctx)
    {
        if (!TryReadKeyCount(ctx, 1, out int keyCount))
        {
            return;
        }

        SortedSetOperands sets = new(ctx.Database, keyCount);
        try
        {
            if (TryFindAll(ctx, ref sets, 2, keyCount) && SetAlgebraCommands.TryParseLimit(ctx, keyCount + 2, out long limit))
            {
                ctx.Reply.Integer(SortedSetOperations.CountIntersection(in sets, limit));
            }
        }
        finally
        {
            sets.Dispose();
        }
    }

    private static void ReplyWithResult(CommandContext ctx, Operation operation)
    {
        if (!TryReadKeyCount(ctx, 1, out int keyCount))
        {
            return;
        }

        SortedSetOperands sets = new(ctx.Database, keyCount);
        SortedSetBuilder builder = default;
        SortedSetValue value = default;
        try
        {
            if (!TryFindAll(ctx, ref sets, 2, keyCount)
                || !TryParseOptions(
                    ctx,
                    in sets,
                    keyCount + 2,
                    operation,
                    stores: false,
                    out SortedSetAggregate aggregate,
                    out bool withScores))
            {
                return;
            }

            // A list is in order already; packing it would only cost time.
            SortedSetLimits neverPacked = new(PackedEntries: -1, PackedValueBytes: 0);
            builder = new SortedSetBuilder(ctx.Server.Keyspace, neverPacked, LargestOf(in sets, operation));
            Combine(operation, in sets, aggregate, ref builder);
            value = builder.Finish();
            SortedSetCommands.BeginMembers(ctx.Reply, value.Count, withScores);
            foreach (SortedSetMember member in value)
            {
                SortedSetCommands.Write(ctx.Reply, member, withScores);
            }
        }
        finally
        {
            value.Dispose();
            builder.Dispose();
            sets.Dispose();
        }
    }

    private static void StoreResult(CommandContext ctx, Operation operation, KeyEvent keyEvent)
    {
        if (!TryReadKeyCount(ctx, 2, out int keyCount))
        {
            return;
        }

        SortedSetOperands sets = new(ctx.Database, keyCount);
        SortedSetBuilder builder = default;
        SortedSetValue result = default;
        try
        {
            if (!TryFindAll(ctx, ref sets, 3, keyCount)
                || !TryParseOptions(
                    ctx, in sets, keyCount + 3, operation, stores: true, out SortedSetAggregate aggregate, out _))
            {
                return;
            }

            builder = new SortedSetBuilder(
                ctx.Server.Keyspace, SortedSetCommands.LimitsOf(ctx), LargestOf(in sets, operation));
            Combine(operation, in sets, aggregate, ref builder);
            result = builder.Finish();
            SortedSetRangeCommands.Store(ctx, ref result, keyEvent);
        }
        finally
        {
            result.Dispose();
            builder.Dispose();
            sets.Dispose();
        }
    }

    private static void Combine(
        Operation operation, in SortedSetOperands sets, SortedSetAggregate aggregate, ref SortedSetBuilder builder)
    {
        switch (operation)
        {
            case Operation.Union:
                SortedSetOperations.Unite(in sets, aggregate, ref builder);
                break;
            case Operation.Intersection:
                SortedSetOperations.Intersect(in sets, aggregate, ref builder);
                break;
            default:
                SortedSetOperations.Subtract(in sets, ref builder);
                break;
        }
    }

    // A union has at least the members of its largest set; of the others nobody knows.
    private static long LargestOf(in SortedSetOperands sets, Operation operation)
    {
        long largest = 0;
        for (int i = 0; i < sets.Count && operation == Operation.Union; i++)
        {
            largest = Math.Max(largest, sets.CountOf(i));
        }

        return largest;
    }

    private static bool TryReadKeyCount(CommandContext ctx, int at, out int keyCount)
    {
        keyCount = 0;
        if (!Numbers.TryParseInt64(ctx.Args[at], out long count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (count < 1)
        {
            ctx.Reply.Error(CommandError.NoInputKeys(ctx.Command.DisplayName));
            return false;
        }

        if (count > ctx.Args.Count - at - 1)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        keyCount = (int)count;
        return true;
    }

    /// <returns>False when a key holds another type; the client has been told.</returns>
    private static bool TryFindAll(CommandContext ctx, ref SortedSetOperands sets, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            if (!ctx.Database.TryFind(ctx.Key(i), ctx.Server.Keyspace.AccessFlags, out Entry entry))
            {
                sets.AddMissing();
            }
            else if (entry.Type is ValueType.SortedSet or ValueType.Set)
            {
                sets.Add(entry);
            }
            else
            {
                ctx.Reply.Error(CommandError.WrongType);
                return false;
            }
        }

        return true;
    }

    private static bool TryParseOptions(
        CommandContext ctx,
        in SortedSetOperands sets,
        int start,
        Operation operation,
        bool stores,
        out SortedSetAggregate aggregate,
        out bool withScores)
    {
        Arguments args = ctx.Args;
        bool combines = operation != Operation.Difference;
        aggregate = SortedSetAggregate.Sum;
        withScores = false;
        int at = start;
        while (at < args.Count)
        {
            ReadOnlySpan<byte> word = args[at++];
            int left = args.Count - at;
            if (combines && left >= sets.Count && Ascii.EqualsIgnoreCase(word, "WEIGHTS"u8))
            {
                for (int i = 0; i < sets.Count; i++, at++)
                {
                    if (!Numbers.TryParseDouble(args[at], out double weight))
                    {
                        ctx.Reply.Error("ERR weight value is not a float"u8);
                        return false;
                    }

                    sets.SetWeight(i, weight);
                }
            }
            else if (combines && left >= 1 && Ascii.EqualsIgnoreCase(word, "AGGREGATE"u8))
            {
                if (!TryReadAggregate(args[at++], out aggregate))
                {
                    ctx.Reply.Error(CommandError.Syntax);
                    return false;
                }
            }
            else if (!stores && Ascii.EqualsIgnoreCase(word, "WITHSCORES"u8))
            {
                withScores = true;
            }
            else
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }
        }

        return true;
    }

    private static bool TryReadAggregate(ReadOnlySpan<byte> word, out SortedSetAggregate aggregate)
    {
        aggregate = Ascii.EqualsIgnoreCase(word, "MIN"u8) ? SortedSetAggregate.Min
            : Ascii.EqualsIgnoreCase(word, "MAX"u8) ? SortedSetAggregate.Max
            : SortedSetAggregate.Sum;
        return aggregate != SortedSetAggregate.Sum || Ascii.EqualsIgnoreCase(word, "SUM"u8);
    }
}
