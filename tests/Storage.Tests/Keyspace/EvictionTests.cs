namespace KvServer.Storage.Tests;

/// <summary>Which keys go when memory is short, how many at a time, and what does not go.</summary>
public sealed class EvictionTests : StoreTest
{
    private readonly List<string> _evicted = [];

    public EvictionTests() => Store.Evicted = (database, key) => _evicted.Add($"{database.Index}:{S(key)}");

    [Fact]
    public void Below_the_limit_nothing_goes()
    {
        Fill(Db, 0, 100);
        Store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        Store.Eviction.LimitBytes = Heap.UsedBytes;

        Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
        Assert.Empty(_evicted);
        Assert.Equal(0, Store.Eviction.TotalExceededMs);
    }

    [Fact]
    public void Without_a_policy_nothing_goes_either_and_that_is_told()
    {
        Fill(Db, 0, 100);
        Store.Eviction.LimitBytes = Heap.UsedBytes - 1;

        Assert.Equal(EvictionResult.Failed, Store.Eviction.MakeRoom());
        Assert.Equal(100, Db.Count);
        Db.Delete(K("k5"));
        Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
    }

    [Fact]
    public void Keys_that_have_not_been_used_for_long_go_before_those_that_have()
    {
        Fill(Db, 0, 2000);
        Store.NowMs += 100_000;
        for (int i = 0; i < 1000; i++)
        {
            Assert.NotNull(Get("k" + i));
        }

        Shrink(EvictionOrder.LeastRecent, onlyVolatile: false, keys: 600);

        Assert.True(Lost(1000, 2000) > 590, $"{Lost(1000, 2000)} of the old ones went.");
        Assert.Equal(Store.Statistics.EvictedKeys, _evicted.Count);
    }

    [Fact]
    public void Keys_that_are_used_often_stay_before_those_used_once()
    {
        Store.CountsFrequency = true;
        Fill(Db, 0, 2000);
        for (int round = 0; round < 40; round++)
        {
            for (int i = 0; i < 1000; i++)
            {
                Assert.NotNull(Get("k" + i));
            }
        }

        Shrink(EvictionOrder.LeastFrequent, onlyVolatile: false, keys: 600);

        Assert.True(Lost(1000, 2000) > 570, $"{Lost(1000, 2000)} of the rare ones went.");
    }

    [Fact]
    public void Keys_whose_time_comes_soon_go_first()
    {
        for (int i = 0; i < 2000; i++)
        {
            Set("k" + i, new string('v', 50), StartMs + 1000 + (i * 1000));
        }

        Fill(Db, 2000, 2100);
        Shrink(EvictionOrder.SoonestExpiry, onlyVolatile: true, keys: 500);

        Assert.Equal(0, Lost(2000, 2100));
        Assert.True(Lost(0, 700) > 330, $"{Lost(0, 700)} of the first to expire went.");
    }

    [Theory]
    [InlineData(EvictionOrder.LeastRecent)]
    [InlineData(EvictionOrder.LeastFrequent)]
    [InlineData(EvictionOrder.Random)]
    [InlineData(EvictionOrder.SoonestExpiry)]
    public void Of_the_volatile_policies_keys_without_expiry_time_have_nothing_to_fear(EvictionOrder order)
    {
        Fill(Db, 0, 300);
        for (int i = 300; i < 400; i++)
        {
            Set("k" + i, new string('v', 50), StartMs + 100_000);
        }

        Store.Eviction.Choose(order, onlyVolatile: true);
        Store.Eviction.Tenacity = 100;
        Store.Eviction.LimitBytes = 1;

        Assert.Equal(EvictionResult.Failed, Store.Eviction.MakeRoom());
        Assert.Equal(300, Db.Count);
        Assert.Equal(100, _evicted.Count);
        Assert.Equal(0, Db.ExpireCount);
    }

    [Fact]
    public void At_random_every_database_loses_some()
    {
        Fill(Store[0], 0, 500);
        Fill(Store[3], 0, 500);
        Fill(Store[7], 0, 500);
        Shrink(EvictionOrder.Random, onlyVolatile: false, keys: 600);

        Assert.All([0, 3, 7], index => Assert.InRange(Store[index].Count, 250, 350));
    }

    [Fact]
    public void The_least_recent_of_all_databases_go()
    {
        Fill(Store[1], 0, 1000);
        Store.NowMs += 50_000;
        Fill(Store[2], 0, 1000);
        Shrink(EvictionOrder.LeastRecent, onlyVolatile: false, keys: 500);

        Assert.True(Store[1].Count < 550, $"{Store[1].Count} old ones stayed.");
    }

    [Fact]
    public void A_candidate_that_has_been_used_since_is_passed_over()
    {
        Fill(Db, 0, 16);
        Store.NowMs += 10_000;
        Store.Eviction.SampleCount = 16;
        Store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        Store.Eviction.LimitBytes = Heap.UsedBytes - 1;
        Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom()); // The others are in the pool now.
        string spared = _evicted[0] == "0:k3" ? "k4" : "k3";
        Assert.NotNull(Get(spared));

        for (int left = 15; left > 1; left--)
        {
            Store.Eviction.LimitBytes = Heap.UsedBytes - 1;
            Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
        }

