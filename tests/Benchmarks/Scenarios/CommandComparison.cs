using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Drives both servers with one command after another and collects what it costs each.</summary>
/// <param name="heading">What the first column names.</param>
/// <param name="options">How many rounds.</param>
/// <param name="keySpace">How many different values <c>__rand_int__</c> takes.</param>
internal sealed class CommandComparison(string heading, BenchmarkOptions options, int keySpace)
{
    private readonly Table _latency = new(
        heading, "-P", "server", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "CPU us/request");

    private readonly Table _ratios = new(
        heading, "-P", "CPU ours / theirs", "requests/s ours / theirs", "p99 ours / theirs", "p99.9 ours / theirs");

    private bool _hasRows;

    /// <summary>Runs a command in alternating rounds.</summary>
    /// <param name="servers">Ours and the reference.</param>
    /// <param name="name">What the row is called.</param>
    /// <param name="command">The command and its arguments, as redis-benchmark takes them.</param>
    /// <param name="pipeline">Requests per write.</param>
    /// <param name="requests">How many in each round.</param>
    /// <param name="more">More options of redis-benchmark for the server of this index.</param>
    public async Task AddAsync(
        Contestant[] servers, string name, string[] command, int pipeline, long requests, Func<int, string[]>? more = null)
    {
        List<BenchmarkRun>[] runs = await AlternatingRounds.RunAsync(
            options.Quick ? 3 : 7, i => BenchmarkRun.RunAsync(
                servers[i].Server, requests, pipeline, keySpace, command, more: more?.Invoke(i) ?? []));
        BenchmarkRun ours = BenchmarkRun.Median(runs[0]);
        BenchmarkRun theirs = BenchmarkRun.Median(runs[1]);
        foreach ((BenchmarkRun run, Contestant server) in new[] { (ours, servers[0]), (theirs, servers[1]) })
        {
            _latency.Add(
                name, pipeline, server.Name, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs,
                run.CpuMicroseconds);
        }

        _ratios.Add(
            name, pipeline, ours.CpuMicroseconds / theirs.CpuMicroseconds, ours.RequestsPerSecond / theirs.RequestsPerSecond,
            ours.P99Ms / theirs.P99Ms, ours.P999Ms / theirs.P999Ms);
        _hasRows = true;
    }

    /// <summary>Prints the figures and how they compare, if there are any.</summary>
    public void Print(string title)
    {
        if (_hasRows)
        {
            _latency.Print($"{title}, 50 connections, medians of interleaved rounds");
            _ratios.Print("Ratios (CPU, p99 and p99.9: less is better)");
        }
    }
}
