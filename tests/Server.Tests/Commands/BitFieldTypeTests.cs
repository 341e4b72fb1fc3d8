using System.Numerics;
using System.Text;
using KvServer.Server.Commands;

namespace KvServer.Server.Tests.Commands;

public sealed class BitFieldTypeTests
{
    [Theory]
    [InlineData("i1", true, 1)]
    [InlineData("i64", true, 64)]
    [InlineData("u1", false, 1)]
    [InlineData("u63", false, 63)]
    public void Types_within_the_limits_are_read(string text, bool isSigned, int bits)
    {
        Assert.True(BitFieldType.TryParse(Encoding.ASCII.GetBytes(text), out BitFieldType type));
        Assert.Equal(new BitFieldType(isSigned, bits), type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("i")]
    [InlineData("i0")]
    [InlineData("i65")]
    [InlineData("u64")]
    [InlineData("U8")]
    [InlineData("i08")]
    [InlineData("i-1")]
    [InlineData("8")]
    public void Other_types_are_refused(string text)
    {
        Assert.False(BitFieldType.TryParse(Encoding.ASCII.GetBytes(text), out _));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Operations_equal_a_model_of_unbounded_integers(int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[40];
        random.NextBytes(bytes);
        for (int round = 0; round < 3000; round++)
        {
            bool isSigned = random.Next(2) == 0;
            BitFieldType type = new(isSigned, 1 + random.Next(isSigned ? 64 : 63));
            BitFieldOperation operation = new(
                (BitFieldVerb)random.Next(3),
                (BitFieldOverflow)random.Next(3),
                type,
                random.Next((bytes.Length * 8) - type.Bits),
                RandomNumber(random));
            byte[] expected = [.. bytes];
            BigInteger? expectedReply = RunModel(expected, operation);
            bool fits = operation.TryRun(bytes, out long reply, out bool changed);

            string what = $"seed {seed}, round {round}: {operation}";
            Assert.True(fits == expectedReply.HasValue, what);
            Assert.True(!fits || expectedReply == reply, what);
            Assert.True(expected.AsSpan().SequenceEqual(bytes), what);
            Assert.True(fits || !changed, what);
        }
    }

    [Fact]
    public void Reading_beyond_the_end_sees_zeros()
    {
        Assert.Equal(0xF0, new BitFieldType(IsSigned: false, 8).Read([0x0F], 4));
        Assert.Equal(0, new BitFieldType(IsSigned: true, 64).Read([0xFF], 4_000_000_000));
    }

    private static long RandomNumber(Random random) => random.Next(4) switch
    {
        0 => random.NextInt64(long.MinValue, long.MaxValue),
        1 => random.Next(-300, 300),
        2 => long.MinValue + random.Next(2),
        _ => long.MaxValue - random.Next(2),
    };

    private static BigInteger? RunModel(byte[] bytes, BitFieldOperation operation)
    {
        int bits = operation.Type.Bits;
        int shift = (bytes.Length * 8) - (int)operation.Offset - bits;
        BigInteger modulus = BigInteger.One << bits;
        BigInteger whole = new(bytes, isUnsigned: true, isBigEndian: true);
        BigInteger raw = (whole >> shift) % modulus;
        BigInteger min = operation.Type.IsSigned ? -(modulus / 2) : 0;
        BigInteger max = min + modulus - 1;
        BigInteger before = raw > max ? raw - modulus : raw;
        if (operation.Verb == BitFieldVerb.Get)
        {
            return before;
        }

        BigInteger number = operation.Number;
        if (operation.Verb == BitFieldVerb.Set && !operation.Type.IsSigned && number < 0)
        {
            number += BigInteger.One << 64;
        }

        BigInteger after = operation.Verb == BitFieldVerb.Set ? number : before + number;
        if (after < min || after > max)
        {
            switch (operation.Overflow)
            {
                case BitFieldOverflow.Fail:
                    return null;
                case BitFieldOverflow.Saturate:
                    after = after > max ? max : min;
                    break;
                default:
                    after = (((after - min) % modulus) + modulus) % modulus + min;
                    break;
            }
        }

        BigInteger stored = after < 0 ? after + modulus : after;
        BigInteger changed = whole + ((stored - raw) << shift);
        byte[] result = changed.ToByteArray(isUnsigned: true, isBigEndian: true);
        Array.Clear(bytes);
        result.CopyTo(bytes, bytes.Length - result.Length);
        return operation.Verb == BitFieldVerb.Set ? before : after;
    }
}
