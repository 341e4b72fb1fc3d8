using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace KvServer.Resp;

/// <summary>Integers and doubles as clients write and expect them.</summary>
/// <remarks>The one home of reading numbers from client bytes and of writing them. Allocates nothing.</remarks>
public static class Numbers
{
    /// <summary>The most characters of a 64-bit integer, sign included.</summary>
    public const int MaxInt64Chars = 20;

    /// <summary>The most bytes <see cref="FormatLine"/> writes.</summary>
    public const int MaxLineBytes = 1 + MaxInt64Chars + 2;

    /// <summary>The most characters <see cref="FormatDouble"/> writes.</summary>
    public const int MaxDoubleChars = 32;

    /// <summary>Reads a 64-bit signed integer in its one canonical spelling.</summary>
    /// <returns>False for anything that <see cref="FormatInt64"/> would not write: spaces, <c>+1</c>, <c>-0</c>,
    /// leading zeros, an empty span, values out of range.</returns>
    public static bool TryParseInt64(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > MaxInt64Chars)
        {
            return false;
        }

        bool negative = text[0] == '-';
        ReadOnlySpan<byte> digits = negative ? text[1..] : text;
        if (digits.IsEmpty || digits.Length > 19)
        {
            return false;
        }

        if (digits[0] == '0')
        {
            return digits.Length == 1 && !negative;
        }

