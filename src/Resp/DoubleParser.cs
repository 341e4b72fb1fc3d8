using System.Globalization;

namespace KvServer.Resp;

/// <summary>Reads doubles with the grammar and the limits of C's <c>strtod</c>.</summary>
internal static class DoubleParser
{
    private const NumberStyles DecimalStyle =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    public static bool TryParse(ReadOnlySpan<byte> text, out double value)
    {
        FloatText parts = default;

        // Out of range in either direction is an error, though a zero that was written as one is not.
        return TryRead(text, ref parts, out value)
            && (parts.IsInfinity || (double.IsFinite(value) && (value != 0 || parts.IsZero)));
    }

    /// <summary>Reads what <c>strtod</c> makes of a C string, if it reads all of it.</summary>
    /// <param name="text">The string, up to its end or a NUL.</param>
    /// <param name="value">The number.</param>
    /// <param name="refusesRangeErrors">Whether the result is false where <c>strtod</c> sets <c>ERANGE</c>: beyond the
    /// largest number, and where digits are lost below the smallest normal one.</param>
    public static bool TryParseWhole(ReadOnlySpan<byte> text, out double value, bool refusesRangeErrors)
    {
        value = 0;
        int end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        FloatText parts = default;
        if (text.IsEmpty)
        {
            return true;
        }

        if (!TryRead(text.TrimStart(" \t\n\v\f\r"u8), ref parts, out value))
        {
            return false;
        }

        // No decimal text of a subnormal number that anybody would write is exact; hexadecimal ones are.
        bool isInRange = parts.IsInfinity
            || parts.IsZero
            || double.IsNormal(value)
            || (parts.IsHexadecimal && double.IsSubnormal(value));
        return isInRange || !refusesRangeErrors;
    }

    private static bool TryRead(ReadOnlySpan<byte> text, ref FloatText parts, out double value)
    {
        value = 0;
        if (!FloatText.TryRead(text, ref parts))
        {
            return false;
        }

        if (parts.IsInfinity)
        {
            value = parts.IsNegative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        if (parts.IsHexadecimal)
        {
            if (text.Length > ExtendedDouble.MaxChars)
            {
                return false; // Nobody means it, and reading it takes quadratic time.
            }

            value = ExtendedDouble.HexadecimalToDouble(parts);
            return true;
        }

        return double.TryParse(text, DecimalStyle, CultureInfo.InvariantCulture, out value);
    }
}
