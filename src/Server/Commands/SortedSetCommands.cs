using System.Buffers;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Server.Config;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on single members of a sorted set, and what the other groups of its commands share.</summary>
/// <remarks>Semantics: redis.io/commands, group sorted-set. A sorted set that loses its last member loses its key too.
/// Ranges are in <see cref="SortedSetRangeCommands"/>, pops in <see cref="SortedSetPopCommands"/>, operations on several
/// sets in <see cref="SortedSetAlgebraCommands"/>.</remarks>
internal static class SortedSetCommands
{
    // Scores of up to so many pairs lie on the stack.
    private const int StackPairs = 32;

    /// <summary>Adds members or changes their scores; replies with how many were new, or with INCR the score.</summary>
    [Command("ZADD", arity: -4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.SortedSet, Since = "1.2.0", Complexity = "O(log(N)) for each member, with N in the set.",
        Summary = "Adds members to a sorted set, or changes their scores.",
        Syntax = "key [condition:NX|XX]@3.0.2 [comparison:GT|LT]@6.2.0 [change:CH]@3.0.2 [increment:INCR]@3.0.2 (score member)...",
        History = "2.4.0: Accepts several members.; 3.0.2: The options NX, XX, CH and INCR.; 6.2.0: The options GT and LT.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void ZAdd(CommandContext ctx) => Add(ctx, SortedSetAddFlags.None);

    /// <summary>Adds to a member's score, 0 if it is new, and replies with the sum.</summary>
    [Command("ZINCRBY", arity: 4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.SortedSet, Since = "1.2.0", Complexity = "O(log(N)) with N members in the set.",
        Summary = "Adds to the score of a member.", Syntax = "key increment member")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void ZIncrBy(CommandContext ctx) => Add(ctx, SortedSetAddFlags.Increment);

    /// <summary>Removes members and replies with how many there were.</summary>
    [Command("ZREM", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.SortedSet, Since = "1.2.0",
        Complexity = "O(M*log(N)) for M members of N.", Summary = "Removes members from a sorted set.",
        Syntax = "key member...", History = "2.4.0: Accepts several members.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void ZRem(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out SortedSetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        SetCommands.RemoveAll(ctx, key, ref set, KeyEvent.ZRem);
    }

    /// <summary>Replies with a member's score, or null. O(1).</summary>
    [Command("ZSCORE", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "1.2.0", Complexity = "O(1)", Summary = "Returns the score of a member.", Syntax = "key member")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZScore(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (exists && set.TryGetScore(ctx.Args[2], out double score))
        {
            ctx.Reply.Double(score);
        }
        else if (!replied)
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Replies with the score, or null, of each member.</summary>
    [Command("ZMSCORE", arity: -3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "6.2.0", Complexity = "O(N) in the members named.", Summary = "Returns the scores of several members.",
        Syntax = "key member...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZMScore(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        ctx.Reply.Array(args.Count - 2);
        for (int i = 2; i < args.Count; i++)
        {
            if (exists && set.TryGetScore(args[i], out double score))
            {
                ctx.Reply.Double(score);
            }
            else
            {
                ctx.Reply.Null();
            }
        }
    }

    /// <summary>Replies with the number of members, 0 for a missing key.</summary>
    [Command("ZCARD", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "1.2.0", Complexity = "O(1)", Summary = "Counts the members of a sorted set.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void ZCard(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? set.Count : 0);
        }
    }

    /// <summary>Replies with a member's rank in ascending order, or null; WITHSCORE adds the score.</summary>
    [Command("ZRANK", arity: -3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "2.0.0", Complexity = "O(log(N))", Summary = "Returns the rank of a member, lowest score first.",
        Syntax = "key member [WITHSCORE]@7.2.0", History = "7.2.0: The WITHSCORE option.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRank(CommandContext ctx) => Rank(ctx, reversed: false);

    /// <summary>Replies with a member's rank in descending order, or null; WITHSCORE adds the score.</summary>
    [Command("ZREVRANK", arity: -3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.SortedSet,
        Since = "2.0.0", Complexity = "O(log(N))", Summary = "Returns the rank of a member, greatest score first.",
        Syntax = "key member [WITHSCORE]@7.2.0", History = "7.2.0: The WITHSCORE option.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZRevRank(CommandContext ctx) => Rank(ctx, reversed: true);

    /// <summary>Replies with a cursor and some members with their scores. A member that stays in the set from the first
    /// call to the last is returned at least once.</summary>
    [Command("ZSCAN", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.SortedSet, Since = "2.8.0",
        Complexity = "O(COUNT) for a call, O(N) for all members.",
        Summary = "Walks over members and scores of a sorted set in steps.",
        Syntax = "key cursor [MATCH pattern] [COUNT count]", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ZScan(CommandContext ctx) => CollectionScan.Reply(ctx, ValueType.SortedSet);

    /// <summary>The limits of packed sorted sets that are configured now.</summary>
    internal static SortedSetLimits LimitsOf(CommandContext ctx) => ConfiguredLimits.OfSortedSets(ctx.Server.Config);

    /// <summary>Opens a sorted set for reading.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="argIndex">Where the key stands.</param>
    /// <param name="set">The set when the result is true.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    /// <returns>False when there is no such set.</returns>
    internal static bool TryOpen(CommandContext ctx, int argIndex, out SortedSetValue set, out bool replied)
    {
        bool exists = ctx.TryFindForRead(ctx.Key(argIndex), ValueType.SortedSet, out Entry entry, out replied);
        set = exists ? SortedSetValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Opens a sorted set that is about to be changed.</summary>
    /// <inheritdoc cref="TryOpen(CommandContext, int, out SortedSetValue, out bool)"/>
    internal static bool TryOpenForWrite(CommandContext ctx, Key key, out SortedSetValue set, out bool replied)
    {
        bool exists = ctx.TryFindForWrite(key, ValueType.SortedSet, out Entry entry, out replied);
        set = exists ? SortedSetValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Begins an array of members, each with its score behind it if asked for: pairs in RESP3, in RESP2 all in
    /// one row.</summary>
    internal static void BeginMembers(ReplyWriter reply, long count, bool withScores) =>
        reply.Array(withScores && reply.Protocol == 2 ? count * 2 : count);

    /// <summary>Writes one member of such an array.</summary>
    internal static void Write(ReplyWriter reply, SortedSetMember member, bool withScores)
    {
        if (withScores && reply.Protocol > 2)
        {
            reply.Array(2);
        }

        SetCommands.Write(reply, member.Member);
        if (withScores)
        {
            reply.Double(member.Score);
        }
    }

    /// <summary>Adds members with scores that are known, reports it and replies.</summary>
    /// <param name="ctx">The call; the key is its first argument.</param>
    /// <param name="options">What restricts it, and where the arguments begin that the members are among.</param>
    /// <param name="scores">The scores; no NaN.</param>
    /// <param name="stride">Arguments for each member, which is the last of them.</param>
    internal static void Add(
        CommandContext ctx, SortedSetAddOptions options, ReadOnlySpan<double> scores, int stride = 2)
    {
        Key key = ctx.Key(1);
        AddTotals totals = default;
        ReadOnlySpan<byte> first = ctx.Args[options.First + stride - 1];
        bool onlyExisting = (options.Flags & SortedSetAddFlags.OnlyExisting) != SortedSetAddFlags.None;
        switch (ctx.Database.FindForWrite(key, ValueType.SortedSet, out Entry entry))
        {
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return;
            case Lookup.Missing when onlyExisting:
                break;
            case Lookup.Missing when scores.Length == 1:
                SortedSetValue.InsertSingle(ctx.Database, key, first, scores[0], LimitsOf(ctx));
                totals.Note(SortedSetChange.Added, scores[0]);
                break;
            case Lookup.Missing:
                SortedSetValue built = SortedSetValue.Create(ctx.Server.Keyspace, LimitsOf(ctx), first.Length);
                try
                {
                    AddAll(ctx.Args, options, scores, stride, ref built, ref totals);
                    built.InsertAs(ctx.Database, key);
                }
                finally
                {
                    built.Dispose();
                }

                break;
            default:
                SortedSetValue set = SortedSetValue.Open(ctx.Database, entry, LimitsOf(ctx));
                AddAll(ctx.Args, options, scores, stride, ref set, ref totals);
                break;
        }

        bool increments = (options.Flags & SortedSetAddFlags.Increment) != SortedSetAddFlags.None;
        if (totals.Added + totals.Updated > 0)
        {
            ctx.KeyChanged(key, increments ? KeyEvent.ZIncr : KeyEvent.ZAdd, totals.Added + totals.Updated);
        }

        Reply(ctx.Reply, in totals, increments, options.CountsChanges);
    }

    private static void Add(CommandContext ctx, SortedSetAddFlags implied)
    {
        Arguments args = ctx.Args;
        if (!SortedSetAddOptions.TryParse(
            args, implied, out SortedSetAddOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        int pairs = (args.Count - options.First) / 2;
        double[]? rented = pairs > StackPairs ? ArrayPool<double>.Shared.Rent(pairs) : null;
        Span<double> scores = rented is null ? stackalloc double[StackPairs] : rented;
        scores = scores[..pairs];
        try
        {
            for (int i = 0; i < pairs; i++)
            {
                if (!Numbers.TryParseDouble(args[options.First + (i * 2)], out scores[i]))
                {
                    ctx.Reply.Error(CommandError.NotAFloat);
                    return;
                }
            }

            Add(ctx, options, scores);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<double>.Shared.Return(rented);
            }
        }
    }

    private static void AddAll(
        Arguments args,
        SortedSetAddOptions options,
        ReadOnlySpan<double> scores,
        int stride,
        ref SortedSetValue set,
        ref AddTotals totals)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            SortedSetChange change = set.Add(
                args[options.First + (i * stride) + stride - 1], scores[i], options.Flags, out double newScore);
            totals.Note(change, newScore);
        }
    }

    private static void Reply(ReplyWriter reply, in AddTotals totals, bool increments, bool countsChanges)
    {
        if (totals.Last == SortedSetChange.NotANumber)
        {
            reply.Error(CommandError.ScoreNotANumber);
        }
        else if (!increments)
        {
            reply.Integer(countsChanges ? totals.Added + totals.Updated : totals.Added);
        }
        else if (totals.Last == SortedSetChange.Refused)
        {
            reply.Null();
        }
        else
        {
            reply.Double(totals.Score);
        }
    }

    private static void Rank(CommandContext ctx, bool reversed)
    {
        Arguments args = ctx.Args;
        if (args.Count > 4)
        {
            ctx.WrongArity();
            return;
        }

        bool withScore = args.Count == 4;
        if (withScore && !Ascii.EqualsIgnoreCase(args[3], "WITHSCORE"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        double score = 0;
        bool exists = TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        long rank = exists ? set.RankOf(args[2], out score) : -1;
        if (replied)
        {
            return;
        }

        if (rank >= 0)
        {
            rank = reversed ? set.Count - 1 - rank : rank;
            if (withScore)
            {
                ctx.Reply.Array(2);
            }

            ctx.Reply.Integer(rank);
            if (withScore)
            {
                ctx.Reply.Double(score);
            }
        }
        else if (withScore)
        {
            ctx.Reply.NullArray();
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>What a ZADD has done so far.</summary>
    private struct AddTotals
    {
        public long Added;
        public long Updated;
        public SortedSetChange Last;
        public double Score;

        public void Note(SortedSetChange change, double score)
        {
            Added += change == SortedSetChange.Added ? 1 : 0;
            Updated += change == SortedSetChange.Updated ? 1 : 0;
            Last = change;
            Score = score;
        }
    }
}
