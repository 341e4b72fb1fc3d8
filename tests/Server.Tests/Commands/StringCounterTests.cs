using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class StringCounterTests : CommandHarness
{
    [Fact]
    public void Counters_start_at_zero_and_keep_their_expiry()
    {
        Assert.Equal(1L, Run("INCR", "k"));
        Run("EXPIRE", "k", "100");
        Assert.Equal(11L, Run("INCRBY", "k", "10"));
        Assert.Equal(10L, Run("DECR", "k"));
        Assert.Equal(-5L, Run("DECRBY", "k", "15"));
        Assert.Equal("-5", Run("GET", "k"));
        Assert.Equal(100L, Run("TTL", "k"));
        Assert.Equal("int", Run("OBJECT", "ENCODING", "k"));
    }

    [Theory]
    [InlineData("9223372036854775807", "INCRBY", "1")]
    [InlineData("-9223372036854775808", "DECRBY", "1")]
    [InlineData("-1", "INCRBY", "-9223372036854775808")]
    [InlineData("1", "INCRBY", "9223372036854775807")]
    public void Overflow_is_refused_and_changes_nothing(string value, string command, string by)
    {
        Run("SET", "k", value);
        Assert.Equal("ERR increment or decrement would overflow", Error(command, "k", by));
        Assert.Equal(value, Run("GET", "k"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1.0")]
    [InlineData("9223372036854775808")]
    public void Only_integers_count(string value)
    {
        Run("SET", "k", value);
        Assert.Equal("ERR value is not an integer or out of range", Error("INCR", "k"));
        Assert.Equal("ERR value is not an integer or out of range", Error("INCRBY", "n", value));
    }

    [Fact]
    public void The_smallest_integer_cannot_be_taken_away()
    {
        Assert.Equal("ERR decrement would overflow", Error("DECRBY", "k", "-9223372036854775808"));
    }

    [Theory]
    [InlineData("10.50", "0.1", "10.6")]
    [InlineData("5.0e3", "2.0e2", "5200")]
    [InlineData("3", "0", "3")]
    [InlineData("0.1", "0.2", "0.3")]
    [InlineData("1", "-1", "0")]
    [InlineData("-0.5", "0.25", "-0.25")]
    public void IncrByFloat_replies_and_stores_the_shortest_fixed_form(string value, string by, string expected)
    {
        Run("SET", "k", value, "EX", "100");
        Assert.Equal(expected, Run("INCRBYFLOAT", "k", by));
        Assert.Equal(expected, Run("GET", "k"));
        Assert.Equal("embstr", Run("OBJECT", "ENCODING", "k"));
        Assert.Equal(100L, Run("TTL", "k"));
    }

    [Fact]
    public void IncrByFloat_refuses_what_is_no_number()
    {
        Run("SET", "k", "abc");
        Assert.Equal("ERR value is not a valid float", Error("INCRBYFLOAT", "k", "1"));
        Assert.Equal("ERR value is not a valid float", Error("INCRBYFLOAT", "n", "x"));
        Assert.Equal("ERR increment would produce NaN or Infinity", Error("INCRBYFLOAT", "n", "inf"));
        Assert.Equal(0L, Run("EXISTS", "n"));
    }

    [Fact]
    public void A_sum_of_random_increments_is_exact()
    {
        Random random = new(5);
        Int128 sum = 0;
        for (int i = 0; i < 500; i++)
        {
            long by = random.NextInt64(-1_000_000_000_000, 1_000_000_000_000);
            sum += by;
            Assert.Equal((long)sum, Run("INCRBY", "k", by.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
