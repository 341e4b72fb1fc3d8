using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>PUBLISH to one subscriber, to a hundred and to five thousand.</summary>
internal static class Publishing
{
    private static readonly (int Subscribers, int Publishers, long Deliveries)[] Cases =
    [
        (1, 1, 60_000), (1, 50, 200_000), (100, 1, 1_000_000), (100, 50, 3_000_000), (5_000, 1, 1_000_000), (5_000, 50, 3_000_000),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        FileLimit.Raise(12_000);
        Table figures = new(
            "subscribers", "publishers", "server", "deliveries/s", "p50 ms", "p99 ms", "max ms", "CPU us/delivery");
        Table ratios = new("subscribers", "publishers", "CPU ours / theirs", "deliveries/s ours / theirs", "p99 ours / theirs");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach ((int subscribers, int publishers, long deliveries) in Cases)
            {
                if (!options.Chooses($"{subscribers}x{publishers}"))
                {
                    continue;
                }

                long messages = Math.Max(1, deliveries / subscribers / (options.Quick ? 4 : 1));
                PublishLoad[] loads = [.. servers.Select(server => new PublishLoad(server, subscribers, publishers))];
                Array.ForEach(loads, load => load.Measure(messages / 2)); // Warms up.
                List<BenchmarkRun>[] runs = await AlternatingRounds.RunAsync(
                    options.Quick ? 5 : 9, i => Task.FromResult(loads[i].Measure(messages)));
                Array.ForEach(loads, load => load.Dispose());
                BenchmarkRun[] medians = [.. runs.Select(BenchmarkRun.Median)];
                foreach ((BenchmarkRun run, Contestant server) in medians.Zip(servers))
                {
                    figures.Add(
                        subscribers, publishers, server.Name, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.MaxMs,
                        run.CpuMicroseconds);
                }

                ratios.Add(
                    subscribers, publishers, medians[0].CpuMicroseconds / medians[1].CpuMicroseconds,
                    medians[0].RequestsPerSecond / medians[1].RequestsPerSecond, medians[0].P99Ms / medians[1].P99Ms);
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        figures.Print("PUBLISH of 64 bytes at -P 1, medians of interleaved rounds");
        ratios.Print("Ratios (CPU and p99: less is better)");
    }
}
