using System.Globalization;
using System.Text;

namespace KvServer.Server.Observability;

/// <summary>LATENCY DOCTOR: what took long, in words, and what may help.</summary>
internal static class LatencyReport
{
    private static readonly (string Event, string Advice)[] Advice =
    [
        ("command", "SLOWLOG GET names the calls that took long. Large values cost time when they are read as a whole; "
            + "ask for parts, or keep them in several keys."),
        ("fast-command", "Commands that do little took long, so the server was held up from outside: look for other load "
            + "on this machine, for swapping, and for a limit on its processor time."),
        ("command-unblocking", "Serving clients that waited for a key took long: look for elements that are large, and for many "
            + "clients that wait for the same key."),
        ("expire-cycle", "Many keys expire at the same time. Spread their times, or let the cycle run oftener and "
            + "shorter with a higher 'hz'."),
        ("eviction-cycle", "Much had to be evicted at once: 'maxmemory' was lowered, or something large was stored."),
        ("aof-write", "The disk takes the append-only file slowly. Keep other programs off it, or use a faster one."),
        ("aof-fsync-always", "With 'appendfsync always' clients wait for the disk. 'everysec' gives up at most the last "
            + "two seconds in a crash and spares them that."),
        ("snapshot-slice", "A save held the loop for long. On a busy machine give the server a processor more."),
    ];

    /// <summary>Writes the report.</summary>
    public static string Make(ServerState server)
    {
        LatencyMonitor latency = server.Latency;
        if (latency.Events.Count == 0)
        {
            return latency.IsOn
                ? "Nothing has taken longer than 'latency-monitor-threshold' allows.\n"
                : "Nothing is watched. CONFIG SET latency-monitor-threshold <milliseconds> makes the server remember "
                    + "whatever takes as long.\n";
        }

        StringBuilder report = new("These events took long:\n\n");
        long nowSeconds = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        int number = 0;
        foreach ((string name, LatencySeries series) in latency.Events)
        {
            Describe(report, ++number, name, series, nowSeconds);
        }

        string[] advice = [.. Advice.Where(line => latency.Events.ContainsKey(line.Event)).Select(line => line.Advice)];
        if (advice.Length > 0)
        {
            report.Append("\nWhat may help:\n\n");
        }

        foreach (string line in advice)
        {
            report.Append("- ").Append(line).Append('\n');
        }

        AdviseOnSlowLog(report, server);
        return report.ToString();
    }

    private static void Describe(StringBuilder report, int number, string name, LatencySeries series, long nowSeconds)
    {
        double mean = series.Samples.Average(sample => sample.Ms);
        double deviation = series.Samples.Average(sample => Math.Abs(sample.Ms - mean));
        long seconds = Math.Max(1, nowSeconds - series.Samples.First().AtSeconds);
        report.Append(
            CultureInfo.InvariantCulture,
            $"{number}. {name}: {series.Samples.Count} latency spikes (average {(long)mean}ms, mean deviation "
            + $"{(long)deviation}ms, period {(double)seconds / series.Samples.Count:F2} sec). Worst all time event "
            + $"{series.MaxMs}ms.\n");
    }

    private static void AdviseOnSlowLog(StringBuilder report, ServerState server)
    {
        long slowMicros = server.Config.SlowlogLogSlowerThanMicros;
        long thresholdMs = server.Config.LatencyMonitorThresholdMs;
        if (server.Latency.Events.ContainsKey("command") && (slowMicros < 0 || slowMicros / 1000.0 > thresholdMs))
        {
            report.Append(
                CultureInfo.InvariantCulture,
                $"- The slow log leaves out calls that are remembered here. CONFIG SET slowlog-log-slower-than "
                + $"{thresholdMs * 1000} makes it name them.\n");
        }
    }
}
