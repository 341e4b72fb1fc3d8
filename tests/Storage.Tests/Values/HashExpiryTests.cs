namespace KvServer.Storage.Tests.Values;

/// <summary>Fields that expire.</summary>
public class HashExpiryTests : HashTest
{
    private readonly List<string> _expired = [];

    public HashExpiryTests() => Store.FieldExpired = (database, key, field, isLast) =>
        _expired.Add($"{database.Index}/{S(key)}/{S(field)}{(isLast ? "!" : "")}");

    [Fact]
    public void A_field_whose_time_has_come_is_not_there()
    {
        Put("h", "a", "1");
        Put("h", "b", "2");
        Expire("h", "a", StartMs + 10);
        Assert.Equal("hashtable", EncodingOf("h"));
        Assert.Equal(1, Db.ExpiringHashCount);
        Store.NowMs = StartMs + 10;
        Assert.Equal("1", Read("h", "a"));
        Store.NowMs = StartMs + 11;
        Assert.Null(Read("h", "a"));
        Assert.Equal(["0/h/a"], _expired);
        Assert.Equal(1, Open("h").Count);
        Assert.Equal(0, Db.ExpiringHashCount);
        Assert.Equal("2", Read("h", "b"));
    }

    [Fact]
    public void The_key_goes_with_its_last_field()
    {
        Put("h", "a", "1");
        Expire("h", "a", StartMs + 10);
        Store.NowMs += 11;
        Assert.Equal(Lookup.Missing, Db.FindForRead(K("h"), ValueType.Hash, out _));
        Assert.Equal(0, Db.Count);
        Assert.Equal(["0/h/a!"], _expired);
    }

    [Fact]
    public void The_cycle_removes_what_nobody_asks_for_in_order()
    {
        for (int i = 0; i < 300; i++)
        {
            Put("h" + (i % 3), "f" + i, "v");
            Expire("h" + (i % 3), "f" + i, StartMs + 1 + i);
        }

        Put("h0", "stays", "v");
        Store.NowMs = StartMs + 151;
        Store.ExpireSlowly(10);
        Assert.Equal(150, _expired.Count);
        Assert.Equal(150, Store.Statistics.ExpiredFields);
        Store.NowMs = StartMs + 1000;
        Store.ExpireSlowly(10);
        Assert.Equal(300, _expired.Distinct().Count());
        Assert.Equal(1, Db.Count);
        Assert.Equal(1, Open("h0").Count);
        Assert.False(Store.HasExpiringFields);
    }

    [Fact]
    public void While_keys_may_not_be_removed_fields_are_only_hidden()
    {
        Put("h", "a", "1");
        Put("h", "b", "2");
        Expire("h", "a", StartMs + 10);
        Expire("h", "b", StartMs + 20);
        Store.NowMs += 11;
        Store.DeletesExpiredKeys = false;
        Store.ExpireSlowly(10);
        Assert.Null(Read("h", "a"));
        Assert.Equal(2, Open("h").Count);
        Assert.Equal(1, Open("h").LiveCount);
        Assert.Equal(["b"], All("h").Keys);
        Assert.False(Open("h").TryGetExpiry(B("a"), out _));
        Assert.False(Remove("h", "a"));
        Assert.Equal("b", Text(Open("h").Pick().Next().Name));
        Assert.True(Put("h", "a", "again"));
        Assert.Equal("again", Read("h", "a"));
        Assert.True(Open("h").TryGetExpiry(B("a"), out long expireAtMs));
        Assert.Equal(Database.NoExpiry, expireAtMs);
    }

    [Fact]
    public void Setting_a_field_ends_its_expiry_unless_it_is_to_be_kept()
    {
        Put("h", "a", "1");
        Put("h", "b", "1");
        Expire("h", "a", StartMs + 10);
        Expire("h", "b", StartMs + 10);
        Put("h", "a", "2");
        HashValue hash = Open("h");
        hash.SetKeepingExpiry(B("b"), B("a value that needs another block"));
        Store.NowMs += 20;
        Assert.Equal("2", Read("h", "a"));
        Assert.Null(Read("h", "b"));
    }

    [Fact]
    public void A_time_can_be_changed_and_taken_away()
    {
        for (int i = 0; i < 20; i++)
        {
            Put("h", "f" + i, "v" + i);
            Expire("h", "f" + i, StartMs + 100 + i);
        }

        Assert.Equal(StartMs + 100, Open("h").FirstExpiryMs);
        Expire("h", "f19", StartMs + 5);
        Assert.Equal(StartMs + 5, Open("h").FirstExpiryMs);
        Expire("h", "f19", StartMs + 500);
        Assert.Equal(StartMs + 100, Open("h").FirstExpiryMs);
        for (int i = 0; i < 20; i++)
        {
            HashValue hash = Open("h");
            hash.Persist(B("f" + i));
        }

        Assert.False(Open("h").HasExpiring);
        Assert.Equal(0, Db.ExpiringHashCount);
        Store.NowMs += 10_000;
        Assert.Equal(20, All("h").Count);
    }

