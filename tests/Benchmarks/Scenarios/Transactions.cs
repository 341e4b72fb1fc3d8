using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Transactions of ten SETs, 50 connections with one under way each.</summary>
internal static class Transactions
{
    private const int Connections = 50;
    private const int Sets = 10;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        TimeSpan stretch = TimeSpan.FromSeconds(options.Quick ? 2 : 5);
        Table table = new("server", "transactions/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "CPU us/transaction");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            List<BenchmarkRun>[] runs = await AlternatingRounds.RunAsync(
                options.Quick ? 3 : 7, i => MeasureAsync(servers[i], stretch));
            BenchmarkRun[] medians = [.. runs.Select(BenchmarkRun.Median)];
            foreach ((BenchmarkRun run, Contestant server) in medians.Zip(servers))
            {
                table.Add(
                    server.Name, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs, run.CpuMicroseconds);
            }

            table.Add(
                "ratio", medians[0].RequestsPerSecond / medians[1].RequestsPerSecond, medians[0].P50Ms / medians[1].P50Ms,
                medians[0].P99Ms / medians[1].P99Ms, medians[0].P999Ms / medians[1].P999Ms, medians[0].MaxMs / medians[1].MaxMs,
                medians[0].CpuMicroseconds / medians[1].CpuMicroseconds);
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        table.Print($"MULTI, {Sets} SETs, EXEC in one write, {Connections} connections, medians of interleaved rounds");
    }

    private static async Task<BenchmarkRun> MeasureAsync(Contestant server, TimeSpan stretch)
    {
        using ConnectionLoad load = new(
            server, Enumerable.Range(0, Connections).Select(seed => new TransactionRequests(Sets, seed)));
        await load.MeasureAsync(() => Task.Delay(stretch / 5)); // Connecting is no part of it.
        LoadPhase phase = await load.MeasureAsync(() => Task.Delay(stretch));
        BenchmarkRun run = phase.ToRun("MULTI EXEC");
        return run with { CpuMicroseconds = phase.WholeCpuMicroseconds };
    }
}
