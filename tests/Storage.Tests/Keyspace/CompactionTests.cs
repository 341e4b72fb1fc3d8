using System.Text;
using State = (string Value, long ExpireAtMs);

namespace KvServer.Storage.Tests;

/// <summary>Emptying sparse slabs: keys stay what they are, and the memory comes back.</summary>
/// <remarks>On the real heap, because only that has slabs.</remarks>
public sealed class CompactionTests : IDisposable
{
    private const int Mb = 1024 * 1024;

    private readonly NativeHeap _heap = new();
    private readonly Keyspace _store;
    private long _clockMs;

    public CompactionTests() =>
        _store = new Keyspace(new KeyspaceOptions { Heap = _heap, Random = new Random(7) }) { NowMs = 1_700_000_000_000 };

    public void Dispose()
    {
        _store.Reclaimer.WaitUntilIdle();
        _store.Dispose();
        Assert.Equal(0, _heap.UsedBytes);
    }

    [Fact]
    public void What_sparse_slabs_hold_comes_back_and_no_key_changes()
    {
        for (int i = 0; i < 200_000; i++)
        {
            _store[i % 3].SetString(K("k" + i), Value(i, 60), i % 7 == 0 ? _store.NowMs + 1_000_000 : Database.NoExpiry);
        }

        long full = _heap.HeldBytes;
        for (int i = 0; i < 200_000; i++)
        {
            if (i % 10 != 0)
            {
                _store[i % 3].Delete(K("k" + i));
            }
        }

        Assert.True(_heap.HeldBytes > full * 9 / 10, "Each slab keeps some.");
        while (_store.Eviction.Compaction.Step(100))
        {
        }

        Assert.InRange(_heap.HeldBytes, _heap.UsedBytes, _heap.UsedBytes + (2 * Mb));
        Assert.True(_heap.HeldBytes < full / 2);
        Assert.Equal(0, _store.Eviction.PassedBlocks);
        for (int i = 0; i < 200_000; i += 10)
        {
            AssertHolds(_store[i % 3], "k" + i, Value(i, 60));
        }

        Assert.Equal(2858, _store[0].ExpireCount + _store[1].ExpireCount + _store[2].ExpireCount);
    }

    [Fact]
    public void Fragments_are_given_back_without_a_limit_when_that_is_wanted()
    {
        for (int i = 0; i < 100_000; i++)
        {
            _store[0].SetString(K("k" + i), Value(i, 60));
        }

        for (int i = 0; i < 100_000; i++)
        {
            if (i % 8 != 0)
            {
                _store[0].Delete(K("k" + i));
            }
        }

        long held = _heap.HeldBytes;
        _store.Cron(0);
        Assert.Equal(0, _store.Eviction.CompactionEffort);
        Assert.Equal(long.MaxValue, _store.Eviction.Compact(0));

        _store.Eviction.Defrag = new DefragOptions(
            IsOn: true, IgnoreBytes: Mb, LowerPercent: 10, UpperPercent: 100, MinEffort: 1, MaxEffort: 25);
        _store.Cron(0);
        Assert.Equal(25, _store.Eviction.CompactionEffort);
        long now = 1000;
        for (long wait = 0; wait != long.MaxValue; now += wait)
        {
            wait = _store.Eviction.Compact(now);
            Assert.True(wait is 4 or long.MaxValue, "A millisecond of four, unless there is nothing left.");
        }

        Assert.Equal(0, _store.Eviction.CompactionEffort);

        Assert.InRange(_heap.HeldBytes, _heap.UsedBytes, held / 3);
        for (int i = 0; i < 100_000; i += 8)
        {
            AssertHolds(_store[0], "k" + i, Value(i, 60));
        }
    }

