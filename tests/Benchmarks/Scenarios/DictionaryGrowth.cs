using System.Diagnostics;
using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The same number of keys added to a Dictionary, each addition timed.</summary>
internal static class DictionaryGrowth
{
    /// <summary>Adds the keys and a row to the table.</summary>
    public static GrowthCurve Run(Table table, long keys)
    {
        Dictionary<long, byte[]> dictionary = [];
        byte[] value = new byte[8];
        Histogram durations = new();
        List<(long Keys, double Ms)> slow = [];
        int over = 0;
        long startedAt = Stopwatch.GetTimestamp();
        for (long key = 0; key < keys; key++)
        {
            long before = Stopwatch.GetTimestamp();
            dictionary.Add(key * 7_919, value);
            long ns = Stopwatch.GetElapsedTime(before).Ticks * 100;
            durations.Add(ns);
            if (ns > 1_000_000)
            {
                slow.Add((key, ns / 1e6));
                over += ns > 5_000_000 ? 1 : 0;
            }
        }

        double seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        table.Add(
            "Dictionary<long, byte[]>", keys, keys / seconds, durations.PercentileMs(99), durations.PercentileMs(99.9),
            durations.PercentileMs(99.99), durations.MaxNs / 1e6, over, over);
        GC.KeepAlive(dictionary);
        return new GrowthCurve("Dictionary", slow);
    }
}
