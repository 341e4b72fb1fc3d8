using System.Globalization;
using System.Text.RegularExpressions;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>One run of load (redis-benchmark unless said otherwise) against one server, with the processor time it cost that server.</summary>
internal sealed partial record BenchmarkRun(
    double RequestsPerSecond,
    double P50Ms,
    double P99Ms,
    double P999Ms,
    double MaxMs,
    double CpuMicroseconds)
{
    /// <summary>Runs redis-benchmark and reads its report.</summary>
    /// <param name="server">The server to drive.</param>
    /// <param name="requests">How many requests in all.</param>
    /// <param name="pipeline">Requests per write.</param>
    /// <param name="keySpace">How many different values <c>__rand_int__</c> takes.</param>
    /// <param name="command">The command and its arguments, as redis-benchmark takes them.</param>
    /// <param name="clients">Connections.</param>
    /// <param name="more">More options of redis-benchmark: whom to log in as, another port, TLS, threads.</param>
    public static async Task<BenchmarkRun> RunAsync(
        ServerProcess server, long requests, int pipeline, int keySpace, string[] command, int clients = 50,
        params string[] more)
    {
        string[] arguments =
        [
            "-p", Text(server.Port), .. more, "-c", Text(clients), "-n", Text(requests), "-P", Text(pipeline),
            "-r", Text(keySpace), "--precision", "3", .. command,
        ];
        TimeSpan before = ProcessCounters.TotalCpuTime(server.ProcessId);
        ToolRun run = await ToolRun.RunAsync("redis-benchmark", arguments, timeoutSeconds: 1800);
        TimeSpan cpu = ProcessCounters.TotalCpuTime(server.ProcessId) - before;
        if (run.ExitCode != 0 || run.All.Contains("Error", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"redis-benchmark failed:\n{run.All}");
        }

        return Parse(run.Output) with { CpuMicroseconds = cpu.TotalMicroseconds / requests };
    }

    /// <summary>Takes the median of each figure.</summary>
    public static BenchmarkRun Median(IReadOnlyCollection<BenchmarkRun> runs) => new(
        Statistics.Median(runs.Select(r => r.RequestsPerSecond)),
        Statistics.Median(runs.Select(r => r.P50Ms)),
        Statistics.Median(runs.Select(r => r.P99Ms)),
        Statistics.Median(runs.Select(r => r.P999Ms)),
        Statistics.Median(runs.Select(r => r.MaxMs)),
        Statistics.Median(runs.Select(r => r.CpuMicroseconds)));

    [GeneratedRegex(@"throughput summary: (?<rps>[\d.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Throughput { get; }

    [GeneratedRegex(@"(?<percent>[\d.]+)% <= (?<ms>[\d.]+) milliseconds", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Percentile { get; }

    private static BenchmarkRun Parse(string output)
    {
        // Only the first of the two distributions has steps fine enough for p99.9.
        int from = output.IndexOf("Latency by percentile", StringComparison.Ordinal);
        int to = output.IndexOf("Cumulative distribution", StringComparison.Ordinal);
        string distribution = output[from..to];
        (double Percent, double Ms)[] steps = [.. Percentile.Matches(distribution)
            .Select(match => (ToNumber(match.Groups["percent"].Value), ToNumber(match.Groups["ms"].Value)))];
        string[] summary = output[output.LastIndexOf("max", StringComparison.Ordinal)..]
            .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return new BenchmarkRun(
            ToNumber(Throughput.Match(output).Groups["rps"].Value),
            P50Ms: ToNumber(summary[3]),
            P99Ms: ToNumber(summary[5]),
            P999Ms: steps.First(step => step.Percent >= 99.9).Ms,
            MaxMs: ToNumber(summary[6]),
            CpuMicroseconds: 0);
    }

    private static double ToNumber(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
