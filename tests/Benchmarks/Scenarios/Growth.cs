using System.Diagnostics;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Latency of every request while one keyspace grows, beside the same load without growth.</summary>
/// <remarks>
/// The second pass overwrites the same keys, so nothing grows: what is slow there is the machine, not a resize. The
/// same growth in a Dictionary shows what a table costs that moves everything at once.
/// </remarks>
internal static class Growth
{
    private const int Connections = 4;
    private const int Batch = 16;
    private const int Chunk = 10_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        long keys = options.Quick ? 2_000_000 : 20_000_000;
        Table table = new("what grows", "keys", "per second", "p99 ms", "p99.9 ms", "p99.99 ms", "max ms", "over 5 ms", "of them in a resize");
        List<GrowthCurve> curves = [];
        foreach (bool isOurs in new[] { true, false })
        {
            await using ServerProcess server = isOurs ? await options.StartOursAsync() : await options.StartReferenceAsync();
            string name = isOurs ? "ours" : "redis-server";
            curves.Add(Pass(table, server, name, keys));
            Pass(table, server, name + ", same keys again", keys);
        }

        curves.Add(DictionaryGrowth.Run(table, keys));
        table.Print($"SET of new keys, {Connections} connections, {Batch} requests per write");
        string folder = Path.Combine(TestPaths.RepositoryRoot, options.Quick ? "artifacts" : "docs");
        string plot = Path.Combine(Directory.CreateDirectory(folder).FullName, "growth.svg");
        await File.WriteAllTextAsync(plot, GrowthPlot.Draw(curves, keys));
        Console.WriteLine($"Plot: {plot}");
    }

    private static GrowthCurve Pass(Table table, ServerProcess server, string name, long keys)
    {
        KeyFiller[] fillers = [.. Enumerable.Range(0, Connections)
            .Select(_ => new KeyFiller(server.Port, "key:", digits: 8, valueBytes: 8, Batch) { SlowMs = 1 })];
        using ResizeWatch watch = new(server);
        long startedAt = Stopwatch.GetTimestamp();
        long next = 0;
        Thread[] threads = [.. fillers.Select(filler => new Thread(() =>
        {
            // Chunks are handed out in order, so the number of the key says how large the keyspace is.
            for (long first; (first = Interlocked.Add(ref next, Chunk) - Chunk) < keys;)
            {
                filler.Fill(first, (int)Math.Min(Chunk, keys - first));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        double seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;

        Histogram all = new();
        Array.ForEach(fillers, filler => all.Add(filler.Latencies));
        List<SlowRequest> slow = [.. fillers.SelectMany(filler => filler.Slow)];
        SlowRequest[] verySlow = [.. slow.Where(request => request.Ms > 5)];
        table.Add(
            name, keys, keys / seconds, all.PercentileMs(99), all.PercentileMs(99.9), all.PercentileMs(99.99),
            all.MaxNs / 1e6, verySlow.Length, watch.IsAvailable ? verySlow.Count(watch.WasResizing) : "?");
        foreach (KeyFiller filler in fillers)
        {
            filler.Dispose();
        }

        return new GrowthCurve(name, [.. slow.Select(request => (request.Keys, request.Ms))]);
    }
}
