namespace KvServer.Storage.Tests;

public sealed class DatabaseTests : StoreTest
{
    [Fact]
    public void Reads_count_hits_and_misses_and_writes_do_not()
    {
        Set("key", "v");
        Db.TryFind(K("key"), LookupFlags.None, out _);
        Db.FindForRead(K("key"), ValueType.Set, out _);
        Db.TryFind(K("none"), LookupFlags.None, out _);
        Db.FindForWrite(K("key"), ValueType.String, out _);
        Db.FindForWrite(K("none"), ValueType.String, out _);
        Db.TryFind(K("none"), LookupFlags.NoStats, out _);
        Assert.Equal(2, Store.Statistics.Hits);
        Assert.Equal(1, Store.Statistics.Misses);
    }

    [Fact]
    public void A_look_up_by_type_tells_missing_wrong_and_found_apart()
    {
        Set("key", "v");
        Assert.Equal(Lookup.Found, Db.FindForRead(K("key"), ValueType.String, out Entry entry));
        Assert.Equal("key", S(entry.KeyBytes));
        Assert.Equal(Lookup.WrongType, Db.FindForWrite(K("key"), ValueType.List, out _));
        Assert.Equal(Lookup.Missing, Db.FindForWrite(K("none"), ValueType.List, out entry));
        Assert.False(entry.IsValid);
    }

