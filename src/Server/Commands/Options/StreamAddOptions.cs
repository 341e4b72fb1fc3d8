using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What XADD and XTRIM are told before the fields: how to trim, and the id.</summary>
internal struct StreamAddOptions
{
    private const long DefaultLimit = 10_000;
    private const long MaxDefaultLimit = 1_000_000;
    private const int NodesPerTrim = 100;

    /// <summary>By what to trim.</summary>
    public StreamTrimStrategy Strategy;

    /// <summary>How many entries may stay.</summary>
    public long MaxLength;

    /// <summary>The smallest id that may stay.</summary>
    public StreamId MinId;

    /// <summary>Trim whole nodes only.</summary>
    public bool IsApproximate;

    /// <summary>How many entries may be removed at once; 0 for no limit.</summary>
    public long Limit;

    /// <summary>Where the threshold of trimming stands.</summary>
    public int ThresholdIndex;

    /// <summary>Do nothing when there is no such key.</summary>
    public bool NoMakeStream;

    /// <summary>Where the id stands; behind the last argument when it is missing.</summary>
    public int IdIndex;

    /// <summary>The id.</summary>
    public StreamId Id;

    /// <summary>Whether there is an id, not a star.</summary>
    public bool HasId;

    /// <summary>Whether the id's second number is given too.</summary>
    public bool HasSequence;

    private bool _hasLimit;

    /// <summary>Reads the options, or replies with what is wrong with them.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="isAdd">XADD; else XTRIM.</param>
    /// <param name="options">The options.</param>
    public static bool TryRead(CommandContext ctx, bool isAdd, out StreamAddOptions options)
    {
        options = default;
        Arguments args = ctx.Args;
        int i = 2;
        for (; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            bool hasMore = i + 1 < args.Count;
            if (isAdd && word is [(byte)'*'])
            {
                break;
            }

            if (hasMore && Ascii.EqualsIgnoreCase(word, "maxlen"u8))
            {
                if (!options.TryReadThreshold(ctx, ref i, StreamTrimStrategy.MaxLength))
                {
                    return false;
                }
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "minid"u8))
            {
                if (!options.TryReadThreshold(ctx, ref i, StreamTrimStrategy.MinId))
                {
                    return false;
                }
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "limit"u8))
            {
                if (!options.TryReadLimit(ctx, ++i))
                {
                    return false;
                }
            }
            else if (isAdd && Ascii.EqualsIgnoreCase(word, "nomkstream"u8))
            {
                options.NoMakeStream = true;
            }
            else if (isAdd && StreamIdText.TryParseNew(word, out options.Id, out options.HasSequence))
            {
                options.HasId = true;
                break;
            }
            else
            {
                ctx.Reply.Error(isAdd ? StreamIdText.Invalid : CommandError.Syntax);
                return false;
            }
        }

        options.IdIndex = i;
        return options.TrySettle(ctx, isAdd);
    }

    private bool TryReadThreshold(CommandContext ctx, ref int i, StreamTrimStrategy strategy)
    {
        if (Strategy != StreamTrimStrategy.None)
        {
            ctx.Reply.Error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible"u8);
            return false;
        }

        Arguments args = ctx.Args;
        if (i + 2 < args.Count && args[i + 1] is [(byte)'~' or (byte)'='])
        {
            i++;
            IsApproximate = args[i][0] == '~';
        }

        i++;
        if (strategy == StreamTrimStrategy.MinId)
        {
            if (!StreamIdText.TryRead(ctx, i, out MinId))
            {
                return false;
            }
        }
        else if (!Numbers.TryParseInt64(args[i], out MaxLength))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }
        else if (MaxLength < 0)
        {
            ctx.Reply.Error("ERR The MAXLEN argument must be >= 0."u8);
            return false;
        }

        Strategy = strategy;
        ThresholdIndex = i;
        return true;
    }

    private bool TryReadLimit(CommandContext ctx, int argIndex)
    {
        if (!Numbers.TryParseInt64(ctx.Args[argIndex], out Limit))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (Limit < 0)
        {
            ctx.Reply.Error("ERR The LIMIT argument must be >= 0."u8);
            return false;
        }

        _hasLimit = true;
        return true;
    }

    private bool TrySettle(CommandContext ctx, bool isAdd)
    {
        if (Limit != 0 && Strategy == StreamTrimStrategy.None)
        {
            ctx.Reply.Error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"u8);
            return false;
        }

        if (!isAdd && Strategy == StreamTrimStrategy.None)
        {
            ctx.Reply.Error("ERR syntax error, XTRIM must be called with a trimming strategy"u8);
            return false;
        }

        if (ctx.IsReplayed)
        {
            // The threshold in a log is what was left: all before it goes.
            Limit = 0;
        }
        else if (_hasLimit && !IsApproximate)
        {
            ctx.Reply.Error("ERR syntax error, LIMIT cannot be used without the special ~ option"u8);
            return false;
        }
        else if (!_hasLimit && IsApproximate)
        {
            // So that one call does not take too long.
            long entries = ctx.Server.Config.StreamNodeMaxEntries;
            long limit = entries > MaxDefaultLimit ? MaxDefaultLimit : entries * NodesPerTrim;
            Limit = limit <= 0 ? DefaultLimit : Math.Min(limit, MaxDefaultLimit);
        }

        return true;
    }
}
