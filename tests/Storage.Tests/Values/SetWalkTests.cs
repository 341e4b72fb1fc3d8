namespace KvServer.Storage.Tests.Values;

/// <summary>Walking, scanning and choosing at random.</summary>
public sealed class SetWalkTests : SetTest
{
    // Chances depend on how the members fall into buckets, so the hash must be the same in every run.
    public SetWalkTests()
        : base(new KeyHasher("0123456789abcdef"u8))
    {
    }

    [Theory]
    [InlineData(40, 512, 128)]
    [InlineData(40, 0, 128)]
    [InlineData(40, 0, 0)]
    [InlineData(65, 0, 0)]
    [InlineData(300, 0, 0)]
    public void A_sample_holds_different_members_of_the_set(int size, int intSetEntries, int packedEntries)
    {
        Limits = new SetLimits(intSetEntries, packedEntries, 64);
        Add("s", Numbers(0, 1));
        foreach (string member in Numbers(1, size - 1))
        {
            Add("s", member);
        }

        foreach (int count in (int[])[1, 2, size / 4, size / 2, size - 1, size, size + 5])
        {
            List<string> sample = [];
            foreach (SetMember member in Open("s").Sample(count))
            {
                sample.Add(Text(member));
            }

            Assert.Equal(Math.Min(count, size), sample.Count);
            Assert.Equal(sample.Count, sample.Distinct().Count());
            Assert.Subset(Numbers(0, size).ToHashSet(), sample.ToHashSet());
        }
    }

    [Theory]
    [InlineData(512, 128, 0.15)]
    [InlineData(0, 128, 0.15)]
    [InlineData(0, 0, 0.5)]
    public void Every_member_is_about_as_likely(int intSetEntries, int packedEntries, double tolerance)
    {
        Limits = new SetLimits(intSetEntries, packedEntries, 64);
        Add("s", Numbers(0, 1));
        foreach (string member in Numbers(1, 49))
        {
            Add("s", member);
        }

        Dictionary<string, int> picked = [];
        Dictionary<string, int> sampled = [];
        for (int i = 0; i < 20_000; i++)
        {
            SetValue set = Open("s");
            string member = Text(set.PickRandom());
            picked[member] = picked.GetValueOrDefault(member) + 1;
        }

        for (int i = 0; i < 2_000; i++)
        {
            foreach (SetMember member in Open("s").Sample(10))
            {
                sampled[Text(member)] = sampled.GetValueOrDefault(Text(member)) + 1;
            }
        }

        Assert.Equal(50, picked.Count);
        Assert.All(picked.Values, count => Assert.InRange(count, 400 * (1 - tolerance) - 40, 400 * (1 + tolerance) + 40));
        Assert.Equal(50, sampled.Count);
        Assert.All(sampled.Values, count => Assert.InRange(count, 400 * (1 - tolerance) - 40, 400 * (1 + tolerance) + 40));
    }

    [Fact]
    public void A_scan_returns_members_that_stay_whatever_resizes_in_between()
    {
        Limits = default;
        string[] staying = [.. Numbers(0, 500).Select(n => "stay" + n)];
        Add("s", staying);
        string[] passing = [.. Numbers(0, 4000).Select(n => "pass" + n)];
        Random random = new(5);
        for (int round = 0; round < 6; round++)
        {
            Collector collector = new() { Seen = [] };
            ulong cursor = 0;
            int at = 0;
            bool grows = round % 2 == 0;
            do
            {
                cursor = Open("s").Scan(cursor, ref collector);
                for (int i = random.Next(20); i > 0 && at < passing.Length; i--, at++)
                {
                    if (grows)
                    {
                        Add("s", passing[at]);
                    }
                    else
                    {
                        Remove("s", passing[at]);
                    }
                }
            }
            while (cursor != 0);

            Assert.Superset(staying.ToHashSet(), collector.Seen);
        }
    }

    [Fact]
    public void A_packed_set_is_scanned_at_once()
    {
        Add("s", "1", "2", "w");
        Collector collector = new() { Seen = [] };
        Assert.Equal(0UL, Open("s").Scan(99, ref collector));
        Assert.Equal(["1", "2", "w"], collector.Seen.Order());
    }

    [Fact]
    public void A_walk_pauses_the_rehash_and_meets_everything_once()
    {
        Limits = default;
        for (int i = 0; i < 129; i++)
        {
            Add("s", Number(i));
        }

        long before = Open("s").Figures.RehashIndex;
        Assert.True(before >= 0);
        List<string> members = [];
        SetValue set = Open("s");
        foreach (SetMember member in set)
        {
            Assert.True(set.Contains(member));
            members.Add(Text(member));
        }

        Assert.Equal(before, Open("s").Figures.RehashIndex);
        Assert.Equal(Numbers(0, 129).Order(), members.Order());
        Contains("s", "1");
        Assert.True(Open("s").Figures.RehashIndex > before);
    }

    private struct Collector : ISetMemberReceiver
    {
        public HashSet<string> Seen;

        public readonly void Receive(SetMember member) => Seen.Add(Text(member));
    }
}
