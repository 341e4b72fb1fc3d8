using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What a load notices of a save in the background, and what the save costs.</summary>
internal sealed class SaveUnderLoad(BenchmarkOptions options, Contestant[] servers, BackgroundSave save)
{
    private const int MostRounds = 20;

    private readonly int _rounds = options.Quick ? 2 : 5;
    private readonly double _savingSeconds = options.Quick ? 0.5 : 10;
    private readonly TimeSpan _quiet = TimeSpan.FromSeconds(options.Quick ? 1 : 5);
    private readonly TimeSpan _warmUp = TimeSpan.FromSeconds(options.Quick ? 1 : 3);

    /// <summary>Measures both servers in alternating rounds and prints two tables.</summary>
    /// <param name="title">What the load is.</param>
    /// <param name="sources">Makes the requests of all connections anew.</param>
    public async Task RunAsync(string title, Func<IEnumerable<IRequestSource>> sources)
    {
        // The first save is the one that has to get its memory. It also warms up for the others.
        List<(long Before, long Peak)> memory = [];
        foreach (Contestant server in servers)
        {
            memory.Add(await MeasureMemoryAsync(server, sources()));
        }

        // Short saves are repeated until percentiles mean something, within limits.
        List<SaveRound>[] rounds = await AlternatingRounds.RunAsync(
            i => MeasureRoundAsync(servers[i], sources()),
            results => results[0].Count < _rounds || (results[0].Count < MostRounds && results.Any(IsTooShort)));
        Table latency = new("server", "requests", save.Command, "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "longest ms",
            "longest turn ms");
        Table cost = new("server", "saves", "reply ms", "fork ms", "save s", "CPU s per save", "CPU us/request without",
            "during", "during, all threads and children", "resident before MB", "at the peak MB", "ratio");
        foreach ((Contestant server, List<SaveRound> list, (long before, long peak)) in servers.Zip(rounds, memory))
        {
            foreach (string name in list[0].Without.Latencies.Keys)
            {
                AddLatencies(latency, server.Name, name, list);
            }

            cost.Add(
                server.Name, list.Count, Median(r => r.ReplyMs), Median(r => r.ForkMs), Median(r => r.Seconds),
                Median(r => r.SaveCpuSeconds), Median(r => r.Without.ServingCpuMicroseconds),
                Median(r => r.During.ServingCpuMicroseconds), Median(r => r.During.WholeCpuMicroseconds),
                before / 1e6, peak / 1e6, (double)peak / before);

            double Median(Func<SaveRound, double> figure) => Statistics.Median(list.Select(figure));
        }

        latency.Print($"{title}: latencies, medians of interleaved rounds, and the longest of all");
        cost.Print($"{title}: what {save.Command} costs (CPU per request: the threads that serve, unless said otherwise)");
    }

    private static void AddLatencies(Table table, string server, string name, List<SaveRound> rounds)
    {
        BenchmarkRun without = BenchmarkRun.Median([.. rounds.Select(round => round.Without.ToRun(name))]);
        BenchmarkRun during = BenchmarkRun.Median([.. rounds.Select(round => round.During.ToRun(name))]);
        double longestWithout = rounds.Max(round => round.Without.Latencies[name].MaxNs) / 1e6;
        double longestDuring = rounds.Max(round => round.During.Latencies[name].MaxNs) / 1e6;
        double turnWithout = rounds.Max(round => round.Without.LongestTurnMs);
        double turnDuring = rounds.Max(round => round.During.LongestTurnMs);
        AddRow("no", without, longestWithout, turnWithout);
        AddRow("yes", during, longestDuring, turnDuring);
        table.Add(
            server, name, "ratio", during.RequestsPerSecond / without.RequestsPerSecond, during.P50Ms / without.P50Ms,
            during.P99Ms / without.P99Ms, during.P999Ms / without.P999Ms, during.MaxMs / without.MaxMs,
            longestDuring / longestWithout, turnDuring / turnWithout);

        void AddRow(string saving, BenchmarkRun run, double longestMs, double longestTurnMs) => table.Add(
            server, name, saving, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs, longestMs,
            longestTurnMs);
    }

    private bool IsTooShort(List<SaveRound> rounds) => rounds.Sum(round => round.Seconds) < _savingSeconds;

    private async Task<SaveRound> MeasureRoundAsync(Contestant server, IEnumerable<IRequestSource> sources)
    {
        using RespClient client = server.Server.Connect();
        using ConnectionLoad load = new(server, sources);
        await Task.Delay(_quiet / 5); // Connecting fifty clients is no part of it.
        LoadPhase without = await load.MeasureAsync(() => BackgroundSave.AskAsync(client, _quiet), client);
        double replyMs = 0;
        double seconds = 0;
        LoadPhase during = await load.MeasureAsync(async () => (replyMs, seconds) = await save.RunAsync(client), client);
        double forkMs = InfoFields.Read(client, "stats").Integer("latest_fork_usec") / 1e3;
        return new SaveRound(without, during, replyMs, seconds, forkMs);
    }

    private async Task<(long Before, long Peak)> MeasureMemoryAsync(Contestant server, IEnumerable<IRequestSource> sources)
    {
        using RespClient client = server.Server.Connect();
        using ConnectionLoad load = new(server, sources);
        await Task.Delay(_warmUp);
        using MemoryPeak memory = new(server.Server.ProcessId);
        await save.RunAsync(client);
        return (memory.BytesBefore, memory.Stop());
    }
}