        ulong magnitude = 0;
        foreach (byte b in digits)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9)
            {
                return false;
            }

            magnitude = (magnitude * 10) + digit; // 19 digits never wrap an unsigned 64-bit integer.
        }

        if (magnitude > (negative ? 1UL << 63 : long.MaxValue))
        {
            return false;
        }

        value = negative ? (long)(0 - magnitude) : (long)magnitude;
        return true;
    }

    /// <summary>Reads an unsigned 64-bit integer in its canonical spelling, as for cursors.</summary>
    public static bool TryParseUInt64(ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > MaxInt64Chars || (text[0] == '0' && text.Length > 1))
        {
            return false;
        }

        foreach (byte b in text)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9 || value > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }

            value = (value * 10) + digit;
        }

        return true;
    }

    /// <summary>The number of decimal digits; 1 for 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountDigits(ulong value)
    {
        int digits = 1;
        while (value >= 10_000)
        {
            value /= 10_000;
            digits += 4;
        }

        return value < 100
            ? (value < 10 ? digits : digits + 1)
            : (value < 1000 ? digits + 2 : digits + 3);
    }

    /// <summary>Writes an integer in decimal.</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxInt64Chars"/>; the target must hold them.</returns>
    public static int FormatInt64(long value, Span<byte> target)
    {
        bool fits = Utf8Formatter.TryFormat(value, target, out int length);
        Debug.Assert(fits, "The target must hold every digit.");
        return length;
    }

    /// <summary>Writes a line of the protocol: the sign of a type, an integer, the line's end.</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxLineBytes"/>; the target must hold them.</returns>
    public static int FormatLine(byte type, long value, Span<byte> target)
    {
        target[0] = type;
        int at = 1 + FormatInt64(value, target[1..]);
        target[at] = (byte)'\r';
        target[at + 1] = (byte)'\n';
        return at + 2;
    }

    /// <summary>Writes an unsigned integer in decimal.</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxInt64Chars"/>; the target must hold them.</returns>
    public static int FormatUInt64(ulong value, Span<byte> target)
    {
        bool fits = Utf8Formatter.TryFormat(value, target, out int length);
        Debug.Assert(fits, "The target must hold every digit.");
        return length;
    }

    /// <summary>Reads a double the way C's <c>strtod</c> does, all of the text and nothing else.</summary>
    /// <returns>False for an empty text, leading or trailing spaces, NaN, and numbers too large or too small to
    /// represent. Accepts <c>inf</c>, <c>infinity</c> and hexadecimal numbers such as <c>0x1p3</c>.</returns>
    public static bool TryParseDouble(ReadOnlySpan<byte> text, out double value) => DoubleParser.TryParse(text, out value);

    /// <summary>Reads an end of a range of scores, which the reference server takes less strictly: leading spaces are
    /// passed by, nothing at all is 0, numbers out of range become infinity or 0, and a NUL ends the text.</summary>
    /// <returns>False for anything else that is no number, and for NaN.</returns>
    public static bool TryParseRangeEnd(ReadOnlySpan<byte> text, out double value) =>
        DoubleParser.TryParseWhole(text, out value, refusesRangeErrors: false);

    /// <summary>Reads a number to sort by: like the end of a range, but numbers out of range are refused.</summary>
    /// <returns>False for anything that is no number, for NaN, and for numbers too large or too small to
    /// represent.</returns>
    public static bool TryParseSortKey(ReadOnlySpan<byte> text, out double value) =>
        DoubleParser.TryParseWhole(text, out value, refusesRangeErrors: true);

    /// <summary>Writes a double with 17 significant digits in the shortest of fixed and exponent form (<c>%.17g</c>).</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxDoubleChars"/>.</returns>
    public static int FormatDouble(double value, Span<byte> target)
    {
        if (!double.IsFinite(value))
        {
            ReadOnlySpan<byte> name = double.IsNaN(value) ? (double.IsNegative(value) ? "-nan"u8 : "nan"u8)
                : value > 0 ? "inf"u8 : "-inf"u8;
            name.CopyTo(target);
            return name.Length;
        }

        // Integers of up to 17 digits, the most common scores, are their own shortest form. Not so minus zero.
        if (Math.Abs(value) < 1e17 && (long)value == value && (value != 0 || !double.IsNegative(value)))
        {
            return FormatInt64((long)value, target);
        }

        // Sixteen decimals of scientific notation: d.dddddddddddddddde+ddd, exact in .NET as in C.
        Span<byte> scientific = stackalloc byte[MaxDoubleChars];
        bool fits = value.TryFormat(scientific, out int length, "e16", CultureInfo.InvariantCulture);
        Debug.Assert(fits, "A double in scientific notation has at most 25 characters.");
        int at = 0;
        if (scientific[0] == '-')
        {
            target[at++] = (byte)'-';
            scientific = scientific[1..];
            length--;
        }

        int mark = scientific[..length].IndexOf((byte)'e');
        int exponent = 0;
        foreach (byte digit in scientific[(mark + 2)..length])
        {
            exponent = (exponent * 10) + digit - '0';
        }

        exponent = scientific[mark + 1] == '-' ? -exponent : exponent;
        Span<byte> digits = stackalloc byte[17];
        digits[0] = scientific[0];
        scientific[2..mark].CopyTo(digits[1..]);
        int count = digits.Length;
        while (count > 1 && digits[count - 1] == '0')
        {
            count--;
        }

        return at + (exponent is < -4 or >= 17
            ? WriteScientific(digits[..count], exponent, target[at..])
            : WriteFixed(digits[..count], exponent, target[at..]));
    }

    private static int WriteScientific(ReadOnlySpan<byte> digits, int exponent, Span<byte> target)
    {
        int at = 0;
        target[at++] = digits[0];
        if (digits.Length > 1)
        {
            target[at++] = (byte)'.';
            digits[1..].CopyTo(target[at..]);
            at += digits.Length - 1;
        }

        target[at++] = (byte)'e';
        target[at++] = exponent < 0 ? (byte)'-' : (byte)'+';
        int magnitude = Math.Abs(exponent);
        if (magnitude < 10)
        {
            target[at++] = (byte)'0';
        }

        return at + FormatUInt64((ulong)magnitude, target[at..]);
    }

    private static int WriteFixed(ReadOnlySpan<byte> digits, int exponent, Span<byte> target)
    {
        int at = 0;
        if (exponent < 0)
        {
            target[at++] = (byte)'0';
            target[at++] = (byte)'.';
            target.Slice(at, -exponent - 1).Fill((byte)'0');
            at += -exponent - 1;
            digits.CopyTo(target[at..]);
            return at + digits.Length;
        }

        int whole = exponent + 1;
        if (digits.Length <= whole)
        {
            digits.CopyTo(target);
            target[digits.Length..whole].Fill((byte)'0');
            return whole;
        }

        digits[..whole].CopyTo(target);
        target[whole] = (byte)'.';
        digits[whole..].CopyTo(target[(whole + 1)..]);
        return digits.Length + 1;
    }
}
