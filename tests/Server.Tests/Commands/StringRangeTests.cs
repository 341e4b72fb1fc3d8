using System.Globalization;
using KvServer.Server.Commands;

namespace KvServer.Server.Tests.Commands;

public sealed class StringRangeTests : CommandHarness
{
    private const string TooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

    [Fact]
    public void Append_creates_grows_and_keeps_the_expiry()
    {
        Assert.Equal(5L, Run("APPEND", "k", "hello"));
        Run("EXPIRE", "k", "100");
        Assert.Equal(11L, Run("APPEND", "k", " world"));
        Assert.Equal("hello world", Run("GET", "k"));
        Assert.Equal(100L, Run("TTL", "k"));
        Assert.Equal("raw", Run("OBJECT", "ENCODING", "k"));
    }

    [Fact]
    public void Appending_to_an_integer_makes_a_text()
    {
        Run("SET", "k", "12");
        Assert.Equal(3L, Run("APPEND", "k", "3"));
        Assert.Equal("123", Run("GET", "k"));
        Assert.Equal(124L, Run("INCR", "k"));
    }

    [Fact]
    public void Many_appends_equal_one_long_string()
    {
        string expected = "";
        for (int i = 0; i < 3000; i++)
        {
            string part = i.ToString(CultureInfo.InvariantCulture);
            expected += part;
            Assert.Equal((long)expected.Length, Run("APPEND", "k", part));
        }

        Assert.Equal(expected, Run("GET", "k"));
    }

    [Theory]
    [InlineData(0, 3, "This")]
    [InlineData(-3, -1, "ing")]
    [InlineData(0, -1, "This is a string")]
    [InlineData(10, 100, "string")]
    [InlineData(5, 3, "")]
    [InlineData(-1, -3, "")]
    [InlineData(100, 200, "")]
    [InlineData(-100, 1, "Th")]
    [InlineData(long.MinValue, long.MaxValue, "This is a string")]
    public void GetRange_returns_both_ends_and_what_is_between(long start, long end, string expected)
    {
        Run("SET", "k", "This is a string");
        string from = start.ToString(CultureInfo.InvariantCulture);
        string to = end.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(expected, Run("GETRANGE", "k", from, to));
        Assert.Equal(expected, Run("SUBSTR", "k", from, to));
    }

    [Fact]
    public void A_range_of_a_missing_key_is_empty()
    {
        Assert.Equal("", Run("GETRANGE", "k", "0", "-1"));
        Assert.Equal("ERR value is not an integer or out of range", Error("GETRANGE", "k", "0", "x"));
    }

    [Theory]
    [InlineData(2, 4, 3, 2, 1)]
    [InlineData(-5, -100, 3, 0, 0)]
    [InlineData(-100, -5, 3, 0, 1)]
    [InlineData(0, -1, 0, 0, 0)]
    [InlineData(0, 0, 1, 0, 1)]
    public void Ranges_are_cut_to_the_string(long start, long end, int length, int first, int expectedLength)
    {
        Assert.Equal((first, expectedLength), StringCommands.CutRange(start, end, length));
    }

    [Fact]
    public void SetRange_overwrites_and_fills_up_with_zeros()
    {
        Run("SET", "k", "Hello World");
        Assert.Equal(11L, Run("SETRANGE", "k", "6", "Redis"));
        Assert.Equal("Hello Redis", Run("GET", "k"));
        Assert.Equal(13L, Run("SETRANGE", "k", "12", "!"));
        Assert.Equal("Hello Redis\0!", Run("GET", "k"));
        Assert.Equal(7L, Run("SETRANGE", "new", "5", "ab"));
        Assert.Equal("\0\0\0\0\0ab", Run("GET", "new"));
    }

    [Fact]
    public void SetRange_with_an_empty_value_creates_nothing()
    {
        Assert.Equal(0L, Run("SETRANGE", "k", "10", ""));
        Assert.Equal(0L, Run("EXISTS", "k"));
        Run("SET", "k", "123");
        Assert.Equal(3L, Run("SETRANGE", "k", "10", ""));
        Assert.Equal("int", Run("OBJECT", "ENCODING", "k"));
    }

    [Fact]
    public void Strings_never_grow_beyond_the_limit()
    {
        Server.Config.ProtoMaxBulkLenBytes = 1024 * 1024;
        Assert.Equal(TooLong, Error("SETRANGE", "k", "1048576", "x"));
        Assert.Equal(TooLong, Error("SETRANGE", "k", "9223372036854775807", "x"));
        Assert.Equal(0L, Run("EXISTS", "k"));
        Assert.Equal(1_048_576L, Run("SETRANGE", "k", "1048575", "x"));
        Assert.Equal(TooLong, Error("APPEND", "k", "y"));
        Assert.Equal(1_048_576L, Run("STRLEN", "k"));
        Assert.Equal("ERR bit offset is not an integer or out of range", Error("SETBIT", "k", "8388608", "1"));
        Assert.Equal(0L, Run("SETBIT", "k", "8388607", "1"));
    }

    [Fact]
    public void Lcs_replies_with_the_text_its_length_or_its_places()
    {
        Run("MSET", "a", "ohmytext", "b", "mynewtext");
        Assert.Equal("mytext", Run("LCS", "a", "b"));
        Assert.Equal(6L, Run("LCS", "a", "b", "LEN"));
        Assert.Equal(
            "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
            Connect(protocol: 3).Raw("LCS", "a", "b", "IDX", "WITHMATCHLEN", "MINMATCHLEN", "4"));
    }

    [Fact]
    public void Lcs_of_strings_whose_product_exceeds_the_limit_is_refused()
    {
        Server.Config.ProtoMaxBulkLenBytes = 1024 * 1024;
        Run("SETRANGE", "a", "999", "x");
        Run("SETRANGE", "b", "259", "x");
        Assert.Equal(260L, Run("LCS", "a", "b", "LEN"));
        Run("SETRANGE", "b", "299", "x");
        Assert.Equal(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len", Error("LCS", "a", "b", "LEN"));
    }
}