        Assert.Equal(1, Db.Count);
        Assert.NotNull(Get(spared));
    }

    [Fact]
    public void Candidates_that_were_deleted_moved_or_flushed_do_no_harm()
    {
        Store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        for (int round = 0; round < 50; round++)
        {
            Fill(Db, 0, 64);
            Store.NowMs += 3000;
            Store.Eviction.LimitBytes = Heap.UsedBytes - 1;
            Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
            Store.Eviction.LimitBytes = 0;
            switch (round % 4)
            {
                case 0:
                    Store.FlushAll(inBackground: false);
                    break;
                case 1:
                    Store.Swap(0, 1);
                    break;
                case 2:
                    for (int i = 0; i < 64; i += 2)
                    {
                        Db.Delete(K("k" + i));
                        Set("k" + i, new string('w', 51));
                    }

                    break;
                default:
                    for (int i = 0; i < 64; i += 3)
                    {
                        Db.Move(K("k" + i), Store[2]);
                    }

                    break;
            }
        }
    }

    [Fact]
    public void Without_tenacity_a_call_removes_a_few_keys_and_is_called_again()
    {
        Fill(Db, 0, 1000);
        Store.Eviction.Tenacity = 0;
        Store.Eviction.Choose(EvictionOrder.Random, onlyVolatile: false);
        Store.Eviction.LimitBytes = 1;

        Assert.Equal(EvictionResult.Running, Store.Eviction.MakeRoom());
        Assert.Equal(16, _evicted.Count);
        Assert.True(Store.Eviction.IsRunning);
        Assert.Equal(EvictionResult.Running, Store.Eviction.MakeRoom());
        Assert.Equal(32, _evicted.Count);
        Store.Eviction.LimitBytes = 0;
        Assert.False(Store.Eviction.IsRunning);
    }

    [Fact]
    public void What_the_reclaimer_frees_is_waited_for_before_more_goes()
    {
        Fill(Db, 0, 100);
        Db.SetString(K("large"), new byte[10_000_000]);
        Store.Eviction.Choose(EvictionOrder.Random, onlyVolatile: false);
        Store.Eviction.LimitBytes = Heap.UsedBytes - 1000;
        Db.Delete(K("large"));

        EvictionResult result = Store.Eviction.MakeRoom();
        Store.Reclaimer.WaitUntilIdle();

        Assert.True(result != EvictionResult.Failed);
        Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
        Assert.Equal(100, Db.Count);
    }

    [Fact]
    public void Near_the_limit_a_table_grows_without_emptying_the_store()
    {
        Store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        Store.Eviction.Tenacity = 100;
        Fill(Db, 0, 65_000);
        Store.Eviction.LimitBytes = Heap.UsedBytes + 200_000; // The next table takes five times as much.
        long before = Db.Count;
        long most = 0;
        for (int i = 65_000; i < 200_000; i++)
        {
            long evicted = Store.Statistics.EvictedKeys;
            Db.SetInteger(K("k" + i), i); // Smaller than the others, so there come to be more.
            Assert.NotEqual(EvictionResult.Failed, Store.Eviction.MakeRoom());
            most = Math.Max(most, Store.Statistics.EvictedKeys - evicted);
            Assert.True(Db.Count > before * 9 / 10, $"{Db.Count} of {before} keys are left.");
        }

        Assert.InRange(Heap.UsedBytes, 0, Store.Eviction.LimitBytes);
        Assert.InRange(most, 1, 20);
        Assert.True(Db.GetFigures().Statistics.ResizesPutOff > 0);
        Assert.True(Db.Count > before * 11 / 10, $"{Db.Count} small keys are there now.");
    }

    [Fact]
    public void A_table_that_was_put_off_is_made_when_there_is_room()
    {
        Store.Eviction.Choose(EvictionOrder.LeastRecent, onlyVolatile: false);
        Fill(Db, 0, 65_000);
        Store.Eviction.LimitBytes = Heap.UsedBytes + 100_000;
        for (int i = 65_000; i < 66_000; i++)
        {
            Db.SetInteger(K("k" + i), i);
        }

        Assert.Equal(65_536, Db.GetFigures().BucketCount0);
        Assert.Equal(0, Db.GetFigures().BucketCount1);
        Store.Eviction.LimitBytes *= 2;
        Db.SetInteger(K("one more"), 1);
        Assert.Equal(131_072, Db.GetFigures().BucketCount1);
    }

    // Lets a number of keys' worth of memory go.
    private void Shrink(EvictionOrder order, bool onlyVolatile, int keys)
    {
        long perKey = NativeBytes(50);
        Store.Eviction.Choose(order, onlyVolatile);
        Store.Eviction.Tenacity = 100;
        Store.Eviction.LimitBytes = Heap.UsedBytes - (perKey * keys);
        Assert.Equal(EvictionResult.Enough, Store.Eviction.MakeRoom());
        Assert.InRange(_evicted.Count, keys * 7 / 10, keys + 10);
    }

    private static long NativeBytes(int valueBytes) => 16 + 5 + 1 + valueBytes;

    private int Lost(int from, int to) => Enumerable.Range(from, to - from).Count(i => _evicted.Contains("0:k" + i));

    private void Fill(Database database, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            database.SetString(K("k" + i), B(new string('v', 50)));
        }
    }
}
