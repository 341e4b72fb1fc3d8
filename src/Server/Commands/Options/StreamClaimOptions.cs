using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What XCLAIM is told behind the ids.</summary>
internal struct StreamClaimOptions
{
    /// <summary>When the entries count as delivered, in ms since the Unix epoch.</summary>
    public long DeliveredMs;

    /// <summary>How often they count as delivered; negative when the server counts.</summary>
    public long Deliveries;

    /// <summary>Claim entries that are not pending.</summary>
    public bool Force;

    /// <summary>Reply with ids only, and do not count a delivery.</summary>
    public bool JustId;

    /// <summary>The last entry that the group is to have read at least.</summary>
    public StreamId LastId;

    /// <summary>Reads the options, or replies with what is wrong with them.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="firstArg">The first argument that is no id.</param>
    /// <param name="options">The options.</param>
    public static bool TryRead(CommandContext ctx, int firstArg, out StreamClaimOptions options)
    {
        options = default;
        options.Deliveries = -1;
        Arguments args = ctx.Args;
        long deliveredMs = -1;
        for (int i = firstArg; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            bool hasMore = i + 1 < args.Count;
            if (Ascii.EqualsIgnoreCase(word, "force"u8))
            {
                options.Force = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "justid"u8))
            {
                options.JustId = true;
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "idle"u8))
            {
                if (!TryReadNumber(ctx, ++i, "ERR Invalid IDLE option argument for XCLAIM"u8, out long idleMs))
                {
                    return false;
                }

                deliveredMs = unchecked(ctx.NowMs - idleMs);
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "time"u8))
            {
                if (!TryReadNumber(ctx, ++i, "ERR Invalid TIME option argument for XCLAIM"u8, out deliveredMs))
                {
                    return false;
                }
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "retrycount"u8))
            {
                if (!TryReadNumber(
                    ctx, ++i, "ERR Invalid RETRYCOUNT option argument for XCLAIM"u8, out options.Deliveries))
                {
                    return false;
                }
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(word, "lastid"u8))
            {
                if (!StreamIdText.TryRead(ctx, ++i, out options.LastId))
                {
                    return false;
                }
            }
            else
            {
                ctx.Reply.Error(CommandError.Format("ERR Unrecognized XCLAIM option '", word, "'"));
                return false;
            }
        }

        // A time that cannot be is now: clients reckon it from clocks of their own.
        options.DeliveredMs = deliveredMs < 0 || deliveredMs > ctx.NowMs ? ctx.NowMs : deliveredMs;
        return true;
    }

    private static bool TryReadNumber(CommandContext ctx, int argIndex, ReadOnlySpan<byte> error, out long number)
    {
        bool isNumber = Numbers.TryParseInt64(ctx.Args[argIndex], out number);
        if (!isNumber)
        {
            ctx.Reply.Error(error);
        }

        return isNumber;
    }
}
