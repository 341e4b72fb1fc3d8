using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>The count of the commands that draw at random: SRANDMEMBER, HRANDFIELD, ZRANDMEMBER.</summary>
internal static class SampleCount
{
    private const int CountIndex = 2;

    /// <summary>Reads the count, or replies with what is wrong. O(1).</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="count">How many; negative where the same may come several times. Its negative is a number too.</param>
    public static bool TryRead(CommandContext ctx, out long count)
    {
        if (!Numbers.TryParseInt64(ctx.Args[CountIndex], out count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (count == long.MinValue)
        {
            ctx.Reply.Error(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"u8);
            return false;
        }

        return true;
    }

    /// <summary>Reads the count and the word that may follow it, or replies with what is wrong. O(1).</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="word">The word that asks for pairs.</param>
    /// <param name="count">As above; small enough to be doubled when pairs are wanted.</param>
    /// <param name="withPairs">Whether the word is there.</param>
    public static bool TryRead(CommandContext ctx, ReadOnlySpan<byte> word, out long count, out bool withPairs)
    {
        withPairs = false;
        if (!TryRead(ctx, out count))
        {
            return false;
        }

        Arguments args = ctx.Args;
        withPairs = args.Count == CountIndex + 2 && Ascii.EqualsIgnoreCase(args[CountIndex + 1], word);
        if (args.Count > CountIndex + 1 && !withPairs)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        // The reference server counts both halves of the pairs in one number.
        if (withPairs && count is < -(long.MaxValue / 2) or > long.MaxValue / 2)
        {
            ctx.Reply.Error("ERR value is out of range"u8);
            return false;
        }

        return true;
    }
}
