using System.Buffers.Text;

namespace KvServer.Storage;

/// <summary>Integers as text, the way they are kept: a string is an integer only if formatting gives it back.</summary>
public static class IntegerText
{
    /// <summary>Characters of the longest 64-bit integer.</summary>
    public const int MaxLength = 20;

    /// <summary>Reads a canonical integer: no sign but a minus, no leading zeros, no spaces, no "-0".</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.Length is 0 or > MaxLength)
        {
            return false;
        }

        bool negative = text[0] == (byte)'-';
        ReadOnlySpan<byte> digits = negative ? text[1..] : text;
        if (digits.IsEmpty)
        {
            return false;
        }

        if (digits[0] == (byte)'0')
        {
            return digits.Length == 1 && !negative;
        }

        ulong sum = 0;
        foreach (byte c in digits)
        {
            uint digit = (uint)(c - '0');
            if (digit > 9)
            {
                return false;
            }

            if (sum > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }

            sum = (sum * 10) + digit;
        }

        if (sum > (negative ? 1UL << 63 : long.MaxValue))
        {
            return false;
        }

        value = negative ? (long)(0 - sum) : (long)sum;
        return true;
    }

    /// <summary>Writes an integer and returns the number of characters, at most <see cref="MaxLength"/>.</summary>
    public static int Format(long value, Span<byte> text)
    {
        Invariant.Check(Utf8Formatter.TryFormat(value, text, out int written), "no room to write an integer");
        return written;
    }

    /// <summary>Number of characters of an integer.</summary>
    public static int LengthOf(long value)
    {
        int length = value < 0 ? 2 : 1;
        ulong rest = value < 0 ? 0 - (ulong)value : (ulong)value;
        while (rest >= 10)
        {
            rest /= 10;
            length++;
        }

        return length;
    }
}
