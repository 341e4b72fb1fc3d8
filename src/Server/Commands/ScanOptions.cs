using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>The words after the cursor of SCAN and its kin: MATCH, COUNT, and those that only one of them takes.</summary>
internal readonly ref struct ScanOptions
{
    private ScanOptions(long count, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> type, bool noValues)
    {
        NoValues = noValues;
        Count = count;
        Pattern = pattern;
        Type = type;
    }

    /// <summary>What a command takes beside MATCH and COUNT.</summary>
    internal enum Words : byte
    {
        None,

        /// <summary>TYPE name.</summary>
        Type,

        /// <summary>NOVALUES.</summary>
        NoValues,
    }

    /// <summary>About how many elements a call should look at, at least 1.</summary>
    public long Count { get; }

    /// <summary>The glob pattern; "*" when none was given.</summary>
    public ReadOnlySpan<byte> Pattern { get; }

    /// <summary>True when every element matches, so that none needs to be tested.</summary>
    public bool MatchesAll => Pattern.SequenceEqual("*"u8);

    /// <summary>The type's name as TYPE shows it, or empty for any.</summary>
    public ReadOnlySpan<byte> Type { get; }

    /// <summary>Whether values are left out.</summary>
    public bool NoValues { get; }

    /// <summary>Reads the words from <paramref name="start"/> to the end.</summary>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        Arguments args, int start, Words words, out ScanOptions options, out ReadOnlySpan<byte> error)
    {
        long count = 10;
        ReadOnlySpan<byte> pattern = "*"u8;
        ReadOnlySpan<byte> type = default;
        bool noValues = false;
        options = default;
        error = CommandError.Syntax;
        for (int i = start; i < args.Count; i += 2)
        {
            ReadOnlySpan<byte> word = args[i];
            if (words == Words.NoValues && Ascii.EqualsIgnoreCase(word, "NOVALUES"u8))
            {
                noValues = true;
                i--; // No value follows.
                continue;
            }

            if (i + 1 == args.Count)
            {
                return false;
            }

            if (Ascii.EqualsIgnoreCase(word, "COUNT"u8))
            {
                if (!Numbers.TryParseInt64(args[i + 1], out count))
                {
                    error = CommandError.NotAnInteger;
                    return false;
                }

                if (count < 1)
                {
                    return false;
                }
            }
            else if (Ascii.EqualsIgnoreCase(word, "MATCH"u8))
            {
                pattern = args[i + 1];
            }
            else if (words == Words.Type && Ascii.EqualsIgnoreCase(word, "TYPE"u8))
            {
                type = args[i + 1];
            }
            else
            {
                return false;
            }
        }

        options = new ScanOptions(count, pattern, type, noValues);
        return true;
    }

    /// <summary>Reads a cursor as the reference server does: C's strtoul, but with nothing before or after the number.</summary>
    /// <remarks>A sign is allowed there, so it is here: "-1" is the largest cursor, and nothing at all is 0.</remarks>
    public static bool TryParseCursor(ReadOnlySpan<byte> text, out ulong cursor)
    {
        cursor = 0;
        bool negative = !text.IsEmpty && text[0] == (byte)'-';
        ReadOnlySpan<byte> digits = negative || (!text.IsEmpty && text[0] == (byte)'+') ? text[1..] : text;
        if (digits.IsEmpty)
        {
            return text.IsEmpty;
        }

        foreach (byte digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            UInt128 next = ((UInt128)cursor * 10) + (uint)(digit - '0');
            if (next > ulong.MaxValue)
            {
                return false;
            }

            cursor = (ulong)next;
        }

        cursor = negative ? 0 - cursor : cursor;
        return true;
    }
}
