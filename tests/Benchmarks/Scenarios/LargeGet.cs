using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Random reads over a keyspace far larger than the processor's caches.</summary>
internal static class LargeGet
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        int keys = options.Quick ? 1_000_000 : 5_000_000;
        long requests = options.Quick ? 1_000_000 : 5_000_000;
        int rounds = options.Quick ? 3 : 5;
        string[] command = ["GET", "key:__rand_int__"];
        Contestant[] servers = await options.StartBothAsync();
        List<BenchmarkRun>[] runs;
        try
        {
            foreach (Contestant server in servers)
            {
                using KeyFiller filler = new(server.Server.Port, "key:", digits: 12, valueBytes: 64, batch: 128);
                filler.Fill(0, keys);
                await BenchmarkRun.RunAsync(server.Server, requests / 2, 32, keys, command);
            }

            runs = await AlternatingRounds.RunAsync(
                rounds, i => BenchmarkRun.RunAsync(servers[i].Server, requests, 32, keys, command));
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        Table table = new("server", "keys", "requests/s", "p50 ms", "p99 ms", "CPU us/request");
        foreach ((List<BenchmarkRun> list, string name) in runs.Zip(servers.Select(s => s.Name)))
        {
            BenchmarkRun median = BenchmarkRun.Median(list);
            table.Add(name, keys, median.RequestsPerSecond, median.P50Ms, median.P99Ms, median.CpuMicroseconds);
        }

        double ratio = BenchmarkRun.Median(runs[0]).CpuMicroseconds / BenchmarkRun.Median(runs[1]).CpuMicroseconds;
        table.Add("ours / theirs", "", "", "", "", ratio);
        table.Print("Random GET at -P 32, 50 connections, values of 64 bytes");
    }
}
