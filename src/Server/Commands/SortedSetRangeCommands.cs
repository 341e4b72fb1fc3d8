using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Ranges of a sorted set, by rank, score or member: returned, counted, stored, removed.</summary>
/// <remarks>Semantics: redis.io/commands, group sorted-set. Every range becomes a row of ranks first, so its length is
/// known before the reply begins and the members stream into it.</remarks>
internal static class SortedSetRangeCommands
{
    private const string RangeCost = "O(log(N)+M) for M members of N.";
    private const string CountCost = "O(log(N)) with N members in the set.";

    /// <summary>Replies with members in a range by rank, or with BYSCORE and BYLEX by score or member.</summary>
    [Command("ZRANGE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "1.2.0",
        Complexity = RangeCost, Summary = "Returns members in a range.",
        Syntax = "key start:string stop:string [sortby:BYSCORE|BYLEX]@6.2.0 [REV]@6.2.0 [LIMIT offset count]@6.2.0 [WITHSCORES]",
        History = "6.2.0: The options REV, BYSCORE, BYLEX and LIMIT.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRange(CommandContext ctx) => ReplyWithRange(ctx, SortedSetRangeKind.Any, reversed: false);

    /// <summary>Replies with members in a range by rank, the greatest score first.</summary>
    [Command("ZREVRANGE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "1.2.0",
        Complexity = RangeCost, Summary = "Returns members in a range of ranks, greatest score first.",
        Syntax = "key start stop [WITHSCORES]", Deprecated = "6.2.0: ZRANGE with REV")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRevRange(CommandContext ctx) => ReplyWithRange(ctx, SortedSetRangeKind.Rank, reversed: true);

    /// <summary>Replies with members whose scores are in a range.</summary>
    [Command("ZRANGEBYSCORE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "1.0.5",
        Complexity = RangeCost, Summary = "Returns members in a range of scores.",
        Syntax = "key min:double max:double [WITHSCORES]@2.0.0 [LIMIT offset count]",
        History = "2.0.0: The option WITHSCORES.", Deprecated = "6.2.0: ZRANGE with BYSCORE")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRangeByScore(CommandContext ctx) =>
        ReplyWithRange(ctx, SortedSetRangeKind.Score, reversed: false);

    /// <summary>Replies with members whose scores are in a range, the greatest first.</summary>
    [Command("ZREVRANGEBYSCORE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "2.2.0",
        Complexity = RangeCost, Summary = "Returns members in a range of scores, greatest first.",
        Syntax = "key max:double min:double [WITHSCORES] [LIMIT offset count]",
        History = "2.1.6: Both ends can be left out.", Deprecated = "6.2.0: ZRANGE with REV and BYSCORE")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRevRangeByScore(CommandContext ctx) =>
        ReplyWithRange(ctx, SortedSetRangeKind.Score, reversed: true);

    /// <summary>Replies with members in a range of members.</summary>
    [Command("ZRANGEBYLEX", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "2.8.9",
        Complexity = RangeCost, Summary = "Returns members in a range of members, where all scores are the same.",
        Syntax = "key min:string max:string [LIMIT offset count]", Deprecated = "6.2.0: ZRANGE with BYLEX")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRangeByLex(CommandContext ctx) =>
        ReplyWithRange(ctx, SortedSetRangeKind.Lex, reversed: false);

    /// <summary>Replies with members in a range of members, the last first.</summary>
    [Command("ZREVRANGEBYLEX", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "2.8.9",
        Complexity = RangeCost,
        Summary = "Returns members in a range of members, the last first, where all scores are the same.",
        Syntax = "key max:string min:string [LIMIT offset count]", Deprecated = "6.2.0: ZRANGE with REV and BYLEX")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRevRangeByLex(CommandContext ctx) =>
        ReplyWithRange(ctx, SortedSetRangeKind.Lex, reversed: true);

    /// <summary>Stores members in a range, with their scores, and replies with their number.</summary>
    [Command("ZRANGESTORE", arity: -5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.SortedSet,
        Since = "6.2.0", Complexity = RangeCost, Summary = "Stores members in a range.",
        Syntax = "dst src min:string max:string [sortby:BYSCORE|BYLEX] [REV] [LIMIT offset count]")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRangeStore(CommandContext ctx)
    {
        SortedSetRangeOptions options = default;
        if (!SortedSetRangeOptions.TryParse(
            ctx.Args, keyAt: 2, stores: true, ref options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        bool exists = SortedSetCommands.TryOpen(ctx, 2, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        SortedSetSlice slice = exists ? options.Locate(in set) : default;
        SortedSetLimits limits = SortedSetCommands.LimitsOf(ctx);

        // As on the reference server: only a length that is known from the ranks spares the packed beginning.
        bool isLong = options.Kind == SortedSetRangeKind.Rank && slice.Count > limits.PackedEntries;
        SortedSetValue result = SortedSetValue.Create(ctx.Server.Keyspace, limits, isLong ? int.MaxValue : 0);
        try
        {
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            foreach (SortedSetMember member in set.Range(slice, options.IsReversed))
            {
                result.Add(member.Member.AsText(scratch), member.Score, SortedSetAddFlags.None, out _);
            }

            Store(ctx, ref result, KeyEvent.ZRangeStore);
        }
        finally
        {
            result.Dispose();
        }
    }

    /// <summary>Replies with the number of members whose scores are in a range.</summary>
    [Command("ZCOUNT", arity: 4, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "2.0.0", Complexity = CountCost, Summary = "Counts members in a range of scores.",
        Syntax = "key min:double max:double")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZCount(CommandContext ctx) => Count(ctx, SortedSetRangeKind.Score);

    /// <summary>Replies with the number of members in a range of members.</summary>
    [Command("ZLEXCOUNT", arity: 4, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "2.8.9", Complexity = CountCost,
        Summary = "Counts members in a range of members, where all scores are the same.",
        Syntax = "key min:string max:string")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZLexCount(CommandContext ctx) => Count(ctx, SortedSetRangeKind.Lex);

    /// <summary>Removes members in a range of ranks and replies with their number.</summary>
    [Command("ZREMRANGEBYRANK", arity: 4, CommandFlags.Write, Group = CommandGroup.SortedSet, Since = "2.0.0",
        Complexity = RangeCost, Summary = "Removes members in a range of ranks.", Syntax = "key start stop")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void ZRemRangeByRank(CommandContext ctx) =>
        RemoveRange(ctx, SortedSetRangeKind.Rank, KeyEvent.ZRemRangeByRank);

    /// <summary>Removes members whose scores are in a range and replies with their number.</summary>
    [Command("ZREMRANGEBYSCORE", arity: 4, CommandFlags.Write, Group = CommandGroup.SortedSet, Since = "1.2.0",
        Complexity = RangeCost, Summary = "Removes members in a range of scores.", Syntax = "key min:double max:double")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void ZRemRangeByScore(CommandContext ctx) =>
        RemoveRange(ctx, SortedSetRangeKind.Score, KeyEvent.ZRemRangeByScore);

    /// <summary>Removes members in a range of members and replies with their number.</summary>
    [Command("ZREMRANGEBYLEX", arity: 4, CommandFlags.Write, Group = CommandGroup.SortedSet, Since = "2.8.9",
        Complexity = RangeCost, Summary = "Removes members in a range of members, where all scores are the same.",
        Syntax = "key min:string max:string")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void ZRemRangeByLex(CommandContext ctx) =>
        RemoveRange(ctx, SortedSetRangeKind.Lex, KeyEvent.ZRemRangeByLex);

    /// <summary>Puts a result in place of what the destination, the first key, holds, or deletes the destination when it
    /// is empty. Replies with the number of members.</summary>
    internal static void Store(CommandContext ctx, ref SortedSetValue result, KeyEvent keyEvent) =>
        Store(ctx, ref result, keyEvent, destinationAt: 1, changes: 1);

    /// <summary>The same for a destination that stands elsewhere.</summary>
    internal static void Store(
        CommandContext ctx, ref SortedSetValue result, KeyEvent keyEvent, int destinationAt, long changes)
    {
        Key destination = ctx.Key(destinationAt);
        bool lazily = ctx.Server.Config.LazyFreeLazyServerDel;
        long count = result.Count;
        if (count > 0)
        {
            result.StoreAs(ctx.Database, destination, lazily);
            ctx.KeyChanged(destination, keyEvent, changes);
        }
        else if (ctx.Database.Delete(destination, lazily))
        {
            ctx.KeyChanged(destination, KeyEvent.Del);
        }

        ctx.Reply.Integer(count);
    }

    private static void ReplyWithRange(CommandContext ctx, SortedSetRangeKind kind, bool reversed)
    {
        SortedSetRangeOptions options = new() { Kind = kind, IsReversed = reversed };
        if (!SortedSetRangeOptions.TryParse(
            ctx.Args, keyAt: 1, stores: false, ref options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
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

        SortedSetSlice slice = options.Locate(in set);
        ReplyWriter reply = ctx.Reply;
        SortedSetCommands.BeginMembers(reply, slice.Count, options.WithScores);
        if (LongReply.Pays(ctx, slice.Count))
        {
            _ = new LongSortedSetReply(ctx, in set, slice, options.IsReversed, options.WithScores);
            return;
        }

        foreach (SortedSetMember member in set.Range(slice, options.IsReversed))
        {
            SortedSetCommands.Write(reply, member, options.WithScores);
        }
    }

    private static void Count(CommandContext ctx, SortedSetRangeKind kind)
    {
        SortedSetRangeOptions options = new() { Kind = kind, Limit = -1 };
        if (!SortedSetRangeOptions.TryParseEnds(
            ctx.Args[2], ctx.Args[3], ref options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        bool exists = SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? options.Locate(in set).Count : 0);
        }
    }

    private static void RemoveRange(CommandContext ctx, SortedSetRangeKind kind, KeyEvent keyEvent)
    {
        SortedSetRangeOptions options = new() { Kind = kind, Limit = -1 };
        if (!SortedSetRangeOptions.TryParseEnds(
            ctx.Args[2], ctx.Args[3], ref options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = SortedSetCommands.TryOpenForWrite(ctx, key, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        SortedSetSlice slice = exists ? options.Locate(in set) : default;
        if (slice.Count > 0)
        {
            Remove(ctx, key, ref set, slice, keyEvent);
        }

        ctx.Reply.Integer(slice.Count);
    }

    /// <summary>Removes members that stand in a row, and reports it. All of them go with the key at once.</summary>
    internal static void Remove(
        CommandContext ctx, Key key, ref SortedSetValue set, SortedSetSlice slice, KeyEvent keyEvent)
    {
        if (slice.Count == set.Count)
        {
            // Nobody can tell where the memory is freed, and many members would take long here.
            ctx.Database.Delete(key, lazily: true);
            ctx.KeyChanged(key, keyEvent, slice.Count);
            ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
            return;
        }

        set.RemoveRange(slice);
        ctx.KeyChanged(key, keyEvent, slice.Count);
    }
}
