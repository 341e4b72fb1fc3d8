using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>The range BITCOUNT and BITPOS work on, in bits of one string, both ends included.</summary>
/// <param name="FirstBit">Not negative.</param>
/// <param name="LastBit">Under the string's length in bits; under <paramref name="FirstBit"/> when nothing is in range.
/// </param>
internal readonly record struct BitmapRange(long FirstBit, long LastBit)
{
    /// <summary>True when no bit is in range.</summary>
    public bool IsEmpty => FirstBit > LastBit;

    /// <summary>All of a string.</summary>
    public static BitmapRange All(int lengthBytes) => new(0, (lengthBytes * 8L) - 1);

    /// <summary>From indexes as clients give them, where -1 is the last byte or bit, cut to the string.</summary>
    /// <param name="start">First index.</param>
    /// <param name="end">Last index.</param>
    /// <param name="inBits">True when the indexes count bits, false for bytes.</param>
    /// <param name="lengthBytes">Length of the string.</param>
    public static BitmapRange From(long start, long end, bool inBits, int lengthBytes)
    {
        long length = inBits ? lengthBytes * 8L : lengthBytes;
        start = start < 0 ? Math.Max(0, length + start) : start;
        end = end < 0 ? Math.Max(0, length + end) : end;
        end = Math.Min(end, length - 1);
        if (start > end)
        {
            return new BitmapRange(0, -1);
        }

        return inBits ? new BitmapRange(start, end) : new BitmapRange(start * 8, (end * 8) + 7);
    }

    /// <summary>Reads the word BYTE or BIT.</summary>
    public static bool TryParseUnit(ReadOnlySpan<byte> word, out bool inBits)
    {
        inBits = Ascii.EqualsIgnoreCase(word, "BIT"u8);
        return inBits || Ascii.EqualsIgnoreCase(word, "BYTE"u8);
    }

    /// <summary>Reads a bit's offset as SETBIT and BITFIELD take it.</summary>
    /// <param name="text">A number, or with <paramref name="fieldBits"/> also <c>#n</c>, the n-th field of that width.</param>
    /// <param name="fieldBits">Width of a field in bits; 0 where <c>#</c> is not allowed.</param>
    /// <param name="maxBytes">The longest a string may be (proto-max-bulk-len).</param>
    /// <param name="offset">The offset in bits.</param>
    /// <returns>False when it is no number, negative, or beyond the longest string.</returns>
    public static bool TryParseOffset(ReadOnlySpan<byte> text, int fieldBits, long maxBytes, out long offset)
    {
        bool inFields = fieldBits > 0 && !text.IsEmpty && text[0] == (byte)'#';
        if (!Numbers.TryParseInt64(inFields ? text[1..] : text, out offset) || offset < 0)
        {
            return false;
        }

        if (inFields)
        {
            if (offset > long.MaxValue / fieldBits)
            {
                return false;
            }

            offset *= fieldBits;
        }

        return offset >> 3 < maxBytes;
    }
}
