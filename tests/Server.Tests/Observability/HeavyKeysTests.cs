using System.Globalization;
using System.Text;
using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Observability;

public class HeavyKeysTests
{
    private const int Deviations = 3;

    [Fact]
    public void As_long_as_every_key_has_a_counter_the_figures_are_exact()
    {
        HeavyKeys keys = new();
        for (int i = 0; i < HeavyKeys.Capacity; i++)
        {
            for (int times = 0; times <= i % 7; times++)
            {
                Add(keys, i, weight: i + 1);
            }
        }

        List<HeavyKey> top = keys.Top(HeavyKeys.Capacity);
        Assert.Equal(HeavyKeys.Capacity, top.Count);
        Assert.All(top, key =>
        {
            int number = int.Parse(Encoding.ASCII.GetString(key.Name), CultureInfo.InvariantCulture);
            Assert.Equal((number + 1) * (1L + (number % 7)), key.Amount);
            Assert.Equal(0, key.Error);
        });
        Assert.Equal(top.OrderByDescending(key => key.Amount).Select(key => key.Amount), top.Select(key => key.Amount));
        Assert.Equal(top.Sum(key => key.Amount), keys.Total);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_top_ten_of_a_Zipf_stream_are_found_and_the_error_holds(int seed)
    {
        HeavyKeys keys = new();
        Random random = new(seed);
        long[] truth = new long[200_000];
        double[] sums = Zipf.Sums(truth.Length, exponent: 1.0);
        for (int i = 0; i < 400_000; i++)
        {
            int number = Zipf.Draw(random, sums);
            truth[number]++;
            Add(keys, number, weight: 1);
        }

        List<HeavyKey> top = keys.Top(10);
        Assert.Equal(
            Enumerable.Range(0, truth.Length).OrderByDescending(number => truth[number]).Take(10).Order(),
            top.Select(Number).Order());
        Assert.All(top, key => Assert.InRange(truth[Number(key)], key.Amount, key.Amount + key.Error));
        Assert.All(keys.Top(HeavyKeys.Capacity), key =>
        {
            Assert.InRange(truth[Number(key)], key.Amount, key.Amount + key.Error);
            Assert.InRange(key.Error, 0, keys.Total / HeavyKeys.Capacity);
        });
    }

    [Fact]
    public void A_key_that_becomes_busy_late_gets_a_counter_and_keeps_it()
    {
        HeavyKeys keys = new();
        Random random = new(4);
        for (int i = 0; i < 100_000; i++)
        {
            Add(keys, random.Next(1_000_000), weight: 1);
        }

        for (int i = 0; i < 10_000; i++)
        {
            Add(keys, random.Next(1_000_000), weight: 1);
            if (i % 10 == 0)
            {
                Add(keys, 5_000_000, weight: 1);
            }
        }

        HeavyKey first = keys.Top(1)[0];
        Assert.Equal(5_000_000, Number(first));
        Assert.InRange(1000, first.Amount, first.Amount + first.Error);
    }

    [Fact]
    public void What_may_be_chance_is_left_out()
    {
        HeavyKeys keys = new();
        Random random = new(5);
        for (int i = 0; i < 200_000; i++)
        {
            AddSample(keys, random.Next(5_000_000), weight: 32);
        }

        Assert.Empty(keys.Top(HeavyKeys.Capacity));
        for (int i = 0; i < 100; i++)
        {
            AddSample(keys, 7, weight: 32);
        }

        HeavyKey only = Assert.Single(keys.Top(HeavyKeys.Capacity));
        Assert.Equal(3200, only.Amount);
        Assert.True(only.Error >= Deviations * 32 * 9);
    }

    [Fact]
    public void Long_keys_are_cut_and_told_apart_by_all_their_bytes()
    {
        HeavyKeys keys = new();
        string name = new('n', 1000);
        keys.Add(0, Encoding.ASCII.GetBytes(name + "1"), hash: 1, weight: 5, variance: 0);
        keys.Add(0, Encoding.ASCII.GetBytes(name + "2"), hash: 2, weight: 6, variance: 0);
        List<HeavyKey> top = keys.Top(10);
        Assert.Equal([6, 5], top.Select(key => key.Amount));
        Assert.All(top, key => Assert.Equal(1001, key.NameBytes));
        Assert.All(top, key => Assert.Equal(HeavyKeys.KeptNameBytes, key.Name.Length));
    }

    [Fact]
    public void Databases_are_told_apart()
    {
        HeavyKeys keys = new();
        keys.Add(0, "k"u8, hash: 1, weight: 1, variance: 0);
        keys.Add(3, "k"u8, hash: 1, weight: 2, variance: 0);
        Assert.Equal([3, 0], keys.Top(10).Select(key => key.Database));
    }

    [Fact]
    public void Rates_follow_the_last_seconds_and_fade()
    {
        HeavyKeys keys = new();
        for (int second = 0; second < 60; second++)
        {
            Add(keys, 1, weight: 500);
            keys.SecondPassed();
        }

        Assert.InRange(keys.Top(1)[0].PerSecond, 440, 500);
        for (int second = 0; second < 100; second++)
        {
            keys.SecondPassed();
        }

        Assert.Equal(0, keys.Top(1)[0].PerSecond);
        Assert.Equal(30_000, keys.Top(1)[0].Amount);
        keys.Reset();
        Assert.Empty(keys.Top(1));
        Assert.Equal(0, keys.Total);
    }

    [Fact]
    public void Counters_change_hands_without_losing_a_key_or_allocating()
    {
        // Few different hashes: long runs in the index, whose gaps have to be closed.
        HeavyKeys keys = new();
        Random random = new(6);
        byte[] name = new byte[8];
        long before = 0;
        for (int i = 0; i < 200_000; i++)
        {
            before = i == 1000 ? GC.GetAllocatedBytesForCurrentThread() : before;
            ulong hash = (ulong)random.Next(3000) * 512;
            BitConverter.TryWriteBytes(name, hash);
            keys.Add(0, name, hash, weight: 1, variance: 0);
        }

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 20_000); // The runtime itself may allocate a little.
        List<HeavyKey> all = keys.Top(HeavyKeys.Capacity);
        Assert.Equal(all.Count, all.Select(key => BitConverter.ToUInt64(key.Name)).Distinct().Count());
        Assert.Equal(200_000, keys.Total);
    }

    private static int Number(HeavyKey key) => int.Parse(Encoding.ASCII.GetString(key.Name), CultureInfo.InvariantCulture);

    private static void Add(HeavyKeys keys, int number, long weight) => Add(keys, number, weight, variance: 0);

    private static void AddSample(HeavyKeys keys, int number, long weight) =>
        Add(keys, number, weight, variance: weight * (weight - 1.0));

    private static void Add(HeavyKeys keys, int number, long weight, double variance)
    {
        byte[] name = Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
        ulong hash = ((ulong)number + 1) * 0x9E3779B97F4A7C15;
        keys.Add(0, name, hash ^ (hash >> 29), weight, variance);
    }
}
