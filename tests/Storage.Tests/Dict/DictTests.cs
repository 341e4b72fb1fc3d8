using System.Text;

namespace KvServer.Storage.Tests;

public sealed unsafe class DictTests : StoreTest
{
    private readonly Dict<MemberLayout> _dict;
    private readonly Dictionary<string, nint> _model = new(StringComparer.Ordinal);

    public DictTests() => _dict = Dict<MemberLayout>.Create(Store.MemberRuntime);

    private enum Mode
    {
        On,
        Off,
        Changing,
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_operations_agree_with_a_dictionary_whatever_resizing_is_allowed(int seed)
    {
        foreach (Mode mode in Enum.GetValues<Mode>())
        {
            Run(new Random(seed), mode);
        }

        Free();
    }

    [Fact]
    public void A_step_moves_one_bucket_and_passes_at_most_ten_empty_ones()
    {
        for (int i = 0; i < 4096; i++)
        {
            Insert("m" + i);
        }

        Insert("more"); // 4097: the rehash from 4096 to 8192 buckets begins.
        Assert.True(_dict.IsRehashing);
        long index = _dict.RehashIndex;
        while (_dict.IsRehashing)
        {
            long used = _dict.UsedOf(1);
            long longest = LongestChain();
            _dict.RehashStep(1);
            if (!_dict.IsRehashing)
            {
                break;
            }

            Assert.InRange(_dict.RehashIndex - index, 1, 11);
            Assert.InRange(_dict.UsedOf(1) - used, 0, longest);
            index = _dict.RehashIndex;
        }

        Free();
    }

    [Fact]
    public void A_sparse_table_is_passed_ten_buckets_at_a_time()
    {
        for (int i = 0; i < 5000; i++)
        {
            Insert("m" + i);
        }

        FinishRehash();
        for (int i = 0; i < 4990; i++)
        {
            Delete("m" + i);
        }

        FinishRehash();
        Assert.Equal(8192, _dict.BucketCountOf(0));
        Assert.True(_dict.WantsShrink);
        Assert.True(_dict.TryShrink());
        Assert.Equal(16, _dict.BucketCountOf(1));
        int steps = 0;
        long last = 0;
        while (_dict.RehashStep(1))
        {
            steps++;
            Assert.InRange(_dict.RehashIndex - last, 1, 11);
            last = _dict.RehashIndex;
        }

        Assert.InRange(steps, 300, 8192); // It ends with the last entry, not with the last bucket.
        Assert.Equal(16, _dict.BucketCountOf(0));
        Assert.Equal(10, _dict.Count);
        Free();
    }

    [Fact]
    public void Resizing_is_refused_while_off_until_five_entries_per_bucket()
    {
        Store.ResizingAllowed = false;
        for (int i = 0; i < 24; i++)
        {
            Insert("m" + i);
        }

        // 24 entries in 4 buckets are six each; the next insert forces.
        Assert.Equal(4, _dict.BucketCountOf(0));
        Assert.False(_dict.IsRehashing);
        Assert.True(Store.MemberRuntime.Statistics.ResizesRefused > 0);
        Insert("last");
        Assert.True(_dict.IsRehashing);
        Assert.Equal(64, _dict.BucketCountOf(1));
        Assert.Equal(1, Store.MemberRuntime.Statistics.ResizesForced);
        Free();
    }

    [Fact]
    public void Shrinking_waits_until_less_than_a_tenth_is_filled()
    {
        for (int i = 0; i < 128; i++)
        {
            Insert("m" + i);
        }

        FinishRehash();
        for (int i = 0; i < 115; i++)
        {
            Delete("m" + i);
            Assert.False(_dict.TryShrink());
        }

        Delete("m115"); // 12 of 128 are 9 percent.
        Store.ResizingAllowed = false;
        Assert.False(_dict.TryShrink());
        Store.ResizingAllowed = true;
        Assert.True(_dict.TryShrink());
        Assert.Equal(16, _dict.BucketCountOf(1));
        Free();
    }

    [Fact]
    public void Entries_added_while_a_large_table_shrinks_do_not_pile_up_in_a_few_buckets()
    {
        Assert.True(_dict.TryExpand(1 << 16));
        Insert("a");
        Insert("b");
        Assert.True(_dict.TryShrink());
        Assert.Equal(Dict<MemberLayout>.InitialBucketCount, _dict.BucketCountOf(1));
        for (int i = 1; i <= 4000; i++)
        {
            Insert("m" + i);
            if (i % 400 == 0)
            {
                Assert.InRange(LongestChain(), 1, 12);
            }
        }

        foreach (string member in _model.Keys)
        {
            Assert.True(_dict.Find(Store.HashOf(B(member)), B(member)) != null);
        }

        Free();
    }