    [Fact]
    public void Expiring_hashes_follow_their_key()
    {
        Put("h", "a", "1");
        Put("h", "b", "2");
        Expire("h", "a", StartMs + 10);
        Entry entry = Find("h");
        Db.SetExpireAt(ref entry, StartMs + 100_000);
        Db.Rename(K("h"), K("renamed"));
        Db.Copy(K("renamed"), Store[1], K("copy"));
        Db.Move(K("renamed"), Store[2]);
        Store.Swap(2, 3);
        Assert.Equal(0, Db.ExpiringHashCount);
        Assert.Equal(1, Store[1].ExpiringHashCount);
        Assert.Equal(1, Store[3].ExpiringHashCount);
        Store.NowMs += 11;
        Store.ExpireSlowly(10);
        Assert.Equal(["1/copy/a", "3/renamed/a"], _expired.Order());
    }

    [Fact]
    public void Overwritten_and_flushed_hashes_expire_nothing()
    {
        foreach (string key in new[] { "a", "b", "c", "d" })
        {
            Put(key, "f", "1");
            Put(key, "g", "1");
            Expire(key, "f", StartMs + 10);
        }

        Db.SetString(K("a"), B("x"));
        Db.SetString(K("b"), B(new string('x', 3000)));
        Db.Delete(K("c"), lazily: true);
        Assert.Equal(1, Db.ExpiringHashCount);
        Store.FlushAll(inBackground: true);
        Put("e", "f", "1");
        Expire("e", "f", StartMs + 20);
        Store.NowMs += 30;
        Store.ExpireSlowly(10);
        Assert.Equal(["0/e/f!"], _expired);
    }

    [Fact]
    public void Running_out_of_memory_leaves_fields_and_queues_whole()
    {
        for (int failAt = 0; failAt < 14; failAt++)
        {
            Db.Delete(K("h"));
            Db.Delete(K("copy"));
            Put("h", "a", "1");
            Put("h", "b", "2");
            Heap.FailAfter(failAt);
            try
            {
                Expire("h", "a", StartMs + 10);
                Expire("h", "b", StartMs + 20);
                Db.Copy(K("h"), Db, K("copy"));
                HashValue hash = Open("h");
                hash.Persist(B("a"));
                Put("h", "b", "3");
            }
            catch (OutOfMemoryException)
            {
                Heap.FailAfter(-1);
                Assert.Equal(["a", "b"], All("h").Keys);
            }

            Heap.FailAfter(-1);
            Heap.Verify();
            Store.NowMs += 1000;
            Store.ExpireSlowly(10);
            Store.NowMs = StartMs;
            Assert.Equal(0, Db.ExpiringHashCount);
        }
    }

    [Fact]
    public void Many_fields_due_at_once_are_removed_in_portions()
    {
        for (int i = 0; i < 1000; i++)
        {
            Put("h", "f" + i, "v");
            Expire("h", "f" + i, StartMs + 5);
        }

        Put("h", "stays", "v");
        Store.NowMs += 10;
        Assert.Equal(["stays"], All("h").Keys);
        Assert.Equal("v", Read("h", "stays"));
        Assert.Equal(64, _expired.Count);
        Assert.Equal(1, Open("h").LiveCount);
        Assert.Equal("stays", Text(Open("h").Pick().Next().Name));
        Store.ExpireSlowly(10);
        Assert.Equal(1, Open("h").Count);
    }

    [Fact]
    public void Picks_from_a_hash_that_is_nearly_expired_find_each_of_the_rest()
    {
        const int Expiring = 5000;
        for (int i = 0; i < Expiring; i++)
        {
            Put("h", "f" + i, "v");
            Expire("h", "f" + i, StartMs + 5);
        }

        Put("h", "a", "v");
        Put("h", "b", "v");
        HashValue hash = Open("h");
        Store.NowMs += 10;
        HashSet<string> picked = [];
        using HashPicks picks = hash.Pick();
        for (int i = 0; i < 200; i++)
        {
            picked.Add(Text(picks.Next().Name));
        }

        Assert.Equal(["a", "b"], picked.Order());
        Assert.Equal(Expiring + 2, hash.Count);
    }

    [Fact]
    public void The_table_shrinks_while_fields_are_removed_by_the_cycle()
    {
        const int Expiring = 20_000;
        for (int i = 0; i < Expiring; i++)
        {
            Put("h", "f" + i, "v");
            Expire("h", "f" + i, StartMs + 5);
        }

        Put("h", "stays", "v");
        Store.NowMs += 10;
        while (Open("h").Count > 1)
        {
            Store.ExpireSlowly(10);
        }

        DictFigures figures = Open("h").Figures;
        Assert.InRange(figures.BucketCount0, 1, Expiring / 4);
    }
}
