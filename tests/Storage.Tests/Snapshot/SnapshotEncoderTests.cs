namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Long strings on their way from pieces to the file.</summary>
public sealed class SnapshotEncoderTests : RdbTest
{
    private const int Length = 300_001; // Not a multiple of the pieces.

    [Theory]
    [InlineData(true, LongStringBuffer.MaxBytes, 10_000)]
    [InlineData(true, Length, 10_000)]
    [InlineData(true, Length - 1, Length)]
    [InlineData(false, LongStringBuffer.MaxBytes, Length)]
    public void A_long_string_is_compressed_up_to_the_bound(bool compresses, long bound, int expectedAtMost)
    {
        Set("long", string.Concat(Enumerable.Repeat("0123456789", Length / 10)) + "x", StartMs + 1000);
        byte[] file = Encode(compresses, bound);
        Assert.InRange(file.Length, expectedAtMost / 5, expectedAtMost + 200);
    }

    [Fact]
    public void A_string_that_compression_would_lengthen_stays_as_it_is()
    {
        byte[] noise = new byte[Length];
        new Random(1).NextBytes(noise);
        Set("noise", S(noise));
        Assert.InRange(Encode(compresses: true, LongStringBuffer.MaxBytes).Length, Length, Length + 200);
    }

    [Fact]
    public void Strings_of_growing_and_shrinking_length_follow_each_other()
    {
        for (int i = 0; i < 20; i++)
        {
            Set("k" + i, new string((char)('a' + i), 65_537 + (i * 7919 % 20 * 10_000)));
            Set("short" + i, "v");
        }

        Assert.InRange(Encode(compresses: true, bound: 200_000).Length, 1_000_000, 2_000_000);
    }

    // Saves through a snapshot, and checks that what is loaded from the file is the same.
    private byte[] Encode(bool compresses, long bound)
    {
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut cut = Store.StartSnapshot(queue);
        Assert.True(cut.WalkUntil(long.MaxValue));
        byte[] bytes = Encode(queue, compresses, bound);
        using Keyspace loaded = Load(bytes);
        Assert.Equal(Describe(Store), Describe(loaded));
        return bytes;
    }
}
