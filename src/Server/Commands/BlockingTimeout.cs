using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>How long a blocking command waits, as a rule in seconds with fractions; 0 for ever.</summary>
internal static class BlockingTimeout
{
    /// <summary>Reads a timeout, or replies with what is wrong with it.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="argIndex">Where the timeout stands.</param>
    /// <param name="endsAtMs">When the wait is over, in ms since the Unix epoch; 0 for never.</param>
    public static bool TryRead(CommandContext ctx, int argIndex, out long endsAtMs)
    {
        endsAtMs = 0;
        ReadOnlySpan<byte> text = ctx.Args[argIndex];
        if (!Numbers.TryParseDouble(text, out double seconds))
        {
            // The reference server reads an extended double, whose range is larger.
            seconds = ExtendedDouble.TryParse(text, out ExtendedDouble large) && large.IsFinite
                ? double.PositiveInfinity
                : double.NaN;
        }

        if (double.IsNaN(seconds))
        {
            ctx.Reply.Error("ERR timeout is not a float or out of range"u8);
            return false;
        }

        // What is too long counts as negative, as on the reference server, where it overflows.
        double ms = Math.Ceiling(seconds * 1000);
        if (seconds < 0 || ms >= long.MaxValue - ctx.NowMs)
        {
            ctx.Reply.Error("ERR timeout is negative"u8);
            return false;
        }

        endsAtMs = ms == 0 ? 0 : ctx.NowMs + (long)ms;
        return true;
    }

    /// <summary>Reads a timeout in whole milliseconds, as XREAD has it, or replies with what is wrong with it.</summary>
    /// <inheritdoc cref="TryRead"/>
    public static bool TryReadMs(CommandContext ctx, int argIndex, out long endsAtMs)
    {
        endsAtMs = 0;
        if (!Numbers.TryParseInt64(ctx.Args[argIndex], out long ms))
        {
            ctx.Reply.Error("ERR timeout is not an integer or out of range"u8);
            return false;
        }

        if (ms < 0)
        {
            ctx.Reply.Error("ERR timeout is negative"u8);
            return false;
        }

        // What ends in no foreseeable time never ends.
        endsAtMs = ms == 0 || ms > long.MaxValue - ctx.NowMs ? 0 : ctx.NowMs + ms;
        return true;
    }
}
