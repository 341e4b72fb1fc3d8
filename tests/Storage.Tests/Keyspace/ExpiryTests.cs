namespace KvServer.Storage.Tests;

public sealed class ExpiryTests : StoreTest
{
    [Fact]
    public void The_index_of_expiry_times_grows_with_keys_that_are_set_with_one()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("k" + i, "v", StartMs + 1000);
        }

        DictFigures figures = Db.GetFigures(ofExpiries: true);
        Assert.InRange(figures.BucketCount0 + figures.BucketCount1, 1024, 4096);
    }

    [Fact]
    public void A_key_whose_time_has_come_gets_no_double_while_it_may_not_be_removed()
    {
        Set("text", "old", StartMs + 1);
        Set("set", "old", StartMs + 1);
        Store.NowMs = StartMs + 10;
        Store.DeletesExpiredKeys = false;
        Db.SetText(K("text"), B("1.5"));
        Assert.Equal(Lookup.Missing, Db.FindForWrite(K("set"), ValueType.Set, out _));
        SetValue.InsertSingle(Db, K("set"), B("member"), SetLimits.Default);
        Assert.Equal(2, Db.Count);
        Store.DeletesExpiredKeys = true;
        Assert.Equal("1.5", Get("text"));
        Assert.Equal(ValueType.Set, Find("set").Type);
        Assert.Equal(0, Db.ExpireCount);
    }

    [Fact]
    public void A_key_lives_through_its_last_millisecond_and_is_removed_after_it()
    {
        var told = new List<string>();
        Store.Expired = (database, key) => told.Add(database.Index + ":" + S(key));
        Set("key", "v", StartMs + 10);
        Store.NowMs = StartMs + 10;
        Assert.Equal("v", Get("key"));
        Store.NowMs = StartMs + 11;
        Assert.Null(Get("key"));
        Assert.Equal(0, Db.Count);
        Assert.Equal(0, Db.ExpireCount);
        Assert.Equal(1, Store.Statistics.ExpiredKeys);
        Assert.Equal(["0:key"], told);
    }

    [Fact]
    public void While_nothing_may_be_deleted_such_a_key_is_just_not_found()
    {
        Set("key", "v", StartMs - 1);
        Store.DeletesExpiredKeys = false;
        Assert.Null(Get("key"));
        Assert.Equal(1, Db.Count);
        Store.ExpireSlowly(10);
        Assert.Equal(1, Db.Count);
        Store.DeletesExpiredKeys = true;
        Assert.Null(Get("key"));
        Assert.Equal(0, Db.Count);
    }

    [Fact]
    public void While_nothing_may_be_deleted_a_write_still_replaces_such_a_key()
    {
        Set("key", "v", StartMs - 1);
        Store.DeletesExpiredKeys = false;
        Set("key", "new");
        Assert.Equal("new", Get("key"));
        Assert.Equal(1, Db.Count);
        Assert.Equal(0, Db.ExpireCount);
    }

    [Fact]
    public void An_expiry_set_later_moves_the_entry_once()
    {
        Set("key", "value");
        Entry entry = Find("key");
        Db.SetExpireAt(ref entry, StartMs + 5);
        long before = Heap.AllocationCount;
        Db.SetExpireAt(ref entry, StartMs + 7);
        Assert.Equal(before, Heap.AllocationCount);
        Assert.Equal(StartMs + 7, Find("key").ExpireAtMs);
        Assert.True(Db.ClearExpire(ref entry));
        Assert.False(Db.ClearExpire(ref entry));
        Assert.Equal(Database.NoExpiry, Find("key").ExpireAtMs);
        Assert.Equal(0, Db.ExpireCount);
        Assert.Equal("value", Get("key"));
        Db.SetExpireAt(ref entry, StartMs + 8);
        Assert.Equal(1, Db.ExpireCount);
    }

    [Fact]
    public void Setting_again_drops_the_expiry_unless_told_to_keep_it()
    {
        Set("key", "value", StartMs + 1000);
        Set("key", "other", Database.KeepExpiry);
        Assert.Equal(StartMs + 1000, Find("key").ExpireAtMs);
        Set("key", "value");
        Assert.Equal(Database.NoExpiry, Find("key").ExpireAtMs);
        Assert.Equal(0, Db.ExpireCount);
        Set("key", "value", Database.KeepExpiry);
        Assert.Equal(Database.NoExpiry, Find("key").ExpireAtMs);
    }

    [Fact]
    public void Setting_with_an_expiry_over_and_over_makes_no_call_to_the_heap()
    {
        Set("key", "value", StartMs + 1000);
        long before = Heap.AllocationCount;
        for (int i = 0; i < 100; i++)
        {
            Set("key", "value", StartMs + 1000 + i);
        }

        Assert.Equal(before, Heap.AllocationCount);
    }

    [Fact]
    public void The_slow_cycle_removes_keys_nobody_asks_for_in_every_database()
    {
        for (int i = 0; i < 2000; i++)
        {
            Set("key" + i, "v", StartMs + 10);
            Store[7].SetString(K("key" + i), B("v"), i < 1000 ? StartMs + 10 : StartMs + 100_000_000);
        }

        Store.NowMs = StartMs + 11;
        for (int i = 0; i < 200; i++)
        {
            Store.ExpireSlowly(10);
        }

        Assert.InRange(Db.Count, 0, 20);
        Assert.InRange(Store[7].Count, 1000, 1250);
        Assert.InRange(Store[7].AverageTtlMs, 1_000_000, 100_000_000);
        Assert.True(Store.Statistics.ExpiredKeys > 2700);
    }

    [Fact]
    public void The_cycle_is_off_when_switched_off()
    {
        Set("key", "v", StartMs - 5);
        Store.ActiveExpireEnabled = false;
        Store.ExpireSlowly(10);
        Store.ExpireFast();
        Assert.Equal(1, Db.Count);
    }

    [Fact]
    public void The_fast_cycle_waits_until_many_keys_are_stale()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("key" + i, "v", StartMs - 5);
        }

        Store.ExpireFast();
        Assert.Equal(1000, Db.Count);
        Store.Statistics.ExpiredStalePercent = 50;
        Store.ExpireFast();
        Assert.True(Db.Count < 1000);
    }

    [Fact]
    public void The_cron_shrinks_tables_and_finishes_the_rehash_of_an_idle_database()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("key" + i, "v", StartMs + 10);
        }

        Store.NowMs = StartMs + 11;
        for (int i = 0; i < 1000; i++)
        {
            Get("key" + i);
        }

        for (int i = 0; i < 100; i++)
        {
            Store.Cron(1);
        }

        DictFigures figures = Db.GetFigures();
        Assert.Equal((4, 0, 0, 0), (figures.BucketCount0, figures.Used0, figures.BucketCount1, figures.Used1));
        Assert.True(figures.Statistics.StepsByCron > 0);
        Assert.Equal(4, Db.GetFigures(ofExpiries: true).BucketCount0);
    }
}
