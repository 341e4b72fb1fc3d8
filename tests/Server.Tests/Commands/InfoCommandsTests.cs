using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Commands;

public class InfoCommandsTests : CommandHarness
{
    [Fact]
    public void Default_leaves_the_long_sections_out()
    {
        string info = Info();
        Assert.Contains("# Server\r\nredis_version:", info, StringComparison.Ordinal);
        Assert.Contains("\r\n\r\n# Clients\r\n", info, StringComparison.Ordinal);
        Assert.DoesNotContain("# Commandstats", info, StringComparison.Ordinal);
        Assert.Contains("# Commandstats", Info("default", "commandstats"), StringComparison.Ordinal);
        Assert.Contains("# Dicts", Info("everything"), StringComparison.Ordinal);
        Assert.Equal("", Info("nosuch"));
        Assert.StartsWith("# CPU\r\n", Info("CPU"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_line_is_a_field_a_title_or_empty() =>
        Assert.All(
            Info("all").Split("\r\n"),
            line => Assert.True(line.Length == 0 || line.StartsWith("# ", StringComparison.Ordinal) || line.IndexOf(':') > 0));

    [Fact]
    public void Keyspace_counts_keys_and_expiries_of_each_database()
    {
        Run("SET", "a", "1");
        Run("SET", "b", "1", "EX", "100");
        Run("SELECT", "7");
        Run("SET", "c", "1");
        string info = Info("keyspace");
        Assert.Contains("db0:keys=2,expires=1,avg_ttl=", info, StringComparison.Ordinal);
        Assert.Contains("db7:keys=1,expires=0,avg_ttl=0\r\n", info, StringComparison.Ordinal);
        Assert.DoesNotContain("db1:", info, StringComparison.Ordinal);
    }

    [Fact]
    public void Hits_misses_errors_and_calls_are_counted_until_reset()
    {
        Run("SET", "a", "1");
        Run("GET", "a");
        Run("GET", "b");
        Run("GET");
        Run("SADD", "a", "x");
        Assert.Contains("keyspace_hits:1\r\nkeyspace_misses:1\r\n", Info("stats"), StringComparison.Ordinal);
        Assert.Contains("cmdstat_get:calls=2,", Info("commandstats"), StringComparison.Ordinal);
        Assert.Contains("rejected_calls=1,failed_calls=0\r\n", Info("commandstats"), StringComparison.Ordinal);
        Assert.Contains("errorstat_ERR:count=1\r\nerrorstat_WRONGTYPE:count=1\r\n", Info("errorstats"), StringComparison.Ordinal);
        Assert.Equal("OK", Run("CONFIG", "RESETSTAT"));
        Assert.Equal("# Errorstats\r\n", Info("errorstats"));
        Assert.DoesNotContain("cmdstat_get:", Info("commandstats"), StringComparison.Ordinal);
    }

    [Fact]
    public void Debug_must_be_named()
    {
        Assert.StartsWith("# Debug\r\neventloop_duration_aof_sum:0\r\n", Info("debug"), StringComparison.Ordinal);
        Assert.DoesNotContain("# Debug", Info("everything"), StringComparison.Ordinal);
        Assert.DoesNotContain("# Debug", Info(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_time_of_calls_adds_up_and_that_of_EXEC_is_that_of_its_calls()
    {
        EachCallTakes(1000);
        Run("SET", "a", "1");
        Assert.Contains("eventloop_duration_cmd_sum:1000\r\n", Info("stats"), StringComparison.Ordinal);
        Run("CONFIG", "RESETSTAT");
        long before = Server.Statistics.Loop.CommandNanos;
        Run("MULTI");
        Run("SET", "a", "1");
        Run("SADD", "b", "1");
        Run("EXEC");
        long micros = (Server.Statistics.Loop.CommandNanos - before) / 1000;
        Assert.Equal(3000, micros); // MULTI and the two.
    }

    [Fact]
    public void Turns_of_the_loop_are_counted_and_the_longest_is_kept()
    {
        EachCallTakes(1000);
        foreach (int calls in new[] { 1, 3, 1 })
        {
            Executor.BeginTurn();
            for (int i = 0; i < calls; i++)
            {
                Run("SET", "a", "1");
            }

            Executor.EndTurn();
            Executor.NoteTurn();
        }

        LoopTimes loop = Server.Statistics.Loop;
        Assert.Equal(3, loop.Entries);
        Assert.Equal(3, loop.MostCommands);
        Assert.Equal(loop.CommandNanos / 5 * 3 * 2, loop.LongestNanos - 1_000_000); // Each reads the clock at begin and end.
        Assert.InRange(loop.ElapsedNanos, loop.LongestNanos + 1, loop.LongestNanos * 2);
    }

    [Fact]
    public void Dicts_shows_both_tables()
    {
        for (int i = 0; i < 5; i++)
        {
            Run("SET", $"k{i}", "v");
        }

        Assert.Contains("db0_keys:table0_size=4,table0_used=", Info("dicts"), StringComparison.Ordinal);
        Assert.Contains(",table1_size=8,", Info("dicts"), StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_adds_up()
    {
        Run("SET", "k", new string('x', 100_000));
        Dictionary<string, string> memory = Info("memory").Split("\r\n").Where(line => line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':')).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
        long used = Number("used_memory");
        Assert.True(used >= 100_000);
        Assert.Equal(used, Number("used_memory_overhead") + Number("used_memory_dataset"));
        long inHeap = memory.Keys.Where(name => name.StartsWith("heap_", StringComparison.Ordinal)).Sum(Number);
        Assert.Equal(inHeap, Number("allocator_allocated"));
        Assert.InRange(used - inHeap - Number("mem_aof_buffer"), 0, Number("mem_clients_normal")); // Of clients, the buffers.
        Assert.Equal(Number("mem_aof_buffer"), Number("mem_not_counted_for_evict"));
        Assert.True(Number("used_memory_rss") > 1_000_000);

        long Number(string name) => long.Parse(memory[name], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData(0, "0B")]
    [InlineData(1023, "1023B")]
    [InlineData(1024, "1.00K")]
    [InlineData(1_962_934, "1.87M")]
    [InlineData(25_276_510_208, "23.54G")]
    public void Bytes_are_shown_for_people(long bytes, string text) => Assert.Equal(text, InfoWriter.Human(bytes));

    private string Info(params string[] sections) => Assert.IsType<string>(Run(["INFO", .. sections]));
}
