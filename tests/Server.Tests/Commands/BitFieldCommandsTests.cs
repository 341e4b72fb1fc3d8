using System.Globalization;
using System.Numerics;

namespace KvServer.Server.Tests.Commands;

public sealed class BitFieldCommandsTests : CommandHarness
{
    [Fact]
    public void Parts_run_in_order_on_one_string()
    {
        Assert.Equal(
            new object?[] { 0L, 255L, 254L, -2L },
            Run("BITFIELD", "k", "SET", "u8", "0", "255", "GET", "u8", "0", "INCRBY", "u8", "0", "-1", "GET", "i8", "0"));
        Assert.Equal("\xfe", Run("GET", "k"));
    }

    [Fact]
    public void Offsets_with_a_number_sign_count_fields()
    {
        Run("BITFIELD", "k", "SET", "u8", "#2", "65");
        Assert.Equal("\0\0A", Run("GET", "k"));
        Assert.Equal(new object?[] { 65L }, Run("BITFIELD_RO", "k", "GET", "u8", "16"));
    }

    [Fact]
    public void Each_overflow_rule_holds_for_the_parts_after_it()
    {
        Assert.Equal(
            new object?[] { 1L, 3L, null, 3L },
            Run(
                "BITFIELD", "k", "INCRBY", "u2", "0", "5", "OVERFLOW", "SAT", "INCRBY", "u2", "2", "5", "OVERFLOW", "FAIL",
                "INCRBY", "u2", "2", "1", "GET", "u2", "2"));
        Assert.Equal("*1\r\n_\r\n", Connect(protocol: 3).Raw("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", "u2", "2", "1"));
    }

    [Fact]
    public void An_error_in_any_part_changes_nothing()
    {
        Assert.Equal(
            "ERR bit offset is not an integer or out of range",
            Error("BITFIELD", "k", "SET", "u8", "0", "1", "GET", "u8", "x"));
        Assert.Equal("ERR BITFIELD_RO only supports the GET subcommand", Error("BITFIELD_RO", "k", "SET", "u8", "0", "1"));
        Assert.Equal(0L, Run("EXISTS", "k"));
    }

    [Fact]
    public void Reading_creates_nothing_and_a_failed_write_makes_room()
    {
        Assert.Equal(new object?[] { 0L }, Run("BITFIELD", "k", "GET", "u8", "100"));
        Assert.Equal(Array.Empty<object?>(), Run("BITFIELD", "k"));
        Assert.Equal(0L, Run("EXISTS", "k"));
        Assert.Equal(0, DirtyAfter("BITFIELD", "k", "OVERFLOW", "FAIL", "SET", "u2", "0", "100"));
        Assert.Equal(1L, Run("STRLEN", "k"));
    }

    [Fact]
    public void Changes_are_counted_by_part()
    {
        Assert.Equal(2, DirtyAfter("BITFIELD", "k", "SET", "u8", "0", "1", "SET", "u8", "8", "0"));
        Assert.Equal(1, DirtyAfter("BITFIELD", "k", "SET", "u8", "0", "1", "SET", "u8", "8", "1", "GET", "u8", "0"));
        Assert.Equal(0, DirtyAfter("BITFIELD", "k", "SET", "u8", "0", "1"));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void Random_calls_equal_a_model_of_unbounded_integers(int seed)
    {
        Random random = new(seed);
        BigInteger bits = 0; // Bit i of the string is bit i of this, counted from the left end of 512 bits.
        const int Bits = 512;
        for (int round = 0; round < 400; round++)
        {
            bool isSigned = random.Next(2) == 0;
            int width = 1 + random.Next(isSigned ? 64 : 63);
            int offset = random.Next(Bits - width);
            long by = random.Next(3) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.Next(-9, 10);
            int shift = Bits - offset - width;
            BigInteger modulus = BigInteger.One << width;
            BigInteger raw = (bits >> shift) % modulus;
            BigInteger min = isSigned ? -(modulus / 2) : 0;
            BigInteger before = raw > min + modulus - 1 ? raw - modulus : raw;
            BigInteger after = before + by;
            string rule = random.Next(3) switch { 0 => "WRAP", 1 => "SAT", _ => "FAIL" };
            bool fits = after >= min && after < min + modulus;
            BigInteger? expected = fits ? after : rule switch
            {
                "SAT" => after < min ? min : min + modulus - 1,
                "WRAP" => ((((after - min) % modulus) + modulus) % modulus) + min,
                _ => null,
            };
            BigInteger stored = expected ?? before;
            bits += ((stored < 0 ? stored + modulus : stored) - raw) << shift;

            string type = string.Create(CultureInfo.InvariantCulture, $"{(isSigned ? 'i' : 'u')}{width}");
            string at = offset.ToString(CultureInfo.InvariantCulture);
            object?[] reply = Assert.IsType<object?[]>(Run(
                "BITFIELD", "k", "OVERFLOW", rule, "INCRBY", type, at, by.ToString(CultureInfo.InvariantCulture),
                "GET", type, at));
            string what = $"seed {seed}, round {round}: {rule} {type} {at} {by}";
            Assert.True(Equals(expected is { } value ? (long)value : null, reply[0]), what);
            Assert.True((long)stored == (long)reply[1]!, what);
        }
    }
}
