namespace KvServer.Storage.Tests.Values;

public class IntSetTests
{
    [Fact]
    public void The_bytes_are_those_of_the_reference_server()
    {
        byte[] block = new byte[128];
        IntSet set = IntSet.Create(block);
        Add(set, 1);
        Add(set, 5);
        Add(set, -3);
        Assert.Equal("0200000003000000fdff01000500", Hex(set));
        Add(set, 70000);
        Assert.Equal("0400000004000000fdffffff010000000500000070110100", Hex(set));
        Add(set, -(1L << 40));
        Assert.Equal(
            "08000000050000000000000000fffffffdffffffffffffff010000000000000005000000000000007011010000000000", Hex(set));
        Assert.True(set.TryFind(-(1L << 40), out int index));
        set.RemoveAt(index);
        Assert.Equal("0800000004000000fdffffffffffffff010000000000000005000000000000007011010000000000", Hex(set));
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(2, 17)]
    [InlineData(3, 33)]
    [InlineData(4, 64)]
    [InlineData(5, 5)]
    public void It_behaves_as_a_sorted_set_under_random_changes(int seed, int bits)
    {
        Random random = new(seed);
        byte[] block = new byte[8192];
        IntSet set = IntSet.Create(block);
        SortedSet<long> model = [];
        for (int step = 0; step < 6000; step++)
        {
            // The wide values come late, so that the narrow widths are exercised first.
            int width = Math.Min(bits, 8 + (step / 60));
            long value = random.NextInt64(long.MinValue, long.MaxValue) >> (64 - width);
            if (random.Next(3) != 0 && model.Count < 600)
            {
                bool found = set.TryFind(value, out int index);
                Assert.Equal(!found, model.Add(value));
                if (!found)
                {
                    int size = set.SizeWith(value);
                    set.Add(value, index);
                    Assert.Equal(size, set.LengthBytes);
                }
            }
            else if (model.Count > 0)
            {
                if (random.Next(2) == 0)
                {
                    value = set[random.Next(model.Count)];
                }

                bool found = set.TryFind(value, out int index);
                Assert.Equal(found, model.Remove(value));
                if (found)
                {
                    set.RemoveAt(index);
                }
            }

            Assert.Equal(model.Contains(value), set.Contains(value));
            Assert.Equal(model.Count, set.Count);
            if (step % 50 == 0)
            {
                Assert.True(IntSet.IsValid(block.AsSpan(0, set.LengthBytes)), $"seed {seed}, step {step}");
                Assert.Equal(model, ToList(set));
                if (model.Count > 0)
                {
                    Assert.Equal(model.Min, set.Min);
                    Assert.Equal(model.Max, set.Max);
                }
            }
        }
    }

    [Fact]
    public void Values_wider_than_the_members_are_not_found()
    {
        byte[] block = new byte[64];
        IntSet set = IntSet.Create(block);
        Add(set, 4464); // 70000 cut to 16 bits
        Assert.False(set.Contains(70000));
        Assert.False(set.Contains(long.MinValue));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02000000000000")]
    [InlineData("030000000100000001000000")]
    [InlineData("020000000200000001000100")]
    [InlineData("020000000200000002000100")]
    [InlineData("0200000002000000010002")]
    [InlineData("02000000020000000100020003")]
    [InlineData("0200000000000080")]
    [InlineData("0000000000000000")]
    [InlineData("00000080feffffff0000")]
    [InlineData("ffffffffffffffff00")]
    public void Malformed_bytes_are_refused(string hex) => Assert.False(IntSet.IsValid(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("0200000000000000")]
    [InlineData("0200000002000000ffff0100")]
    [InlineData("080000000100000001000000000000ff")]
    public void Well_formed_bytes_are_accepted(string hex) => Assert.True(IntSet.IsValid(Convert.FromHexString(hex)));

    private static void Add(IntSet set, long value)
    {
        Assert.False(set.TryFind(value, out int index));
        set.Add(value, index);
    }

    private static string Hex(IntSet set)
    {
        List<byte> bytes = [.. BitConverter.GetBytes(set.WidthBytes), .. BitConverter.GetBytes(set.Count)];
        foreach (long member in ToList(set))
        {
            bytes.AddRange(BitConverter.GetBytes(member).Take(set.WidthBytes));
        }

        return Convert.ToHexStringLower([.. bytes]);
    }

    private static List<long> ToList(IntSet set)
    {
        List<long> all = [];
        for (int i = 0; i < set.Count; i++)
        {
            all.Add(set[i]);
        }

        return all;
    }
}