    [Fact]
    public void Deleting_a_key_frees_it_with_its_expiry()
    {
        Set("key", new string('v', 10_000), StartMs + 1000);
        Assert.True(Db.Delete(K("key")));
        Assert.False(Db.Delete(K("key")));
        Assert.Equal(0, Db.Count);
        Assert.Equal(0, Db.ExpireCount);
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Entry));
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Expiry));
    }

    [Fact]
    public void A_huge_string_is_freed_in_the_background()
    {
        Set("key", new string('v', 3_000_000));
        Assert.True(Db.Delete(K("key")));
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Value));
    }

    [Fact]
    public void Renaming_takes_value_and_expiry_along_and_replaces_the_target()
    {
        Set("from", "value", StartMs + 1000);
        Set("to", new string('x', 5000), StartMs + 99);
        Assert.True(Db.Rename(K("from"), K("to")));
        Assert.Null(Get("from"));
        Assert.Equal("value", Get("to"));
        Assert.Equal(StartMs + 1000, Find("to").ExpireAtMs);
        Assert.Equal(1, Db.Count);
        Assert.Equal(1, Db.ExpireCount);
        Assert.False(Db.Rename(K("from"), K("x")));
        Assert.True(Db.Rename(K("to"), K("to")));
        Assert.True(Db.Rename(K("to"), K(new string('n', 300))));
        Assert.Equal("value", Get(new string('n', 300)));
    }

    [Fact]
    public void A_long_value_changes_its_name_without_being_copied()
    {
        Set("from", new string('x', 5000));
        Db.Rename(K("from"), K("to"));
        Assert.Equal(new string('x', 5000), Get("to"));
        Assert.Equal(1, Db.Count);
    }

    [Fact]
    public void A_copy_is_independent()
    {
        foreach (string value in (string[])["12", "short", new string('l', 20_000)])
        {
            Set("from", value, StartMs + 1000);
            Assert.True(Db.Copy(K("from"), Store[3], K("to")));
            Assert.True(Db.Copy(K("from"), Db, K("other")));
            Db.Delete(K("from"));
            Assert.Equal(value, Get(Store[3], "to"));
            Assert.Equal(value, Get("other"));
            Assert.Equal(StartMs + 1000, Find("other").ExpireAtMs);
            Assert.Equal(1, Store[3].ExpireCount);
        }

        Assert.False(Db.Copy(K("none"), Db, K("x")));
    }

    [Fact]
    public void A_key_moves_to_a_database_that_does_not_have_it()
    {
        Set("key", "value", StartMs + 1000);
        Store[1].SetString(K("taken"), B("there"));
        Set("taken", "here");
        Assert.True(Db.Move(K("key"), Store[1]));
        Assert.False(Db.Move(K("key"), Store[1]));
        Assert.False(Db.Move(K("taken"), Store[1]));
        Assert.Null(Get("key"));
        Assert.Equal("value", Get(Store[1], "key"));
        Assert.Equal(1, Store[1].ExpireCount);
        Assert.Equal(0, Db.ExpireCount);
    }

    [Fact]
    public void Swapped_databases_trade_places_at_once()
    {
        Set("a", "0", StartMs + 50);
        Store[2].SetString(K("b"), B("2"));
        Database zero = Store[0];
        Store.Swap(0, 2);
        Assert.Same(zero, Store[0]);
        Assert.Equal("2", Get("b"));
        Assert.Equal("0", Get(Store[2], "a"));
        Assert.Equal(1, Store[2].ExpireCount);
        Assert.Equal(0, Db.ExpireCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flush_removes_everything(bool inBackground)
    {
        for (int i = 0; i < 3000; i++)
        {
            Set("key" + i, i % 3 == 0 ? new string('x', 5000) : "v", i % 2 == 0 ? StartMs + 1000 : Database.NoExpiry);
        }

        Store[5].SetString(K("k"), B("v"));
        Assert.Equal(3001, Store.FlushAll(inBackground));
        Assert.Equal(0, Db.Count + Store[5].Count + Db.ExpireCount);
        Assert.Null(Get("key1"));
        Set("key1", "new");
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal("new", Get("key1"));
        Assert.Equal(inBackground ? 3001 : 0, Store.Reclaimer.FreedObjects);
        Assert.Equal(0, Store.Reclaimer.PendingObjects);
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Value));
        Assert.Equal(0, Db.Flush(inBackground: false) - 1);
    }

    [Fact]
    public void Idle_time_counts_from_the_last_access_that_touches()
    {
        Set("key", "v");
        Store.NowMs = StartMs + 10_000;
        Assert.Equal(10_000, Db.IdleTimeMs(Find("key")));
        Get("key");
        Assert.Equal(0, Db.IdleTimeMs(Find("key")));
        Store.NowMs = StartMs + 12_500;
        Store.AccessFlags = LookupFlags.NoTouch;
        Db.FindForRead(K("key"), ValueType.String, out _);
        Assert.Equal(2000, Db.IdleTimeMs(Find("key")));
    }

    [Fact]
    public void With_a_frequency_policy_accesses_are_counted_and_fade()
    {
        Store.CountsFrequency = true;
        Set("key", "v");
        Assert.Equal(5, Db.FrequencyOf(Find("key")));
        for (int i = 0; i < 1000; i++)
        {
            Get("key");
        }

        int counted = Db.FrequencyOf(Find("key"));
        Assert.InRange(counted, 10, 60);
        Store.NowMs += 3 * 60_000;
        Assert.Equal(counted - 3, Db.FrequencyOf(Find("key")));
    }

    [Fact]
    public void A_scan_visits_each_key_and_leaves_out_those_whose_time_has_come()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("key" + i, "v", i % 4 == 0 ? StartMs - 1 : Database.NoExpiry);
        }

        var names = new NameVisitor { Names = [] };
        ulong cursor = 0;
        do
        {
            cursor = Db.Scan(cursor, 10, ref names);
        }
        while (cursor != 0);
        Assert.Equal(750, names.Names.Distinct().Count());
        Assert.DoesNotContain("key4", names.Names);
        Assert.Equal(750, Db.Count);
        Assert.Equal(250, Store.Statistics.ExpiredKeys);
        names.Names.Clear();
        Db.ForEach(ref names);
        Assert.Equal(750, names.Names.Count);
    }

    [Fact]
    public void A_random_key_is_never_one_whose_time_has_come()
    {
        Assert.False(Db.TryFindRandom(out _));
        Set("live", "v");
        for (int i = 0; i < 100; i++)
        {
            Set("dead" + i, "v", StartMs - 1);
        }

        Assert.True(Db.TryFindRandom(out Entry entry));
        Assert.Equal("live", S(entry.KeyBytes));
        Db.Delete(K("live"));
        Assert.False(Db.TryFindRandom(out _));
        Assert.Equal(0, Db.Count);
    }

    [Fact]
    public void The_tables_are_described_as_the_reference_server_does()
    {
        const string Empty =
            "Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n";
        const string One =
            "Hash table 0 stats (main hash table):\n table size: 4\n number of elements: 1\n different slots: 1\n"
            + " max chain length: 1\n avg chain length (counted): 1.00\n avg chain length (computed): 1.00\n"
            + " Chain length distribution:\n   0: 3 (75.00%)\n   1: 1 (25.00%)\n";
        Assert.Equal("[Dictionary HT]\n" + Empty + "[Expires HT]\n" + Empty, Db.DescribeTables());
        Set("key", "1", StartMs + 1000);
        Assert.Equal("[Dictionary HT]\n" + One + "[Expires HT]\n" + One, Db.DescribeTables());
        Assert.Null(Db.DescribeTablesOf(Find("key")));
    }

    [Fact]
    public void Random_operations_agree_with_a_dictionary()
    {
        var model = new Dictionary<string, (string Value, long ExpireAt)>(StringComparer.Ordinal);
        var random = new Random(99);
        for (int i = 0; i < 40_000; i++)
        {
            string key = "k" + random.Next(400);
            switch (random.Next(9))
            {
                case 0 or 1 or 2:
                    string value = random.Next(4) == 0
                        ? random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture)
                        : new string((char)('a' + random.Next(26)), random.Next(random.Next(10) == 0 ? 9000 : 100));
                    long expireAt = random.Next(3) switch
                    {
                        0 => Database.NoExpiry,
                        1 => Database.KeepExpiry,
                        _ => Store.NowMs + random.Next(1, 2000),
                    };
                    Set(key, value, expireAt);
                    long kept = model.TryGetValue(key, out (string Value, long ExpireAt) was)
                        ? was.ExpireAt
                        : Database.NoExpiry;
                    model[key] = (value, expireAt == Database.KeepExpiry ? kept : expireAt);
                    break;
                case 3:
                    Assert.Equal(model.Remove(key), Db.Delete(K(key), lazily: random.Next(2) == 0));
                    break;
                case 4 when model.TryGetValue(key, out (string Value, long ExpireAt) state):
                    Entry entry = Find(key);
                    long at = Store.NowMs + random.Next(1, 3000);
                    Db.SetExpireAt(ref entry, at);
                    model[key] = (state.Value, at);
                    break;
                case 5 when model.TryGetValue(key, out (string Value, long ExpireAt) state):
                    entry = Find(key);
                    Assert.Equal(state.ExpireAt != Database.NoExpiry, Db.ClearExpire(ref entry));
                    model[key] = (state.Value, Database.NoExpiry);
                    break;
                case 6 when model.TryGetValue(key, out (string Value, long ExpireAt) state):
                    entry = Find(key);
                    Db.EditString(ref entry, state.Value.Length + 3, out Span<byte> bytes);
                    bytes[^3..].Fill((byte)'+');
                    model[key] = (state.Value + "+++", state.ExpireAt);
                    break;
                case 7 when model.TryGetValue(key, out (string Value, long ExpireAt) state):
                    string other = "k" + random.Next(400);
                    Assert.True(Db.Rename(K(key), K(other)));
                    model.Remove(key);
                    model[other] = state;
                    break;
                default:
                    Store.NowMs += random.Next(10);
                    Store.Cron(1);
                    break;
            }

            foreach (string dead in model.Where(p => p.Value.ExpireAt != -1 && p.Value.ExpireAt < Store.NowMs)
                .Select(p => p.Key).ToArray())
            {
                model.Remove(dead);
            }

            Assert.Equal(model.TryGetValue(key, out (string Value, long ExpireAt) expected) ? expected.Value : null, Get(key));
            if (i % 2000 == 0)
            {
                Heap.Verify();
                foreach ((string name, (string Value, long ExpireAt) state) in model)
                {
                    Assert.Equal(state.Value, Get(name));
                    Assert.Equal(state.ExpireAt, Find(name).ExpireAtMs);
                }
            }
        }
    }

    private struct NameVisitor : IEntryVisitor
    {
        public List<string> Names;

        public readonly void Visit(in Entry entry) => Names.Add(S(entry.KeyBytes));
    }
}
