using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of ZADD: <c>[NX|XX] [GT|LT] [CH] [INCR]</c> in any order, before the first score.</summary>
/// <param name="Flags">What restricts or changes the adding.</param>
/// <param name="CountsChanges">Whether the reply counts changed scores too (CH).</param>
/// <param name="First">Where the first score stands.</param>
internal readonly record struct SortedSetAddOptions(SortedSetAddFlags Flags, bool CountsChanges, int First)
{
    private const SortedSetAddFlags Comparisons = SortedSetAddFlags.OnlyGreater | SortedSetAddFlags.OnlyLess;

    /// <summary>Reads the options and checks that pairs of score and member follow.</summary>
    /// <param name="args">The request.</param>
    /// <param name="implied">What the command itself means.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        Arguments args, SortedSetAddFlags implied, out SortedSetAddOptions options, out ReadOnlySpan<byte> error)
    {
        SortedSetAddFlags flags = implied;
        bool countsChanges = false;
        int at = 2;
        for (; at < args.Count; at++)
        {
            ReadOnlySpan<byte> word = args[at];
            if (Ascii.EqualsIgnoreCase(word, "CH"u8))
            {
                countsChanges = true;
            }
            else if (FlagOf(word) is var flag && flag != SortedSetAddFlags.None)
            {
                flags |= flag;
            }
            else
            {
                break;
            }
        }

        options = new SortedSetAddOptions(flags, countsChanges, at);
        int left = args.Count - at;
        error = left == 0 || left % 2 != 0 ? CommandError.Syntax : Check(flags, left / 2);
        return error.IsEmpty;
    }

    private static SortedSetAddFlags FlagOf(ReadOnlySpan<byte> word)
    {
        if (word.Length == 2)
        {
            return Ascii.EqualsIgnoreCase(word, "NX"u8) ? SortedSetAddFlags.OnlyNew
                : Ascii.EqualsIgnoreCase(word, "XX"u8) ? SortedSetAddFlags.OnlyExisting
                : Ascii.EqualsIgnoreCase(word, "GT"u8) ? SortedSetAddFlags.OnlyGreater
                : Ascii.EqualsIgnoreCase(word, "LT"u8) ? SortedSetAddFlags.OnlyLess
                : SortedSetAddFlags.None;
        }

        return Ascii.EqualsIgnoreCase(word, "INCR"u8) ? SortedSetAddFlags.Increment : SortedSetAddFlags.None;
    }

    private static ReadOnlySpan<byte> Check(SortedSetAddFlags flags, int pairs)
    {
        bool onlyNew = (flags & SortedSetAddFlags.OnlyNew) != SortedSetAddFlags.None;
        if (onlyNew && (flags & SortedSetAddFlags.OnlyExisting) != SortedSetAddFlags.None)
        {
            return "ERR XX and NX options at the same time are not compatible"u8;
        }

        SortedSetAddFlags comparison = flags & Comparisons;
        if (comparison == Comparisons || (onlyNew && comparison != SortedSetAddFlags.None))
        {
            return "ERR GT, LT, and/or NX options at the same time are not compatible"u8;
        }

        return (flags & SortedSetAddFlags.Increment) != SortedSetAddFlags.None && pairs > 1
            ? "ERR INCR option supports a single increment-element pair"u8
            : default;
    }
}
