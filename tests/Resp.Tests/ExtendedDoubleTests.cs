using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class ExtendedDoubleTests
{
    private static ExtendedDouble Parse(string text)
    {
        Assert.True(ExtendedDouble.TryParse(Bytes(text), out ExtendedDouble value), text);
        return value;
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-0.0, "0")]
    [InlineData(0.1, "0.10000000000000001")]
    [InlineData(-180, "-180")]
    [InlineData(13.36138933897018433, "13.36138933897018433")]
    [InlineData(3.814697265625e-6, "0.00000381469726562")] // Halfway between two: the even one.
    [InlineData(1e-300, "0")]
    [InlineData(5e-324, "0")]
    [InlineData(1e22, "10000000000000000000000")]
    [InlineData(double.PositiveInfinity, "inf")]
    [InlineData(double.NegativeInfinity, "-inf")]
    [InlineData(double.NaN, "nan")]
    public void A_double_is_taken_as_it_is(double value, string text) =>
        Assert.Equal(text, ExtendedDouble.FromDouble(value).ToString());

    [Theory]
    [InlineData("10.50", "0.1", "10.6")]
    [InlineData("5.0e3", "200", "5200")]
    [InlineData("3.0", "1.1", "4.1")]
    [InlineData("0.1", "0.2", "0.3")]
    [InlineData("1", "-1", "0")]
    [InlineData("-0", "-0", "0")]
    [InlineData("1e17", "0.5", "100000000000000000.5")]
    [InlineData("9223372036854775807", "1", "9223372036854775808")]
    [InlineData("18446744073709551615", "1", "18446744073709551616")]
    [InlineData("18446744073709551616", "1", "18446744073709551616")]
    public void Sums_are_those_users_expect(string left, string right, string sum) =>
        Assert.Equal(sum, (Parse(left) + Parse(right)).ToString());

    [Fact]
    public void Sums_are_those_of_the_reference_server()
    {
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Samples", "extended-sums.txt")))
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            string[] parts = line.Split('|');
            string actual = "!";
            if (ExtendedDouble.TryParse(Bytes(parts[0]), out ExtendedDouble left)
                && ExtendedDouble.TryParse(Bytes(parts[1]), out ExtendedDouble right))
            {
                ExtendedDouble sum = left + right;
                actual = sum.IsFinite ? sum.ToString() : "!!";
            }

            Assert.True(parts[2] == actual, $"{line}: {actual}");
        }
    }

    [Fact]
    public void Infinity_and_its_opposite_are_no_number()
    {
        Assert.False((Parse("inf") + Parse("1")).IsFinite);
        Assert.Equal("nan", (Parse("inf") + Parse("-inf")).ToString());
        Assert.Equal("-inf", (Parse("-inf") + Parse("-inf")).ToString());
    }

    [Theory]
    [InlineData("1e999999999999")]
    [InlineData("1e-999999999999")]
    [InlineData("1e4933")]
    [InlineData("0x1p16384")]
    [InlineData("0x1p-16446")]
    public void Numbers_out_of_range_are_refused(string text) =>
        Assert.False(ExtendedDouble.TryParse(Bytes(text), out _));

    [Fact]
    public void A_text_longer_than_the_reference_server_takes_is_refused()
    {
        Assert.True(ExtendedDouble.TryParse(Bytes(new string('0', 5119)), out _));
        Assert.False(ExtendedDouble.TryParse(Bytes(new string('0', 5120)), out _));
    }

    [Fact]
    public void The_largest_value_fits_the_format()
    {
        ExtendedDouble largest = Parse("0x1.fffffffffffffffep16383");
        Assert.Equal(4933, largest.ToString().Length);
        Assert.False((largest + largest).IsFinite);
    }

    [Fact]
    public void Equal_values_have_one_form()
    {
        Assert.Equal(Parse("0.5"), Parse("0x1p-1"));
        Assert.True(Parse("1") == Parse("0.25") + Parse("0.75"));
        Assert.True(Parse("1") != Parse("1.0000000000000000001"));
        Assert.Equal(Parse("4").GetHashCode(), (Parse("1") + Parse("3")).GetHashCode());
    }
}
