using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class BitmapCommandsTests : CommandHarness
{
    [Fact]
    public void SetBit_returns_the_bit_before_and_grows_the_string()
    {
        Assert.Equal(0L, Run("SETBIT", "k", "7", "1"));
        Assert.Equal("\x01", Run("GET", "k"));
        Assert.Equal(1L, Run("SETBIT", "k", "7", "0"));
        Assert.Equal(0L, Run("SETBIT", "k", "100", "1"));
        Assert.Equal(13L, Run("STRLEN", "k"));
        Assert.Equal(1L, Run("GETBIT", "k", "100"));
        Assert.Equal(0L, Run("GETBIT", "k", "99"));
        Assert.Equal(0L, Run("GETBIT", "k", "4000000000"));
    }

    [Fact]
    public void SetBit_counts_a_change_only_when_something_changed()
    {
        Assert.Equal(1, DirtyAfter("SETBIT", "k", "0", "0"));
        Assert.Equal(0, DirtyAfter("SETBIT", "k", "0", "0"));
        Assert.Equal(1, DirtyAfter("SETBIT", "k", "0", "1"));
        Assert.Equal(0, DirtyAfter("SETBIT", "k", "0", "1"));
        Assert.Equal(1, DirtyAfter("SETBIT", "k", "8", "0"));
    }

    [Fact]
    public void Bits_of_an_integer_are_those_of_its_text()
    {
        Run("SET", "k", "1");
        Assert.Equal(0L, Run("GETBIT", "k", "0"));
        Assert.Equal(1L, Run("GETBIT", "k", "2"));
        Assert.Equal(3L, Run("BITCOUNT", "k"));
        Assert.Equal(2L, Run("BITPOS", "k", "1"));
        Assert.Equal(0L, Run("SETBIT", "k", "6", "1"));
        Assert.Equal("3", Run("GET", "k"));
        Assert.Equal("raw", Run("OBJECT", "ENCODING", "k"));
    }

    [Theory]
    [InlineData("0", "-1", "BYTE", 26)]
    [InlineData("0", "0", "BYTE", 4)]
    [InlineData("1", "1", "BYTE", 6)]
    [InlineData("5", "30", "BIT", 17)]
    [InlineData("-10", "-1", "BIT", 5)]
    [InlineData("3", "2", "BYTE", 0)]
    [InlineData("-1", "-3", "BIT", 0)]
    public void BitCount_counts_in_a_range_of_bytes_or_bits(string start, string end, string unit, long expected)
    {
        Run("SET", "k", "foobar");
        Assert.Equal(26L, Run("BITCOUNT", "k"));
        Assert.Equal(expected, Run("BITCOUNT", "k", start, end, unit));
    }

    [Fact]
    public void BitPos_finds_a_clear_bit_behind_the_string_unless_the_range_has_an_end()
    {
        Run("SET", "k", "\xff\xff");
        Assert.Equal(16L, Run("BITPOS", "k", "0"));
        Assert.Equal(16L, Run("BITPOS", "k", "0", "1"));
        Assert.Equal(-1L, Run("BITPOS", "k", "0", "0", "-1"));
        Assert.Equal(-1L, Run("BITPOS", "k", "0", "5"));
        Assert.Equal(0L, Run("BITPOS", "none", "0"));
        Assert.Equal(-1L, Run("BITPOS", "none", "1"));
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void Counting_and_searching_equal_a_walk_over_the_bits(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 150; round++)
        {
            string value = new([.. Enumerable.Range(0, random.Next(40)).Select(_ => RandomByte(random))]);
            Run("SET", "k", value);
            bool[] bits = [.. value.SelectMany(c => Enumerable.Range(0, 8).Select(i => ((c >> (7 - i)) & 1) == 1))];
            bool inBits = random.Next(2) == 0;
            int length = inBits ? bits.Length : value.Length;
            long start = random.Next(-length - 3, length + 3);
            long end = random.Next(-length - 3, length + 3);
            long bit = random.Next(2);

            (long first, long last) = Range(start, end, inBits, length);
            bool backwards = start < 0 && end < 0 && start > end;
            long count = backwards ? 0 : bits.LongCount(first, last);
            long position = bits.FirstOrNone(first, last, bit == 1);
            string[] range = [Text(start), Text(end), inBits ? "BIT" : "BYTE"];
            string what = $"seed {seed}, round {round}";
            Assert.True(count == (long)Run(["BITCOUNT", "k", .. range])!, what);
            Assert.True(position == (long)Run(["BITPOS", "k", Text(bit), .. range])!, what);
        }
    }

    [Fact]
    public void BitOp_combines_strings_of_unequal_length()
    {
        Run("MSET", "a", "abc", "b", "ab");
        Assert.Equal(3L, Run("BITOP", "AND", "d", "a", "b"));
        Assert.Equal("ab\0", Run("GET", "d"));
        Assert.Equal(3L, Run("BITOP", "or", "d", "a", "b", "none"));
        Assert.Equal("abc", Run("GET", "d"));
        Assert.Equal(3L, Run("BITOP", "XOR", "d", "a", "b"));
        Assert.Equal("\0\0c", Run("GET", "d"));
        Assert.Equal(2L, Run("BITOP", "NOT", "d", "b"));
        Assert.Equal("\x9e\x9d", Run("GET", "d"));
    }

    [Fact]
    public void BitOp_may_write_to_one_of_its_sources_and_drops_the_expiry()
    {
        Run("SET", "a", "\x0f", "EX", "100");
        Run("SET", "b", "\xf1");
        Assert.Equal(1L, Run("BITOP", "AND", "a", "a", "b"));
        Assert.Equal("\x01", Run("GET", "a"));
        Assert.Equal(-1L, Run("TTL", "a"));
    }

    [Fact]
    public void BitOp_without_bytes_deletes_the_target()
    {
        Run("SET", "d", "x");
        Assert.Equal(0L, Run("BITOP", "AND", "d", "none"));
        Assert.Equal(0L, Run("EXISTS", "d"));
        Assert.Equal(0, DirtyAfter("BITOP", "AND", "d", "none"));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(300_000)]
    public void BitOp_of_long_strings_is_its_own_inverse(int length)
    {
        Random random = new(length);
        string a = new([.. Enumerable.Range(0, length).Select(_ => (char)random.Next(256))]);
        string b = new([.. Enumerable.Range(0, length / 2).Select(_ => (char)random.Next(256))]);
        Run("MSET", "a", a, "b", b);
        Assert.Equal((long)length, Run("BITOP", "XOR", "c", "a", "b"));
        Assert.Equal((long)length, Run("BITOP", "XOR", "c", "c", "b"));
        Assert.Equal(a, Run("GET", "c"));
        Run("BITOP", "NOT", "c", "a");
        Run("BITOP", "NOT", "c", "c");
        Assert.Equal(a, Run("GET", "c"));
        Assert.Equal("raw", Run("OBJECT", "ENCODING", "c"));
    }

    [Fact]
    public void Bitmap_commands_on_a_set_reply_wrong_type()
    {
        const string WrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
        Run("SADD", "s", "m");
        Assert.Equal(WrongType, Error("SETBIT", "s", "0", "1"));
        Assert.Equal(WrongType, Error("GETBIT", "s", "0"));
        Assert.Equal(WrongType, Error("BITCOUNT", "s"));
        Assert.Equal(WrongType, Error("BITPOS", "s", "1"));
        Assert.Equal(WrongType, Error("BITOP", "OR", "d", "s"));
        Assert.Equal(WrongType, Error("BITFIELD", "s", "GET", "u8", "0"));
        Assert.Equal(WrongType, Error("BITFIELD", "s", "SET", "u8", "0", "1"));
        Assert.Equal("OK", Run("SET", "s", "now a string"));
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static char RandomByte(Random random) => random.Next(3) switch
    {
        0 => '\0',
        1 => '\xff',
        _ => (char)random.Next(256),
    };

    /// <summary>The first and the last bit of a range given as clients do; the last is before the first when empty.
    /// </summary>
    private static (long First, long Last) Range(long start, long end, bool inBits, int length)
    {
        start = start < 0 ? Math.Max(0, start + length) : start;
        end = Math.Min(end < 0 ? Math.Max(0, end + length) : end, length - 1);
        return start > end ? (0, -1) : inBits ? (start, end) : (start * 8, (end * 8) + 7);
    }
}