    [Fact]
    public void A_table_the_system_refuses_leaves_the_dict_working()
    {
        for (int i = 0; i < 4; i++)
        {
            Insert("m" + i);
        }

        byte[] member = B("m4");
        byte* entry = MemberLayout.Create(Heap, Store.HashOf(member), member);
        Heap.FailAfter(0);
        _dict.Add(entry);
        _model["m4"] = (nint)entry;
        Heap.FailAfter(-1);
        Assert.False(_dict.IsRehashing);
        Assert.Equal(1, Store.MemberRuntime.Statistics.ResizesFailed);
        Insert("m5");
        Assert.True(_dict.IsRehashing);
        AssertSame();
        Free();
    }

    [Fact]
    public void Nothing_moves_while_a_walk_is_under_way()
    {
        for (int i = 0; i < 5; i++)
        {
            Insert("m" + i);
        }

        Assert.True(_dict.IsRehashing);
        long index = _dict.RehashIndex;
        _dict.PauseRehash();
        Assert.True(Has("m1"));
        Assert.True(_dict.RehashStep(10));
        Assert.Equal(index, _dict.RehashIndex);
        _dict.ResumeRehash();
        Assert.True(Has("m1"));
        Assert.NotEqual(index, _dict.RehashIndex);
        Free();
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void A_scan_returns_what_is_there_throughout_whatever_resizes_happen(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 30; round++)
        {
            int stable = random.Next(1, 300);
            for (int i = 0; i < stable; i++)
            {
                Insert("stable" + i);
            }

            var seen = new Collector();
            ulong cursor = 0;
            int calls = 0;
            int others = 0;
            bool grows = random.Next(2) == 0;
            do
            {
                cursor = _dict.Scan<int, Collector, CollectAction>(cursor, 0, ref seen);
                int changes = random.Next(40);
                for (int i = 0; i < changes; i++)
                {
                    if (random.Next(10) < (grows ? 7 : 3))
                    {
                        Insert("other" + others++);
                    }
                    else if (others > 0)
                    {
                        Delete("other" + --others);
                    }
                }

                if (random.Next(20) == 0)
                {
                    grows = !grows;
                }

                if (others < 20)
                {
                    _dict.TryShrink();
                }

                Assert.True(++calls < 200_000);
            }
            while (cursor != 0 && calls < 20_000);

            if (cursor == 0)
            {
                for (int i = 0; i < stable; i++)
                {
                    Assert.Contains("stable" + i, seen.Names);
                }
            }

            foreach (string name in _model.Keys.ToArray())
            {
                Delete(name);
            }

            _dict.TryShrink();
        }

        Free();
    }

    [Fact]
    public void A_scan_of_a_resting_dict_returns_everything_once()
    {
        for (int i = 0; i < 1000; i++)
        {
            Insert("m" + i);
        }

        FinishRehash();
        var seen = new Collector();
        ulong cursor = 0;
        do
        {
            cursor = _dict.Scan<int, Collector, CollectAction>(cursor, 0, ref seen);
        }
        while (cursor != 0);
        Assert.Equal(1000, seen.Count);
        Assert.Equal(1000, seen.Names.Count);
        Free();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(129)]
    [InlineData(200)]
    public void Random_entries_are_chosen_nearly_alike(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Insert("m" + i);
        }

        // 129 has a rehash under way, and stays so because the choice is made while it is paused.
        _dict.PauseRehash();
        var chosen = new Dictionary<string, int>(StringComparer.Ordinal);
        var random = new Random(5);
        for (int i = 0; i < count * 200; i++)
        {
            string name = S(MemberLayout.BytesOf(_dict.FindFairRandom(random)));
            chosen[name] = chosen.GetValueOrDefault(name) + 1;
        }

        _dict.ResumeRehash();
        Assert.Equal(count, chosen.Count);
        Assert.InRange(chosen.Values.Min(), 20, 200);
        Assert.InRange(chosen.Values.Max(), 200, 1000);
        Free();
    }

    [Fact]
    public void A_sample_holds_different_entries()
    {
        for (int i = 0; i < 600; i++)
        {
            Insert("m" + i);
        }

        byte** sample = stackalloc byte*[64];
        var random = new Random(5);
        for (int i = 0; i < 200; i++)
        {
            int count = _dict.Sample(random, sample, 64);
            Assert.InRange(count, 1, 64);
            var distinct = new HashSet<nint>();
            for (int j = 0; j < count; j++)
            {
                Assert.True(distinct.Add((nint)sample[j]));
            }
        }

        Free();
    }

