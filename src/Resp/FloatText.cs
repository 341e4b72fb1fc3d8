namespace KvServer.Resp;

/// <summary>The parts of a floating-point number as C's <c>strtod</c> and <c>strtold</c> read it.</summary>
/// <remarks>A sign, then <c>inf</c> or <c>infinity</c>, or decimal digits with an exponent to ten, or <c>0x</c> and
/// hexadecimal digits with an exponent to two. NaN is refused, as are spaces and anything behind the number.</remarks>
internal ref struct FloatText
{
    // Far outside the range of any format, and far from overflowing when lengths are added to it.
    private const int ExponentBound = 100_000_000;

    public bool IsNegative;
    public bool IsInfinity;
    public bool IsHexadecimal;
    public bool IsZero;

    /// <summary>The digits in front of the point.</summary>
    public ReadOnlySpan<byte> Whole;

    /// <summary>The digits behind the point.</summary>
    public ReadOnlySpan<byte> Fraction;

    /// <summary>The exponent as written: of ten, or of two for a hexadecimal number; clamped to +-100 million.</summary>
    public int Exponent;

    public static bool TryRead(ReadOnlySpan<byte> text, ref FloatText parts)
    {
        int at = 0;
        if (at < text.Length && text[at] is (byte)'-' or (byte)'+')
        {
            parts.IsNegative = text[at] == '-';
            at++;
        }

        ReadOnlySpan<byte> rest = text[at..];
        if (EqualsIgnoreCase(rest, "inf"u8) || EqualsIgnoreCase(rest, "infinity"u8))
        {
            parts.IsInfinity = true;
            return true;
        }

        if (rest.Length > 2 && rest[0] == '0' && (rest[1] | 0x20) == 'x')
        {
            parts.IsHexadecimal = true;
            rest = rest[2..];
        }

        at = CountDigits(rest, parts.IsHexadecimal);
        parts.Whole = rest[..at];
        if (at < rest.Length && rest[at] == '.')
        {
            int fraction = CountDigits(rest[(at + 1)..], parts.IsHexadecimal);
            parts.Fraction = rest.Slice(at + 1, fraction);
            at += 1 + fraction;
        }

        if (parts.Whole.IsEmpty && parts.Fraction.IsEmpty)
        {
            return false;
        }

        parts.IsZero = !parts.Whole.ContainsAnyExcept((byte)'0') && !parts.Fraction.ContainsAnyExcept((byte)'0');
        if (at == rest.Length)
        {
            return true;
        }

        return (rest[at] | 0x20) == (parts.IsHexadecimal ? 'p' : 'e') && TryReadExponent(rest[(at + 1)..], ref parts);
    }

    private static bool TryReadExponent(ReadOnlySpan<byte> text, ref FloatText parts)
    {
        bool negative = false;
        if (!text.IsEmpty && text[0] is (byte)'-' or (byte)'+')
        {
            negative = text[0] == '-';
            text = text[1..];
        }

        if (text.IsEmpty || CountDigits(text, hexadecimal: false) != text.Length)
        {
            return false;
        }

        int exponent = 0;
        foreach (byte b in text)
        {
            exponent = Math.Min(ExponentBound, (exponent * 10) + (b - '0'));
        }

        parts.Exponent = negative ? -exponent : exponent;
        return true;
    }

    private static int CountDigits(ReadOnlySpan<byte> text, bool hexadecimal)
    {
        int count = 0;
        while (count < text.Length
            && (hexadecimal ? char.IsAsciiHexDigit((char)text[count]) : char.IsAsciiDigit((char)text[count])))
        {
            count++;
        }

        return count;
    }

    private static bool EqualsIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower)
    {
        if (text.Length != lower.Length)
        {
            return false;
        }

        for (int i = 0; i < text.Length; i++)
        {
            if ((text[i] | 0x20) != lower[i])
            {
                return false;
            }
        }

        return true;
    }
}
