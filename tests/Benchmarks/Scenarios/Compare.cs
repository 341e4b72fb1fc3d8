using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The commands of the hot path, both servers side by side in alternating rounds.</summary>
internal static class Compare
{
    private const int KeySpace = 100_000;

    private static readonly (string Name, string[] Command)[] Commands =
    [
        ("SET", ["SET", "key:__rand_int__", "xxx"]),
        ("GET", ["GET", "key:__rand_int__"]),
        ("SADD", ["SADD", "myset", "element:__rand_int__"]),
        ("SISMEMBER", ["SISMEMBER", "myset", "element:__rand_int__"]),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            // Long enough for the runtime to have compiled the hot paths for good; also fills keys and set.
            foreach (Contestant server in servers)
            {
                foreach ((_, string[] command) in Commands)
                {
                    await BenchmarkRun.RunAsync(server.Server, options.Quick ? 300_000 : 1_000_000, 16, KeySpace, command);
                    await BenchmarkRun.RunAsync(server.Server, options.Quick ? 30_000 : 100_000, 1, KeySpace, command);
                }
            }

            Table latency = new("test", "-P", "server", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "CPU us/request");
            Table ratios = new("test", "-P", "CPU ours / theirs", "requests/s ours / theirs", "p99 ours / theirs");
            foreach (int pipeline in new[] { 1, 16 })
            {
                foreach ((string name, string[] command) in Commands.Where(c => c.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase)))
                {
                    await CompareAsync(options, servers, name, command, pipeline, latency, ratios);
                }
            }

            latency.Print("50 connections, 100k keys, medians of interleaved rounds");
            ratios.Print("Ratios (CPU and p99: less is better)");
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }
    }

    private static async Task CompareAsync(
        BenchmarkOptions options,
        Contestant[] servers,
        string name,
        string[] command,
        int pipeline,
        Table latency,
        Table ratios)
    {
        int rounds = options.Quick ? 3 : 7;
        long requests = (options.Quick ? 50_000 : 200_000) * (pipeline == 1 ? 1 : 5);
        List<BenchmarkRun>[] runs = await AlternatingRounds.RunAsync(
            rounds, i => BenchmarkRun.RunAsync(servers[i].Server, requests, pipeline, KeySpace, command));
        BenchmarkRun ours = BenchmarkRun.Median(runs[0]);
        BenchmarkRun theirs = BenchmarkRun.Median(runs[1]);
        foreach ((BenchmarkRun run, Contestant server) in new[] { (ours, servers[0]), (theirs, servers[1]) })
        {
            latency.Add(
                name, pipeline, server.Name, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs, run.CpuMicroseconds);
        }

        ratios.Add(
            name, pipeline, ours.CpuMicroseconds / theirs.CpuMicroseconds,
            ours.RequestsPerSecond / theirs.RequestsPerSecond, ours.P99Ms / theirs.P99Ms);
    }
}
