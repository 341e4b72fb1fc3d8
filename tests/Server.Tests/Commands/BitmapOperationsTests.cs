using KvServer.Server.Commands;

namespace KvServer.Server.Tests.Commands;

public sealed class BitmapOperationsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Counting_and_searching_equal_a_walk_over_single_bits(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 400; round++)
        {
            byte[] bytes = RandomBytes(random, 1 + random.Next(700));
            long first = random.Next(bytes.Length * 8);
            long last = first + random.Next((int)((bytes.Length * 8) - first));
            long count = 0;
            long firstSet = -1;
            long firstClear = -1;
            for (long i = first; i <= last; i++)
            {
                bool isSet = Bit(bytes, i);
                count += isSet ? 1 : 0;
                firstSet = isSet && firstSet < 0 ? i : firstSet;
                firstClear = !isSet && firstClear < 0 ? i : firstClear;
            }

            Assert.Equal(count, BitmapOperations.CountOnes(bytes, first, last));
            Assert.Equal(firstSet, BitmapOperations.FindBit(bytes, value: true, first, last));
            Assert.Equal(firstClear, BitmapOperations.FindBit(bytes, value: false, first, last));
            Assert.Equal(
                Enumerable.Range(0, bytes.Length * 8).LongCount(i => Bit(bytes, i)), BitmapOperations.CountOnes(bytes));
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Combining_equals_the_operation_byte_by_byte_with_zeros_beyond_the_source(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 200; round++)
        {
            byte[] target = RandomBytes(random, random.Next(200));
            byte[] source = RandomBytes(random, random.Next(target.Length + 1));
            byte[] and = [.. target];
            byte[] or = [.. target];
            byte[] xor = [.. target];
            byte[] not = [.. target];
            BitmapOperations.Combine(BitmapOperator.And, and, source);
            BitmapOperations.Combine(BitmapOperator.Or, or, source);
            BitmapOperations.Combine(BitmapOperator.Xor, xor, source);
            BitmapOperations.Not(not);
            for (int i = 0; i < target.Length; i++)
            {
                int other = i < source.Length ? source[i] : 0;
                Assert.Equal(target[i] & other, and[i]);
                Assert.Equal(target[i] | other, or[i]);
                Assert.Equal(target[i] ^ other, xor[i]);
                Assert.Equal(255 - target[i], not[i]);
            }
        }
    }

    [Theory]
    [InlineData(0, -1, false, 3, 0, 23)]
    [InlineData(-2, -1, false, 3, 8, 23)]
    [InlineData(-100, 100, false, 3, 0, 23)]
    [InlineData(5, 8, true, 3, 5, 8)]
    [InlineData(-3, -1, true, 3, 21, 23)]
    [InlineData(long.MinValue, long.MaxValue, true, 3, 0, 23)]
    public void A_range_is_cut_to_the_string(
        long start, long end, bool inBits, int lengthBytes, long firstBit, long lastBit)
    {
        Assert.Equal(new BitmapRange(firstBit, lastBit), BitmapRange.From(start, end, inBits, lengthBytes));
    }

    [Theory]
    [InlineData(3, 100, false, 3)]
    [InlineData(2, 1, false, 3)]
    [InlineData(0, -1, false, 0)]
    public void A_range_without_bits_is_empty(long start, long end, bool inBits, int lengthBytes)
    {
        Assert.True(BitmapRange.From(start, end, inBits, lengthBytes).IsEmpty);
    }

    [Theory]
    [InlineData("0", 0, 0L)]
    [InlineData("4294967295", 0, 4294967295L)]
    [InlineData("#3", 8, 24L)]
    [InlineData("#0", 63, 0L)]
    public void Offsets_are_read(string text, int fieldBits, long expected)
    {
        bool read = BitmapRange.TryParseOffset(
            System.Text.Encoding.ASCII.GetBytes(text), fieldBits, 512 * 1024 * 1024, out long offset);
        Assert.True(read);
        Assert.Equal(expected, offset);
    }

    [Theory]
    [InlineData("", 8)]
    [InlineData("#", 8)]
    [InlineData("-1", 8)]
    [InlineData("#-1", 8)]
    [InlineData("#1", 0)]
    [InlineData("4294967296", 0)]
    [InlineData("#536870912", 8)]
    [InlineData("#9223372036854775807", 64)]
    [InlineData("01", 8)]
    public void Offsets_beyond_the_longest_string_or_no_numbers_are_refused(string text, int fieldBits)
    {
        Assert.False(BitmapRange.TryParseOffset(
            System.Text.Encoding.ASCII.GetBytes(text), fieldBits, 512 * 1024 * 1024, out _));
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        // Long runs of one value make searches go far.
        if (length > 0 && random.Next(2) == 0)
        {
            int from = random.Next(length);
            bytes.AsSpan(from, random.Next(length - from)).Fill((byte)(random.Next(2) * 255));
        }

        return bytes;
    }

    private static bool Bit(byte[] bytes, long index) => ((bytes[index >> 3] >> (7 - (int)(index & 7))) & 1) == 1;
}