    [Theory]
    [InlineData(1000, 1099, 0)] // Less than the lower bound,
    [InlineData(10, 19, 0)] // or too few bytes.
    [InlineData(1000, 1100, 1)]
    [InlineData(1000, 1550, 13)]
    [InlineData(1000, 2000, 25)]
    [InlineData(1000, 9000, 25)]
    [InlineData(0, 500, 25)]
    [InlineData(1000, 900, 0)]
    public void The_effort_grows_with_the_fragments(long used, long held, int expected)
    {
        DefragOptions options = new(
            IsOn: true, IgnoreBytes: 10, LowerPercent: 10, UpperPercent: 100, MinEffort: 1, MaxEffort: 25);
        Assert.Equal(expected, options.EffortFor(used, held));
        Assert.Equal(0, (options with { IsOn = false }).EffortFor(used, held));
    }

    [Fact]
    public void Long_strings_move_like_short_ones()
    {
        for (int i = 0; i < 4000; i++)
        {
            _store[0].SetString(K("k" + i), Value(i, 5000 + (i % 25_000)));
        }

        long full = _heap.HeldBytes;
        for (int i = 0; i < 4000; i++)
        {
            if (i % 8 != 0)
            {
                _store[0].Delete(K("k" + i));
            }
        }

        int steps = 1;
        while (_store.Eviction.Compaction.Step(64))
        {
            steps++;
        }

        Assert.InRange(steps, 30, int.MaxValue); // Eight would do if all blocks counted alike.
        Assert.InRange(_heap.HeldBytes, _heap.UsedBytes, _heap.UsedBytes + (3 * Mb));
        Assert.True(_heap.HeldBytes < full / 4);
        for (int i = 0; i < 4000; i += 8)
        {
            AssertHolds(_store[0], "k" + i, Value(i, 5000 + (i % 25_000)));
        }
    }

