namespace KvServer.Storage.Tests;

public sealed class KeyHasherTests
{
    [Fact]
    public void Every_length_and_every_byte_counts()
    {
        var hasher = new KeyHasher([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        var seen = new HashSet<ulong>();
        byte[] bytes = new byte[40];
        for (int length = 0; length <= bytes.Length; length++)
        {
            Assert.True(seen.Add(hasher.Hash(bytes.AsSpan(0, length))));
            for (int i = 0; i < length; i++)
            {
                bytes[i] = 1;
                Assert.True(seen.Add(hasher.Hash(bytes.AsSpan(0, length))));
                bytes[i] = 0;
            }
        }
    }

    [Fact]
    public void Two_hashers_differ_and_one_repeats_itself()
    {
        var first = new KeyHasher();
        Assert.Equal(first.Hash("key"u8), first.Hash("key"u8));
        Assert.NotEqual(first.Hash("key"u8), new KeyHasher().Hash("key"u8));
    }
}
