using System.Globalization;

namespace KvServer.Resp;

/// <summary>Reads doubles with the grammar and the limits of C's <c>strtod</c>.</summary>
internal static class DoubleParser
{
    private const NumberStyles DecimalStyle =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    public static bool TryParse(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        FloatText parts = default;
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
        }
        else if (!double.TryParse(text, DecimalStyle, CultureInfo.InvariantCulture, out value))
        {
            return false;
        }

        // Out of range in either direction is an error, though a zero that was written as one is not.
        return double.IsFinite(value) && (value != 0 || parts.IsZero);
    }
}