    [Fact]
    public void Long_members_keep_their_length()
    {
        foreach (int length in (int[])[0, 1, 65534, 65535, 65536, 100_000])
        {
            Insert(new string('x', length));
        }

        AssertSame();
        Free();
    }

    [Fact]
    public void The_description_names_both_tables()
    {
        for (int i = 0; i < 5; i++)
        {
            Insert("m" + i);
        }

        var text = new StringBuilder();
        _dict.Describe(text);
        Assert.StartsWith(
            "Hash table 0 stats (main hash table):\n table size: 4\n number of elements: 4\n different slots: ",
            text.ToString(),
            StringComparison.Ordinal);
        Assert.Contains(
            "Hash table 1 stats (rehashing target):\n table size: 8\n number of elements: 1\n different slots: 1\n"
            + " max chain length: 1\n avg chain length (counted): 1.00\n avg chain length (computed): 1.00\n"
            + " Chain length distribution:\n   0: 7 (87.50%)\n   1: 1 (12.50%)\n",
            text.ToString(),
            StringComparison.Ordinal);
        Free();
    }

    private void Run(Random random, Mode mode)
    {
        Store.ResizingAllowed = mode != Mode.Off;
        bool grows = true;
        for (int i = 0; i < 30_000; i++)
        {
            if (i % 2500 == 0)
            {
                grows = !grows;
            }

            if (mode == Mode.Changing && random.Next(100) == 0)
            {
                Store.ResizingAllowed = random.Next(2) == 0;
            }

            string name = "k" + random.Next(3000);
            switch (random.Next(10))
            {
                case < 2:
                    Assert.Equal(_model.ContainsKey(name), Has(name));
                    break;
                case 2:
                    _dict.TryShrink();
                    break;
                case 3 when random.Next(20) == 0:
                    _dict.RehashStep(random.Next(1, 50));
                    break;
                case 4 when _model.TryGetValue(name, out nint old):
                    byte* block = MemberLayout.Create(Heap, Store.HashOf(B(name)), B(name));
                    _dict.Replace((byte*)old, block);
                    MemberLayout.Free(Heap, (byte*)old, FreeFrom.CommandLoop);
                    _model[name] = (nint)block;
                    break;
                default:
                    if (random.Next(10) < (grows ? 8 : 2))
                    {
                        Insert(name);
                    }
                    else
                    {
                        Delete(name);
                    }

                    break;
            }

            if (i % 1000 == 0)
            {
                AssertSame();
            }
        }

        AssertSame();
        Store.ResizingAllowed = true;
    }

    private void AssertSame()
    {
        Assert.Equal(_model.Count, _dict.Count);
        var seen = new Collector();
        _dict.ForEach<int, Collector, CollectAction>(0, ref seen);
        Assert.Equal(_model.Count, seen.Count);
        Assert.Equal(_model.Count, seen.Names.Count);
        foreach (string name in seen.Names)
        {
            Assert.True(_model.ContainsKey(name));
        }
    }

    private bool Has(string name) => _dict.Find(Store.HashOf(B(name)), B(name)) != null;

    private void Insert(string name)
    {
        byte[] member = B(name);
        ulong hash = Store.HashOf(member);
        byte* found = _dict.Find(hash, member);
        Assert.Equal(_model.GetValueOrDefault(name), (nint)found);
        if (found == null)
        {
            byte* entry = MemberLayout.Create(Heap, hash, member);
            _dict.Add(entry);
            _model.Add(name, (nint)entry);
        }
    }

    private void Delete(string name)
    {
        byte* entry = _dict.Remove(Store.HashOf(B(name)), B(name));
        Assert.Equal(_model.GetValueOrDefault(name), (nint)entry);
        if (entry != null)
        {
            MemberLayout.Free(Heap, entry, FreeFrom.CommandLoop);
            _model.Remove(name);
        }
    }

    private void FinishRehash()
    {
        while (_dict.RehashStep(100))
        {
        }
    }

    private long LongestChain()
    {
        var text = new StringBuilder();
        _dict.Describe(text);
        return text.ToString().Split('\n').Where(line => line.StartsWith(" max chain", StringComparison.Ordinal))
            .Max(line => int.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture));
    }

    private void Free() => Dict<MemberLayout>.FreeAll(Heap, _dict.State, FreeFrom.CommandLoop);

    private sealed class Collector
    {
        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public int Count { get; set; }
    }

    private readonly struct CollectAction : IEntryAction<int, Collector>
    {
        public static void Visit(int context, ref Collector state, byte* entry)
        {
            state.Names.Add(S(MemberLayout.BytesOf(entry)));
            state.Count++;
        }
    }
}
