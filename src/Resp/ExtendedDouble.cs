using System.Globalization;
using System.Numerics;

namespace KvServer.Resp;

/// <summary>An 80-bit extended-precision number, as INCRBYFLOAT and HINCRBYFLOAT calculate with.</summary>
/// <remarks>
/// <para>The reference server adds in C's <c>long double</c>, which on x86-64 Linux is the x87 format: a sign, a 64-bit
/// mantissa with an explicit leading one, a 15-bit exponent. Its replies show 17 decimals of the sum, so 0.1 + 0.2 is
/// 0.3 where a double would give 0.30000000000000004. .NET has no such type; this is it in software, for the three
/// operations needed: read, add, write. Each is exact and then rounded once, to the nearest, ties to even, as the
/// processor and glibc do.</para>
/// <code>
/// value = (-1)^sign * mantissa * 2^exponent
/// normal:      mantissa in [2^63, 2^64), exponent in [-16445, 16320]
/// subnormal:   mantissa below 2^63, exponent -16445
/// zero:        mantissa 0
/// </code>
/// <para>Numbers in everyday range take a few hundred nanoseconds. Big integers are used where the exponent is large, so
/// this may allocate. Immutable, any thread.</para>
/// </remarks>
public readonly struct ExtendedDouble : IEquatable<ExtendedDouble>
{
    /// <summary>The most characters <see cref="Format"/> writes.</summary>
    public const int MaxChars = 5 * 1024;

    private const int MantissaBits = 64;
    private const int MinExponent = -16445;
    private const int MaxExponent = 16320;
    private const int Decimals = 17;
    private const ulong DecimalsScale = 100_000_000_000_000_000;

    // More digits in front of the point than any finite value has; more zeros behind it than any but zero.
    private const int OverflowDigits = 4940;
    private const int UnderflowDigits = -5000;

    private readonly ulong _mantissa;
    private readonly int _exponent;
    private readonly bool _negative;
    private readonly Kind _kind;

    private enum Kind : byte
    {
        Finite,
        Infinite,
        NotANumber,
    }

    private ExtendedDouble(bool negative, ulong mantissa, int exponent, Kind kind = Kind.Finite)
    {
        _negative = negative;
        _mantissa = mantissa;
        _exponent = exponent;
        _kind = kind;
    }

    /// <summary>Whether this is neither infinite nor NaN.</summary>
    public bool IsFinite => _kind == Kind.Finite;

    /// <summary>Reads a number the way C's <c>strtold</c> does, all of the text and nothing else.</summary>
    /// <returns>False for empty or longer text than the reference server takes, spaces, NaN, and values out of range;
    /// <c>inf</c> is accepted.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out ExtendedDouble value)
    {
        value = default;
        FloatText parts = default;
        if (text.Length >= MaxChars || !FloatText.TryRead(text, ref parts))
        {
            return false;
        }

        if (parts.IsInfinity)
        {
            value = new ExtendedDouble(parts.IsNegative, 0, 0, Kind.Infinite);
            return true;
        }

        value = parts.IsZero ? new ExtendedDouble(parts.IsNegative, 0, 0) : FromText(parts);
        return value.IsFinite && (value._mantissa != 0 || parts.IsZero);
    }

    /// <summary>A double as it is: every one of them has an exact equal here.</summary>
    public static ExtendedDouble FromDouble(double value)
    {
        if (!double.IsFinite(value))
        {
            return new ExtendedDouble(
                double.IsNegative(value), 0, 0, double.IsNaN(value) ? Kind.NotANumber : Kind.Infinite);
        }

        if (value == 0)
        {
            return new ExtendedDouble(double.IsNegative(value), 0, 0);
        }

        int exponent = Math.ILogB(value) - (MantissaBits - 1);
        return new ExtendedDouble(value < 0, (ulong)Math.ScaleB(Math.Abs(value), -exponent), exponent);
    }

    /// <summary>Adds two numbers, rounding once.</summary>
    public static ExtendedDouble operator +(ExtendedDouble left, ExtendedDouble right)
    {
        if (!left.IsFinite || !right.IsFinite)
        {
            return AddSpecial(left, right);
        }

        if (left._mantissa == 0 || right._mantissa == 0)
        {
            return left._mantissa != 0 ? left
                : right._mantissa != 0 ? right
                : new ExtendedDouble(left._negative && right._negative, 0, 0);
        }

        int exponent = Math.Min(left._exponent, right._exponent);
        BigInteger sum = left.Scaled(exponent) + right.Scaled(exponent);
        return sum.IsZero ? default : Round(sum.Sign < 0, BigInteger.Abs(sum), sticky: false, exponent);
    }

    /// <summary>Adds two numbers, rounding once.</summary>
    public static ExtendedDouble Add(ExtendedDouble left, ExtendedDouble right) => left + right;

    /// <summary>Writes the number with up to 17 decimals, without trailing zeros, never with an exponent.</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxChars"/>.</returns>
    public int Format(Span<byte> target)
    {
        if (!IsFinite)
        {
            ReadOnlySpan<byte> name = _kind == Kind.NotANumber ? "nan"u8 : _negative ? "-inf"u8 : "inf"u8;
            name.CopyTo(target);
            return name.Length;
        }

        ulong whole = 0;
        ulong fraction = 0;
        string? large = null;
        if (_exponent >= 0)
        {
            large = ((BigInteger)_mantissa << _exponent).ToString(CultureInfo.InvariantCulture);
        }
        else
        {
            UInt128 scaled = RoundedShift((UInt128)_mantissa * DecimalsScale, -_exponent);
            whole = (ulong)(scaled / DecimalsScale);
            fraction = (ulong)(scaled % DecimalsScale);
        }

        int at = 0;
        if (_negative && (large is not null ? _mantissa != 0 : (whole | fraction) != 0))
        {
            target[at++] = (byte)'-';
        }

        if (large is not null)
        {
            return at + System.Text.Encoding.ASCII.GetBytes(large, target[at..]);
        }

        at += Numbers.FormatUInt64(whole, target[at..]);
        return fraction == 0 ? at : at + FormatFraction(fraction, target[at..]);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> text = stackalloc byte[MaxChars];
        return System.Text.Encoding.ASCII.GetString(text[..Format(text)]);
    }

    /// <inheritdoc/>
    public bool Equals(ExtendedDouble other) => _mantissa == other._mantissa && _exponent == other._exponent
        && _negative == other._negative && _kind == other._kind;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ExtendedDouble other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_mantissa, _exponent, _negative, _kind);

    /// <summary>Whether two numbers are the same, bit for bit.</summary>
    public static bool operator ==(ExtendedDouble left, ExtendedDouble right) => left.Equals(right);

    /// <summary>Whether two numbers differ in any bit.</summary>
    public static bool operator !=(ExtendedDouble left, ExtendedDouble right) => !left.Equals(right);

    /// <summary>A hexadecimal number as a double, rounded once; infinite when it is too large.</summary>
    internal static double HexadecimalToDouble(in FloatText parts)
    {
        BigInteger digits = ReadDigits(parts, digitBase: 16);
        (ulong mantissa, int exponent) = RoundTo(
            digits, sticky: false, Math.Clamp(parts.Exponent - (4L * parts.Fraction.Length), -200_000, 200_000), 53, -1074);
        double value = Math.ScaleB((double)mantissa, exponent);
        return parts.IsNegative ? -value : value;
    }

    private static ExtendedDouble AddSpecial(ExtendedDouble left, ExtendedDouble right)
    {
        if (left._kind == Kind.NotANumber || right._kind == Kind.NotANumber
            || (!left.IsFinite && !right.IsFinite && left._negative != right._negative))
        {
            return new ExtendedDouble(negative: false, 0, 0, Kind.NotANumber);
        }

        return left.IsFinite ? right : left;
    }

    private static ExtendedDouble FromText(in FloatText parts)
    {
        if (parts.IsHexadecimal)
        {
            long scale = Math.Clamp(parts.Exponent - (4L * parts.Fraction.Length), -200_000, 200_000);
            return Round(parts.IsNegative, ReadDigits(parts, digitBase: 16), sticky: false, scale);
        }

        int exponent = parts.Exponent - parts.Fraction.Length;
        ReadOnlySpan<byte> whole = parts.Whole.TrimStart((byte)'0');
        int leadingZeros = whole.IsEmpty ? parts.Fraction.IndexOfAnyExcept((byte)'0') : 0;
        int pointAt = whole.Length - leadingZeros + parts.Exponent;
        if (pointAt > OverflowDigits)
        {
            return new ExtendedDouble(parts.IsNegative, 0, 0, Kind.Infinite);
        }

        if (pointAt < UnderflowDigits)
        {
            return new ExtendedDouble(parts.IsNegative, 0, 0);
        }

        BigInteger digits = ReadDigits(parts, digitBase: 10);
        if (exponent >= 0)
        {
            return Round(parts.IsNegative, digits * BigInteger.Pow(10, exponent), sticky: false, 0);
        }

        // A quotient with two bits more than the mantissa, and whether anything was left over, is all rounding needs.
        BigInteger divisor = BigInteger.Pow(10, -exponent);
        long shift = MantissaBits + 2 - (digits.GetBitLength() - divisor.GetBitLength());
        BigInteger quotient = shift >= 0
            ? BigInteger.DivRem(digits << (int)shift, divisor, out BigInteger rest)
            : BigInteger.DivRem(digits, divisor << (int)-shift, out rest);
        return Round(parts.IsNegative, quotient, sticky: !rest.IsZero, -shift);
    }

    private static BigInteger ReadDigits(in FloatText parts, int digitBase)
    {
        BigInteger value = BigInteger.Zero;
        AddDigits(ref value, parts.Whole, digitBase);
        AddDigits(ref value, parts.Fraction, digitBase);
        return value;
    }

    /// <summary>Appends digits, as many at a time as fit in 64 bits.</summary>
    private static void AddDigits(ref BigInteger value, ReadOnlySpan<byte> digits, int digitBase)
    {
        const int DigitsAtOnce = 15;
        while (!digits.IsEmpty)
        {
            int count = Math.Min(DigitsAtOnce, digits.Length);
            ulong chunk = 0;
            ulong scale = 1;
            foreach (byte b in digits[..count])
            {
                int digit = b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;
                chunk = (chunk * (ulong)digitBase) + (ulong)digit;
                scale *= (ulong)digitBase;
            }

            value = (value * scale) + chunk;
            digits = digits[count..];
        }
    }

    private static ExtendedDouble Round(bool negative, BigInteger value, bool sticky, long exponent)
    {
        (ulong mantissa, int rounded) = RoundTo(value, sticky, exponent, MantissaBits, MinExponent);
        return rounded > MaxExponent && mantissa != 0
            ? new ExtendedDouble(negative, 0, 0, Kind.Infinite)
            : new ExtendedDouble(negative, mantissa, mantissa == 0 ? 0 : rounded);
    }

    /// <summary>Rounds <c>value * 2^exponent</c>, or a little more when <paramref name="sticky"/>, to a mantissa of so
    /// many bits: to the nearest, ties to even; fewer bits where the exponent would fall under its minimum.</summary>
    private static (ulong Mantissa, int Exponent) RoundTo(
        BigInteger value, bool sticky, long exponent, int bits, int minExponent)
    {
        long length = value.GetBitLength();
        long drop = Math.Max(length - bits, minExponent - exponent);
        if (drop <= 0)
        {
            // Exact. Fill the mantissa so that a value has one form only.
            int fill = (int)Math.Min(bits - length, exponent - minExponent);
            return ((ulong)(value << fill), (int)(exponent - fill));
        }

        if (drop > length + 1)
        {
            return (0, minExponent);
        }

        BigInteger kept = value >> (int)drop;
        BigInteger dropped = value - (kept << (int)drop);
        int comparison = dropped.CompareTo(BigInteger.One << (int)(drop - 1));
        if (comparison > 0 || (comparison == 0 && (sticky || !kept.IsEven)))
        {
            kept += BigInteger.One;
        }

        long result = exponent + drop;
        if (kept.GetBitLength() > bits)
        {
            kept >>= 1;
            result++;
        }

        return ((ulong)kept, (int)result);
    }

    private BigInteger Scaled(int exponent)
    {
        BigInteger value = (BigInteger)_mantissa << (_exponent - exponent);
        return _negative ? -value : value;
    }

    private static UInt128 RoundedShift(UInt128 value, int count)
    {
        if (count > 127)
        {
            return UInt128.Zero; // At most 121 bits are set: this is less than a half.
        }

        UInt128 kept = value >> count;
        UInt128 dropped = value - (kept << count);
        UInt128 half = UInt128.One << (count - 1);
        return dropped > half || (dropped == half && UInt128.IsOddInteger(kept)) ? kept + UInt128.One : kept;
    }

    private static int FormatFraction(ulong fraction, Span<byte> target)
    {
        int count = Decimals;
        while (fraction % 10 == 0)
        {
            fraction /= 10;
            count--;
        }

        target[0] = (byte)'.';
        for (int i = count; i > 0; i--)
        {
            target[i] = (byte)('0' + (int)(fraction % 10));
            fraction /= 10;
        }

        return count + 1;
    }
}
