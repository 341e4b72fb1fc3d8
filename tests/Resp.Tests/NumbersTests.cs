using System.Globalization;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class NumbersTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("7", 7)]
    [InlineData("-1", -1)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("1000000000000000000", 1000000000000000000)]
    public void An_integer_is_read_from_its_canonical_spelling(string text, long value)
    {
        Assert.True(Numbers.TryParseInt64(Bytes(text), out long actual));
        Assert.Equal(value, actual);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-0")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("-01")]
    [InlineData("00")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("1a")]
    [InlineData("--1")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("99999999999999999999")]
    [InlineData("18446744073709551617")]
    [InlineData("100000000000000000000")]
    public void Any_other_spelling_is_refused(string text) => Assert.False(Numbers.TryParseInt64(Bytes(text), out _));

    [Theory]
    [InlineData("0", 0UL)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    [InlineData("18446744073709551610", ulong.MaxValue - 5)]
    public void An_unsigned_integer_is_read(string text, ulong value)
    {
        Assert.True(Numbers.TryParseUInt64(Bytes(text), out ulong actual));
        Assert.Equal(value, actual);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("01")]
    [InlineData("18446744073709551616")]
    [InlineData("99999999999999999999")]
    [InlineData("184467440737095516150")]
    public void An_unsigned_integer_out_of_range_is_refused(string text) =>
        Assert.False(Numbers.TryParseUInt64(Bytes(text), out _));

    [Fact]
    public void Integers_are_written_as_they_are_read()
    {
        var random = new Random(5);
        Span<byte> text = stackalloc byte[Numbers.MaxInt64Chars];
        for (int i = 0; i < 20_000; i++)
        {
            long value = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            int length = Numbers.FormatInt64(value, text);
            Assert.Equal(value.ToString(CultureInfo.InvariantCulture), Text(text[..length]));
            Assert.True(Numbers.TryParseInt64(text[..length], out long read));
            Assert.Equal(value, read);
        }
    }

    [Fact]
    public void Digits_are_counted_at_every_power_of_ten()
    {
        ulong power = 1;
        for (int digits = 1; digits <= 20; digits++)
        {
            Assert.Equal(digits, Numbers.CountDigits(power));
            Assert.Equal(Math.Max(1, digits - 1), Numbers.CountDigits(power - 1));
            power *= 10;
        }

        Assert.Equal(20, Numbers.CountDigits(ulong.MaxValue));
    }

    [Fact]
    public void Doubles_are_read_and_written_as_the_reference_server_does()
    {
        Span<byte> target = stackalloc byte[Numbers.MaxDoubleChars];
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Samples", "doubles.txt")).Skip(1))
        {
            string[] parts = line.Split('|');
            bool accepted = Numbers.TryParseDouble(Bytes(parts[0].Replace("\\t", "\t")), out double value);
            string actual = accepted ? Text(target[..Numbers.FormatDouble(value, target)]) : "!";
            Assert.True(parts[1] == actual, $"{line}: {actual}");
        }
    }

    [Theory]
    [InlineData("", 0.0)]
    [InlineData("\0junk", 0.0)]
    [InlineData("1.5\0junk", 1.5)]
    [InlineData(" \t1", 1.0)]
    [InlineData("1e400", double.PositiveInfinity)]
    [InlineData("-1e400", double.NegativeInfinity)]
    [InlineData("1e-400", 0.0)]
    [InlineData("+inf", double.PositiveInfinity)]
    [InlineData("0x10", 16.0)]
    [InlineData(" ", null)]
    [InlineData("1 ", null)]
    [InlineData("nan", null)]
    [InlineData("(1", null)]
    public void An_end_of_a_range_is_read_as_a_c_string(string text, double? expected)
    {
        Assert.Equal(expected is not null, Numbers.TryParseRangeEnd(Bytes(text), out double value));
        Assert.Equal(expected ?? value, value);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(" 1\0junk", true)]
    [InlineData("inf", true)]
    [InlineData("-0x1p-1074", true)]
    [InlineData("2.2250738585072014e-308", true)]
    [InlineData("0e-999", true)]
    [InlineData("1e400", false)]
    [InlineData("1e-400", false)]
    [InlineData("2e-310", false)]
    [InlineData("0x1p-1080", false)]
    [InlineData("nan", false)]
    [InlineData("1 ", false)]
    public void A_number_to_sort_by_must_be_in_range(string text, bool accepted) =>
        Assert.Equal(accepted, Numbers.TryParseSortKey(Bytes(text), out _));

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-0.0, "-0")]
    [InlineData(99999999999999984.0, "99999999999999984")]
    [InlineData(-99999999999999984.0, "-99999999999999984")]
    [InlineData(1e17, "1e+17")]
    [InlineData(1e16, "10000000000000000")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1.0000000000000001e-05")]
    [InlineData(1e100, "1e+100")]
    [InlineData(5e-324, "4.9406564584124654e-324")]
    [InlineData(1.5, "1.5")]
    [InlineData(123456.5, "123456.5")]
    public void A_double_is_written_with_17_significant_digits(double value, string text)
    {
        Span<byte> target = stackalloc byte[Numbers.MaxDoubleChars];
        Assert.Equal(text, Text(target[..Numbers.FormatDouble(value, target)]));
    }

    [Fact]
    public void Not_a_number_is_written_by_name()
    {
        Span<byte> target = stackalloc byte[Numbers.MaxDoubleChars];
        Assert.Equal("nan", Text(target[..Numbers.FormatDouble(Math.Abs(double.NaN), target)]));
    }
}