    [Theory]
    [InlineData(EvictionOrder.Nothing, 100)]
    [InlineData(EvictionOrder.LeastRecent, 100)]
    [InlineData(EvictionOrder.LeastRecent, 10)]
    public void What_cannot_be_moved_holds_nobody_up_and_drives_out_one_key_at_a_time(EvictionOrder order, int tenacity)
    {
        for (int i = 0; i < 20; i++)
        {
            SetValue set = SetValue.CreateForResult(_store, SetLimits.Default);
            for (int member = 0; member < 20_000; member++)
            {
                set.Add(Encoding.ASCII.GetBytes($"a member of some length {member}"));
            }

            set.StoreAs(_store[0], K("set" + i), lazily: false);
        }

        for (int i = 0; i < 20; i++)
        {
            Assert.True(_store[0].TryFind(K("set" + i), LookupFlags.None, out Entry entry));
            SetValue set = SetValue.Open(_store[0], entry, SetLimits.Default);
            for (int member = 0; member < 20_000; member++)
            {
                if (member % 10 != 0)
                {
                    set.Remove(Encoding.ASCII.GetBytes($"a member of some length {member}"));
                }
            }
        }

        SnapshotCut snapshot = _store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue)); // Until it ends, they stay.
        _store.Eviction.Choose(order, onlyVolatile: false);
        _store.Eviction.Tenacity = tenacity;
        _store.Eviction.LimitBytes = _heap.UsedBytes + Mb;
        Assert.True(_heap.HeldBytes > _heap.UsedBytes + (6 * Mb));
        for (int i = 0; i < 10; i++)
        {
            long keys = _store[0].Count;
            Assert.Equal(EvictionResult.Enough, _store.Eviction.MakeRoom());
            Assert.InRange(_store[0].Count, keys - (order == EvictionOrder.Nothing ? 0 : 1), keys);
        }

        while (!snapshot.WalkUntil(0))
        {
        }

        _store.Reclaimer.WaitUntilIdle();
        _heap.DrainRemoteFrees(int.MaxValue);
        while (_store.Eviction.Compaction.Step(1000))
        {
        }

        Assert.InRange(_heap.HeldBytes, _heap.UsedBytes, _heap.UsedBytes + (3 * Mb));
        Assert.True(_store.Eviction.Compaction.Parts.MovedBlocks > 10_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Collections_whose_sizes_change_keep_to_the_limit_and_to_a_model(int seed)
    {
        const long Limit = 12 * Mb;
        Random random = new(seed);
        HashLimits limits = new(16, 64);
        Dictionary<string, Dictionary<string, string>> model = new(StringComparer.Ordinal);
        _store.Evicted = (_, key) => Assert.True(model.Remove(Encoding.Latin1.GetString(key)));
        _store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        _store.Eviction.LimitBytes = Limit;
        SnapshotCut? snapshot = null;
        long mostHeld = 0;
        for (int i = 0; i < 240_000; i++)
        {
            int bytes = (i / 40_000 % 3) switch { 0 => random.Next(10, 40), 1 => random.Next(150, 200), _ => random.Next(20, 900) };
            string key = "h" + random.Next(300);
            string field = "f" + random.Next(400);
            string value = new((char)('a' + random.Next(26)), bytes);
            if (!model.TryGetValue(key, out Dictionary<string, string>? fields))
            {
                model.Add(key, fields = new(StringComparer.Ordinal));
                HashValue.InsertSingle(_store[0], K(key), Encoding.Latin1.GetBytes(field), Encoding.Latin1.GetBytes(value), limits);
            }
            else
            {
                Assert.True(_store[0].TryFind(K(key), LookupFlags.Write, out Entry entry));
                HashValue hash = HashValue.Open(_store[0], entry, limits);
                hash.Set(Encoding.Latin1.GetBytes(field), Encoding.Latin1.GetBytes(value));
            }

            fields[field] = value;
            Assert.NotEqual(EvictionResult.Failed, _store.Eviction.MakeRoom());
            if (i % 500 == 0)
            {
                _store.NowMs += 100;
                Tick();
                mostHeld = Math.Max(mostHeld, _heap.HeldBytes + _heap.FreeSlabBytes);
                snapshot ??= random.Next(100) == 0 ? _store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue)) : null;
            }

            if (snapshot?.WalkUntil(0) == true)
            {
                snapshot = null;
            }
        }

        while (snapshot?.WalkUntil(0) == false)
        {
        }

        Assert.Equal(model.Count, _store[0].Count);
        Span<byte> scratch = stackalloc byte[24];
        foreach ((string key, Dictionary<string, string> fields) in model)
        {
            Assert.True(_store[0].TryFind(K(key), LookupFlags.None, out Entry entry));
            HashValue hash = HashValue.Open(_store[0], entry, limits);
            Assert.Equal(fields.Count, hash.Count);
            foreach ((string field, string value) in fields)
            {
                Assert.True(hash.TryGet(Encoding.Latin1.GetBytes(field), out PackedElement found));
                Assert.Equal(value, Encoding.Latin1.GetString(found.AsText(scratch)));
            }
        }

        Assert.True(_store.Eviction.Compaction.Parts.MovedBlocks > 10_000);
        Assert.True(_heap.UsedBytes > Limit * 8 / 10, $"It is not kept by throwing everything away: {_heap.UsedBytes} are used.");
        Assert.InRange(mostHeld, Limit / 2, (Limit * 125 / 100) + (4 * Mb));
    }

    [Fact]
    public void An_entry_that_is_being_read_in_parts_stays_where_it_is()
    {
        for (int i = 0; i < 100_000; i++)
        {
            _store[0].SetString(K("k" + i), Value(i, 60));
        }

        Dictionary<string, Reader> readers = [];
        for (int i = 0; i < 100_000; i++)
        {
            if (i % 20 != 0)
            {
                _store[0].Delete(K("k" + i));
            }
            else if (i % 1000 == 0)
            {
                Assert.True(_store[0].TryFind(K("k" + i), LookupFlags.None, out Entry entry));
                readers.Add("k" + i, new Reader(_store, entry));
            }
        }

        while (_store.Eviction.Compaction.Step(100))
        {
        }

        foreach ((string key, Reader reader) in readers)
        {
            Assert.True(_store[0].TryFind(K(key), LookupFlags.None, out Entry entry));
            Assert.True(reader.Reads(entry));
            Assert.True(_store[0].Delete(K(key)));
            Assert.True(reader.IsComplete);
        }
    }

    [Fact]
    public void A_purge_gives_free_slabs_back()
    {
        for (int i = 0; i < 100_000; i++)
        {
            _store[0].SetString(K("k" + i), Value(i, 200));
        }

        for (int i = 0; i < 100_000; i++)
        {
            if (i % 50 != 0)
            {
                _store[0].Delete(K("k" + i));
            }
        }

        _store.Eviction.Purge();

        Assert.Equal(0, _heap.FreeSlabBytes);
        Assert.InRange(_heap.HeldBytes, 0, _heap.UsedBytes + Mb);
        for (int i = 0; i < 100_000; i += 50)
        {
            AssertHolds(_store[0], "k" + i, Value(i, 200));
        }
    }

    [Fact]
    public void Blocks_that_are_nobodys_any_more_stay_where_they_are()
    {
        for (int i = 0; i < 50_000; i++)
        {
            _store[0].SetString(K("k" + i), Value(i, 60));
        }

        // Half of each slab is on its way back, and nobody has looked at that yet.
        for (int i = 0; i < 50_000; i += 2)
        {
            Assert.True(_store[0].Move(K("k" + i), _store[1]));
        }

        _store[1].Flush(inBackground: true);
        _store.Reclaimer.WaitUntilIdle();
        for (int i = 1; i < 50_000; i += 4)
        {
            _store[0].Delete(K("k" + i));
        }

        while (_store.Eviction.Compaction.Step(1000))
        {
        }

        _heap.DrainRemoteFrees(int.MaxValue);
        for (int i = 3; i < 50_000; i += 4)
        {
            AssertHolds(_store[0], "k" + i, Value(i, 60));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_changes_with_slabs_emptied_and_keys_evicted_meanwhile_agree_with_a_dictionary(int seed)
    {
        Random random = new(seed);
        Dictionary<string, State> model = new(StringComparer.Ordinal);
        Database database = _store[0];
        _store.Evicted = (_, key) => Assert.True(model.Remove(Encoding.Latin1.GetString(key)));
        _store.Eviction.Choose(seed % 2 == 0 ? EvictionOrder.LeastRecent : EvictionOrder.Random, onlyVolatile: false);
        _store.Eviction.LimitBytes = 3 * Mb;
        SnapshotCut? snapshot = null;
        SnapshotQueue? queue = null;
        for (int i = 0; i < 60_000; i++)
        {
            string key = "k" + random.Next(20_000);
            int length = (i / 10_000 % 3) switch { 0 => random.Next(20, 60), 1 => random.Next(300, 400), _ => random.Next(30, 3000) };
            switch (random.Next(8))
            {
                case 0:
                    Assert.Equal(model.Remove(key), database.Delete(K(key)));
                    break;
                case 1 when model.TryGetValue(key, out State old):
                    Assert.True(database.TryFind(K(key), LookupFlags.None, out Entry entry));
                    database.SetExpireAt(ref entry, _store.NowMs + 100_000);
                    model[key] = (old.Value, _store.NowMs + 100_000);
                    break;
                default:
                    string value = new((char)('a' + random.Next(26)), length);
                    model[key] = (value, Database.NoExpiry);
                    database.SetString(K(key), Encoding.Latin1.GetBytes(value));
                    break;
            }

            _store.Eviction.MakeRoom();
            _store.Eviction.Compaction.Step(random.Next(20));
            if (i % 500 == 0)
            {
                Tick();
            }

            if (snapshot is null && random.Next(2000) == 0)
            {
                queue = new SnapshotQueue(limitBytes: long.MaxValue);
                snapshot = _store.StartSnapshot(queue);
            }
            else if (snapshot is not null && random.Next(20) == 0 && snapshot.WalkUntil(0))
            {
                snapshot = null;
            }
        }

        while (snapshot?.WalkUntil(0) == false)
        {
        }

        Assert.Equal(model.Count, database.Count);
        Assert.Equal(model.Values.Count(state => state.ExpireAtMs != Database.NoExpiry), database.ExpireCount);
        foreach ((string key, State state) in model)
        {
            AssertHolds(database, key, Encoding.Latin1.GetBytes(state.Value));
        }

        Assert.True(_store.Eviction.Compaction.MovedEntries > 1000);
        Assert.True(_store.Statistics.EvictedKeys > 1000);
    }

    [Fact]
    public void Whatever_sizes_values_go_through_the_limit_holds_for_what_slabs_keep()
    {
        const long Limit = 24 * Mb;
        Random random = new(11);
        _store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        _store.Eviction.LimitBytes = Limit;
        long mostHeld = 0;
        foreach (int bytes in (int[])[32, 400, 2000, 400, 32, 1000, 100])
        {
            int sets = (int)(2 * Limit / (bytes + 40));
            byte[] value = new byte[bytes];
            for (int i = 0; i < sets; i++)
            {
                _store[0].SetString(K("k" + random.Next(2_000_000)), value);
                Assert.NotEqual(EvictionResult.Failed, _store.Eviction.MakeRoom());
                if (i % 1000 == 0)
                {
                    _store.NowMs += 100;
                    Tick();
                    mostHeld = Math.Max(mostHeld, _heap.HeldBytes + _heap.FreeSlabBytes);
                }
            }

            // It is not kept by throwing everything away.
            Assert.True(_heap.UsedBytes > Limit * 8 / 10, $"With {bytes} bytes only {_heap.UsedBytes} are used.");
            Assert.InRange(_heap.UsedBytes, 0, Limit + (Limit / 16));
        }

        Assert.InRange(mostHeld, Limit / 2, (Limit * 115 / 100) + (4 * Mb));
    }

    [Fact]
    public void Slabs_are_emptied_also_while_there_is_no_time_left_to_evict_for_long_values()
    {
        const long Limit = 24 * Mb;
        _store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        _store.Eviction.LimitBytes = Limit;
        _store.Eviction.Tenacity = 0; // Time has run out after sixteen keys each.
        for (int i = 0; i < 400_000; i++)
        {
            _store[0].SetString(K("k" + i), new byte[32]);
            MakeRoomAtLast();
        }

        long most = 0;
        byte[] value = new byte[25_000];
        for (int i = 0; i < 1000; i++)
        {
            _store[0].SetString(K("long" + i), value);
            MakeRoomAtLast();
            most = Math.Max(most, _heap.HeldBytes);
        }

        Assert.InRange(most, Limit, (Limit * 115 / 100) + (4 * Mb));
        Assert.True(_heap.UsedBytes > Limit * 8 / 10);

        void MakeRoomAtLast()
        {
            EvictionResult result;
            do
            {
                result = _store.Eviction.MakeRoom();
                Assert.NotEqual(EvictionResult.Failed, result);
            }
            while (result == EvictionResult.Running);
        }
    }

    private static byte[] Value(int i, int bytes) => [.. Enumerable.Repeat((byte)('a' + (i % 26)), bytes)];

    private Key K(string key) => _store.KeyOf(Encoding.Latin1.GetBytes(key));

    private void AssertHolds(Database database, string key, byte[] value)
    {
        Assert.True(database.TryFind(K(key), LookupFlags.NoTouch, out Entry entry), key);
        Assert.True(value.AsSpan().SequenceEqual(entry.GetStringSpan(stackalloc byte[Entry.ScratchBytes])), key);
    }

    private void Tick()
    {
        _store.Cron(1);
        _store.Eviction.Compact(_clockMs += 100);
    }

    private sealed class Reader : PartialRead
    {
        public Reader(Keyspace store, Entry entry) => Begin(store, entry);

        public bool IsComplete => !IsReading;

        public unsafe bool Reads(Entry entry) => Entry.Block == entry.Block;

        protected internal override void Complete() => End();
    }
}
