using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.Server.Metrics;

namespace KvServer.Server.Tests.Metrics;

public sealed partial class MetricsReportTests : CommandHarness
{
    [Fact]
    public void Each_line_has_the_form_and_each_metric_is_in_one_piece()
    {
        Run("SET", "a", "1", "EX", "100");
        Run("SADD", "s", "x");
        Run("NOSUCH");
        Run("CLIENT", "ID");
        string? current = null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        HashSet<string> samples = new(StringComparer.Ordinal);
        string text = Report();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                current = line.Split(' ')[2];
                Assert.True(seen.Add(current), current);
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.Equal(current, line.Split(' ')[2]);
                Assert.Contains(line.Split(' ')[3], new[] { "gauge", "counter", "summary" });
            }
            else
            {
                Match match = SampleLine().Match(line);
                Assert.True(match.Success, line);
                Assert.True(samples.Add(match.Groups["series"].Value), line);
                Assert.Matches($"^{current}(_sum|_count)?$", match.Groups["name"].Value);
                Assert.True(
                    double.TryParse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out _), line);
            }
        }

        Assert.True(samples.Count > 150);
    }

    [Fact]
    public void Figures_are_those_of_the_commands_that_ran()
    {
        Run("SET", "a", "1", "EX", "100");
        Run("SET", "b", "1");
        Run("GET", "a");
        Run("GET", "missing");
        Run("NOSUCH");
        Run("SELECT", "3");
        Run("SET", "c", "1");
        Run("CONFIG", "SET", "maxclients", "777", "maxmemory", "1gb");
        Expect("redis_up", "1");
        Expect("redis_db_keys{db=\"db0\"}", "2");
        Expect("redis_db_keys_expiring{db=\"db0\"}", "1");
        Expect("redis_db_keys{db=\"db1\"}", "0");
        Expect("redis_db_keys{db=\"db3\"}", "1");
        Expect("redis_db_avg_ttl_seconds{db=\"db3\"}", "0");
        Expect("redis_keyspace_hits_total", "1");
        Expect("redis_keyspace_misses_total", "1");
        Expect("redis_commands_total{cmd=\"set\"}", "3");
        Expect("redis_commands_total{cmd=\"config|set\"}", "1");
        Expect("redis_latency_percentiles_usec_count{cmd=\"set\"}", "3");
        Expect("redis_errors_total{err=\"ERR\"}", "1");
        Expect("redis_config_maxclients", "777");
        Expect("redis_memory_max_bytes", "1073741824");
        Expect("redis_aof_last_write_status", "1");
        Expect("kvserver_dict_entries{db=\"db0\",dict=\"keys\",table=\"0\"}", "2");
        Expect("kvserver_dict_rehash_index{db=\"db0\",dict=\"keys\"}", "-1");
        Expect("redis_start_time_seconds", (FakeClock.StartMs / 1000).ToString(CultureInfo.InvariantCulture));
        Assert.Contains("\nredis_instance_info{role=\"master\",redis_version=\"7.2.4\"", Report(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_grows_with_time_and_calls_is_told_in_seconds()
    {
        Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
        EachCallTakes(250_000);
        Run("GET", "a");
        Advance(5_000);
        Expect("redis_uptime_in_seconds", "5");
        Expect("redis_commands_duration_seconds_total{cmd=\"get\"}", "0.25");
        Expect("redis_last_slow_execution_duration_seconds", "0.25");
    }

    [Theory]
    [InlineData("A\"B", "A\\\"B")]
    [InlineData("A\\B", "A\\\\B")]
    [InlineData("A:B", "A:B")]
    [InlineData("redis_db_keys{db=\"db0\"}", "redis_db_keys{db=\\\"db0\\\"}")]
    public void An_error_code_that_a_client_made_up_breaks_nothing(string code, string label)
    {
        Server.Config.EnableDebugCommand = KvServer.Server.Config.AccessPolicy.Yes;
        Run("DEBUG", "ERROR", code + " and more");
        Expect($"redis_errors_total{{err=\"{label}\"}}", "1");
        Expect("redis_db_keys{db=\"db0\"}", "0");
    }

    [Fact]
    public void A_field_that_info_does_not_have_is_no_metric() =>
        Assert.DoesNotContain("redis_aof_current_size_bytes", Report(), StringComparison.Ordinal); // The file is off.

    private string Report() => Encoding.UTF8.GetString(MetricsReport.Make(ServerFigures.Take(Server), Server.Clock));

    private void Expect(string series, string value) => Assert.Contains(
        $"{series} {value}",
        Report().Split('\n'));

    [GeneratedRegex(
        """^(?<series>(?<name>[a-z_]+)(\{([a-z_]+="([^"\\]|\\["\\n])*",?)+\})?) (?<value>\S+)$""",
        RegexOptions.ExplicitCapture)]
    private static partial Regex SampleLine();
}
