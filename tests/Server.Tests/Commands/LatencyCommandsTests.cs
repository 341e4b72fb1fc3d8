using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class LatencyCommandsTests : CommandHarness
{
    [Fact]
    public void Events_are_remembered_from_the_threshold_on()
    {
        EachCallTakes(100_000);
        Run("GET", "k");
        Run("CONFIG", "SET", "latency-monitor-threshold", "100");
        EachCallTakes(99_999);
        Run("LATENCY", "RESET");
        Run("GET", "k");
        Assert.Empty(Latest());
        EachCallTakes(250_000);
        Run("GET", "k");
        Advance(2_000);
        EachCallTakes(150_000);
        Run("GET", "k");
        Run("KEYS", "x");
        EachCallTakes(0);
        long second = NowMs / 1000;
        Assert.Equal(
            [new object?[] { "fast-command", second, 150L, 250L }, new object?[] { "command", second, 150L, 150L }],
            Latest());
        Assert.Equal(
            [new object?[] { second - 2, 250L }, new object?[] { second, 150L }],
            (object?[])Run("LATENCY", "HISTORY", "fast-command")!);
        Assert.Equal(1L, Run("LATENCY", "RESET", "FAST-command", "nosuch"));
        Assert.Equal(1L, Run("LATENCY", "RESET"));
        Assert.Equal(0L, Run("LATENCY", "RESET"));
    }

    [Fact]
    public void Serving_a_client_that_waited_is_an_event_of_its_own()
    {
        Run("CONFIG", "SET", "latency-monitor-threshold", "100");
        TestClient waiter = Connect();
        waiter.Start("BLPOP", "queue", "0");
        EachCallTakes(150_000);
        Run("RPUSH", "queue", "a");
        EachCallTakes(0);
        Assert.NotEqual("", waiter.TakeOutput());
        object?[] names = [.. Latest().Select(entry => ((object?[])entry!)[0])];
        Assert.Contains("command-unblocking", names);
        Assert.DoesNotContain("command", names); // BLPOP is none; RPUSH is a fast one.
    }

    [Fact]
    public void The_cycle_of_expiry_is_an_event()
    {
        Run("CONFIG", "SET", "latency-monitor-threshold", "1");
        EachCallTakes(2_000);
        Server.RunCron(hz: 10);
        EachCallTakes(0);
        Assert.Contains(Latest(), found => ((object?[])found!)[0] is "expire-cycle");
    }

    [Fact]
    public void The_doctor_tells_what_is_off_what_was_slow_and_what_may_help()
    {
        Assert.Contains("latency-monitor-threshold", Doctor(), StringComparison.Ordinal);
        Run("CONFIG", "SET", "latency-monitor-threshold", "5");
        Assert.StartsWith("Nothing has taken longer", Doctor(), StringComparison.Ordinal);
        EachCallTakes(6_000);
        Run("KEYS", "x");
        Advance(4_000);
        EachCallTakes(12_000);
        Run("KEYS", "x");
        EachCallTakes(0);
        string report = Doctor();
        Assert.Contains(
            "1. command: 2 latency spikes (average 9ms, mean deviation 3ms, period 2.00 sec). Worst all time event 12ms.\n",
            report,
            StringComparison.Ordinal);
        Assert.Contains("- SLOWLOG GET", report, StringComparison.Ordinal);
        Assert.Contains("CONFIG SET slowlog-log-slower-than 5000 ", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Times_of_commands_are_counted_unless_that_is_off()
    {
        EachCallTakes(7);
        Run("SET", "k", "1");
        Run("SET", "k", "2");
        EachCallTakes(50);
        Run("CONFIG", "SET", "latency-tracking", "no");
        Run("SET", "k", "2");
        Assert.Equal("# Latencystats\r\n", Run("INFO", "latencystats"));
        Run("CONFIG", "SET", "latency-tracking", "yes");
        EachCallTakes(0);
        Assert.Equal(
            ["set", new object?[] { "calls", 2L, "histogram_usec", new object?[] { 8L, 2L } }],
            (object?[])Run("LATENCY", "HISTOGRAM", "SET", "nosuch", "get")!);
        Assert.Contains("_set:p50=7.007,p99=7.007,p99.9=7.007\r\n", LatencyStats(), StringComparison.Ordinal);
        Run("CONFIG", "SET", "latency-tracking-info-percentiles", "0 12.5");
        Assert.Contains("_set:p0=6.976,p12.5=7.007\r\n", LatencyStats(), StringComparison.Ordinal);
        Assert.Contains("cmdstat_set:calls=3,usec=64,usec_per_call=21.33,", Info("commandstats"), StringComparison.Ordinal);
        Run("CONFIG", "RESETSTAT");
        Assert.DoesNotContain("_set:", LatencyStats(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_container_stands_for_its_subcommands()
    {
        Run("CONFIG", "GET", "port");
        Run("CONFIG", "SET", "maxmemory", "0");
        object?[] found = (object?[])Run("LATENCY", "HISTOGRAM", "config")!;
        Assert.Equal(["config|get", "config|set"], found.Where((_, i) => i % 2 == 0).Order());
        Assert.Equal("config|get", ((object?[])Run("LATENCY", "HISTOGRAM", "config|get")!)[0]);
    }

    [Fact]
    public void Calls_that_are_timed_together_count_with_their_mean()
    {
        EachCallTakes(90);
        Client.Send("GET a\r\nGET b\r\nGET c\r\n"u8.ToArray());
        EachCallTakes(0);
        Assert.Contains("cmdstat_get:calls=3,usec=90,usec_per_call=30.00,", Info("commandstats"), StringComparison.Ordinal);
        Assert.Contains("_get:p50=30.079,", LatencyStats(), StringComparison.Ordinal);
    }

    [Fact]
    public void Time_in_which_commands_are_queued_or_refused_is_no_commands_time()
    {
        EachCallTakes(10);
        Client.Send("MULTI\r\nSET a 1\r\nGET\r\nDISCARD\r\nGET a\r\n"u8.ToArray());
        EachCallTakes(0);
        string stats = Info("commandstats");
        Assert.All(["multi", "discard", "get"], name => Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"cmdstat_{name}:calls=1,usec=10,"), stats, StringComparison.Ordinal));
    }

    private object?[] Latest() => (object?[])Run("LATENCY", "LATEST")!;

    private string Doctor() => (string)Run("LATENCY", "DOCTOR")!;

    private string LatencyStats() => Info("latencystats");

    private string Info(string section) => (string)Run("INFO", section)!;
}
