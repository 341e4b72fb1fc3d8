using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KvServer.Storage.Tests.Values;

public sealed class HyperLogLogTests
{
    private const long DefaultSparseMaxBytes = 3000;

    [Theory]
    [InlineData("", 5938, 2)]
    [InlineData("a", 12711, 2)]
    [InlineData("1234567", 10327, 3)]
    [InlineData("12345678", 10579, 3)]
    [InlineData("123456789", 9293, 2)]
    [InlineData("hello world", 9399, 4)]
    [InlineData("\u00ff\0\u00fe", 8413, 1)]
    public void Elements_go_to_the_registers_that_the_reference_server_chooses(string element, int index, int rank)
    {
        Assert.Equal(index, HyperLogLog.RegisterOf(Encoding.Latin1.GetBytes(element), out byte found));
        Assert.Equal(rank, found);
    }

    [Theory]
    [InlineData(1, 21, 1, "b0e9338b711c718f")]
    [InlineData(10, 48, 10, "5e1f7c888c80593c")]
    [InlineData(100, 285, 100, "53986fa020104b2d")]
    [InlineData(1000, 1906, 1008, "519a7f0764d633e0")]
    [InlineData(10_000, 12_304, 9973, "5f94be2c770f456c")]
    [InlineData(100_000, 12_304, 100_853, "db44442a96c3ca47")]
    public void Sketches_and_counts_are_those_of_the_reference_server(int elements, int bytes, long count, string hash)
    {
        HyperLogLogEditor editor = NewEditor(DefaultSparseMaxBytes);
        for (int i = 0; i < elements; i++)
        {
            byte[] element = Encoding.ASCII.GetBytes("e" + i.ToString(CultureInfo.InvariantCulture));
            editor.Raise(HyperLogLog.RegisterOf(element, out byte rank), rank);
        }

        HyperLogLog.ForgetCount(editor.Bytes);
        Assert.Equal(bytes, editor.Length);
        Assert.True(HyperLogLog.TryCount(editor.Bytes, out long found));
        Assert.Equal(count, found);
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(editor.Bytes))[..16]);
    }

    [Fact]
    public void The_layout_is_that_of_the_format()
    {
        byte[] bytes = new byte[HyperLogLog.EmptyBytes];
        HyperLogLog.WriteEmpty(bytes);
        Assert.Equal("HYLL\u0001\0\0\0\0\0\0\0\0\0\0\0\u007f\u00ff", Encoding.Latin1.GetString(bytes));
        Assert.True(HyperLogLog.IsValid(bytes));
        Assert.True(HyperLogLog.TryGetKnownCount(bytes, out long count));
        Assert.Equal(0, count);
        HyperLogLog.SetKnownCount(bytes, 0x0102);
        Assert.Equal([2, 1, 0, 0, 0, 0, 0, 0], bytes[8..16]);
        HyperLogLog.ForgetCount(bytes);
        Assert.False(HyperLogLog.TryGetKnownCount(bytes, out _));
        Assert.Equal([2, 1, 0, 0, 0, 0, 0, 0x80], bytes[8..16]);
        Assert.Equal(12_304, HyperLogLog.DenseBytes);
    }

    [Theory]
    [InlineData("7fff", true)]
    [InlineData("7ffe80", true)]
    [InlineData("40007ffe", true)]
    [InlineData("", false)]
    [InlineData("7f", false)]
    [InlineData("7ffe", false)]
    [InlineData("7ffe7f", false)]
    [InlineData("7ffe81", false)]
    [InlineData("7fff00", false)]
    [InlineData("7fff7fff", false)]
    public void Runs_are_sound_when_they_hold_all_registers_and_nothing_follows(string runs, bool isSound)
    {
        byte[] bytes = new byte[HyperLogLog.EmptyBytes];
        HyperLogLog.WriteEmpty(bytes);
        byte[] sketch = [.. bytes[..HyperLogLog.HeaderBytes], .. Convert.FromHexString(runs)];
        Assert.Equal(isSound, HyperLogLogSparse.IsSound(sketch.AsSpan(HyperLogLog.HeaderBytes)));
        Assert.Equal(isSound, HyperLogLog.TryCount(sketch, out _));
        Assert.Equal(isSound, HyperLogLog.TryMergeInto(new byte[HyperLogLog.RegisterCount], sketch));
    }

    [Theory]
    [InlineData("HYLL", false)]
    [InlineData("HYLx\u0001\0\0\0\0\0\0\0\0\0\0\0\u007f\u00ff", false)]
    [InlineData("HYLL\u0002\0\0\0\0\0\0\0\0\0\0\0\u007f\u00ff", false)]
    [InlineData("HYLL\0\0\0\0\0\0\0\0\0\0\0\0\u007f\u00ff", false)]
    [InlineData("HYLL\u0001\0\0\0\0\0\0\0\0\0\0\0", true)]
    public void A_header_is_valid_by_its_magic_its_encoding_and_the_length_of_a_dense_sketch(string text, bool isValid) =>
        Assert.Equal(isValid, HyperLogLog.IsValid(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Dense_registers_keep_the_largest_rank_and_leave_their_neighbours_alone()
    {
        Random random = new(7);
        byte[] registers = new byte[HyperLogLog.DenseBytes - HyperLogLog.HeaderBytes];
        byte[] model = new byte[HyperLogLog.RegisterCount];
        for (int i = 0; i < 100_000; i++)
        {
            int index = random.Next(model.Length);
            byte rank = (byte)random.Next(64);
            Assert.Equal(rank > model[index], HyperLogLogDense.Raise(registers, index, rank));
            model[index] = Math.Max(model[index], rank);
        }

        for (int i = 0; i < model.Length; i++)
        {
            Assert.Equal(model[i], HyperLogLogDense.Get(registers, i));
        }
    }

    [Theory]
    [InlineData(1, 0, 20_000)]
    [InlineData(2, 100, 300)]
    [InlineData(3, 3000, 3000)]
    [InlineData(4, 20_000, 4000)]
    [InlineData(5, 20_000, 20_000)]
    public void Edits_in_any_order_give_the_registers_of_a_model_and_the_bytes_of_edits_one_by_one(
        int seed, long maxBytes, int edits)
    {
        Random random = new(seed);
        byte[] model = new byte[HyperLogLog.RegisterCount];
        byte[] oneByOne = new byte[HyperLogLogEditor.BufferBytes];
        HyperLogLog.WriteEmpty(oneByOne);
        int length = HyperLogLog.EmptyBytes;
        HyperLogLogEditor editor = NewEditor(maxBytes);
        int index = 0;
        for (int i = 0; i < edits; i++)
        {
            // Now and then a run of neighbours, so that runs are joined.
            index = random.Next(3) == 0 ? random.Next(model.Length) : (index + random.Next(3)) % model.Length;
            byte rank = (byte)random.Next(1, random.Next(3000) == 0 ? HyperLogLog.MaxRank + 1 : 4);
            Assert.Equal(rank > model[index], editor.Raise(index, rank));
            model[index] = Math.Max(model[index], rank);
            HyperLogLogEditor single = new(oneByOne, length, maxBytes);
            single.Raise(index, rank);
            length = single.Length;
            Assert.True(editor.Bytes.SequenceEqual(single.Bytes), $"edit {i} of seed {seed}");
        }

        byte[] registers = new byte[HyperLogLog.RegisterCount];
        Assert.True(HyperLogLog.TryMergeInto(registers, editor.Bytes));
        Assert.Equal(model, registers);
    }

    [Theory]
    [InlineData(1, 300, 300)]
    [InlineData(2, 3000, 20_000)]
    [InlineData(3, 20_000, 20_000)]
    public void Merging_gives_the_larger_of_both_registers_whichever_way_round(int seed, int elements, long maxBytes)
    {
        Random random = new(seed);
        HyperLogLogEditor left = NewEditor(maxBytes);
        HyperLogLogEditor right = NewEditor(maxBytes);
        byte[] ofLeft = Fill(random, ref left, elements);
        byte[] ofRight = Fill(random, ref right, elements);
        byte[] expected = [.. ofLeft.Zip(ofRight, Math.Max)];

        byte[] merged = new byte[HyperLogLog.RegisterCount];
        Assert.True(HyperLogLog.TryMergeInto(merged, left.Bytes));
        Assert.True(HyperLogLog.TryMergeInto(merged, right.Bytes));
        Assert.Equal(expected, merged);
        left.RaiseAll(merged);
        right.RaiseAll(merged);
        Assert.True(HyperLogLog.TryCount(left.Bytes, out long count));
        Assert.True(HyperLogLog.TryCount(right.Bytes, out long other));
        Assert.Equal(count, other);
        Assert.Equal(HyperLogLog.CountOf(expected), count);
    }

    [Fact]
    public void Runs_are_described_as_pfdebug_shows_them()
    {
        HyperLogLogEditor editor = NewEditor(DefaultSparseMaxBytes);
        editor.Raise(100, 3);
        editor.Raise(101, 3);
        editor.Raise(103, 32);
        Assert.Equal("Z:100 v:3,2 z:1 v:32,1 Z:16280", HyperLogLogSparse.Describe(editor.Bytes[HyperLogLog.HeaderBytes..]));
    }

    private static byte[] Fill(Random random, ref HyperLogLogEditor editor, int elements)
    {
        byte[] model = new byte[HyperLogLog.RegisterCount];
        byte[] element = new byte[8];
        for (int i = 0; i < elements; i++)
        {
            random.NextBytes(element);
            int index = HyperLogLog.RegisterOf(element, out byte rank);
            editor.Raise(index, rank);
            model[index] = Math.Max(model[index], rank);
        }

        return model;
    }

    private static HyperLogLogEditor NewEditor(long maxBytes)
    {
        byte[] buffer = new byte[HyperLogLogEditor.BufferBytes];
        HyperLogLog.WriteEmpty(buffer);
        return new HyperLogLogEditor(buffer, HyperLogLog.EmptyBytes, maxBytes);
    }
}
