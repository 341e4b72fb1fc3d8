using System.Globalization;
using Search = KvServer.Server.Observability.BigKeys;

namespace KvServer.Server.Tests.Commands;

public class BigKeysTests : CommandHarness
{
    private const int LongestName = Search.MaxNameBytes;

    public BigKeysTests() => Server.BigKeys.CatchUpBudget = TimeSpan.FromMinutes(1); // A whole pass, however slow the machine.

    [Fact]
    public void Keys_come_by_size_with_type_and_elements()
    {
        Run("SET", "string", new string('x', 50_000));
        Run("SET", "number", "1");
        Run("SELECT", "2");
        for (int i = 0; i < 1000; i++)
        {
            Run("SADD", "set", "member" + i.ToString(CultureInfo.InvariantCulture));
        }

        Run("RPUSH", "list", "a", "b", "c");
        Run("HSET", "hash", "f", "v", "g", "w");
        Run("ZADD", "zset", "1", "m");
        Run("SADD", "integers", "1", "2", "3", "4");
        Run("XADD", "stream", "1-1", "f", "v");
        Dictionary<string, object?> reply = BigKeys();
        Assert.Equal(1L, reply["passes"]);
        Assert.Equal(0L, reply["last-pass-seconds-ago"]);
        Assert.Equal(8L, reply["last-pass-keys"]);
        Assert.Equal(0L, reply["current-pass-keys"]);
        Assert.Equal(8L, reply["keys"]);
        Assert.Equal(
            ["2 set set 1000", "2 integers set 4", "2 list list 3", "2 hash hash 2", "2 stream stream 1", "2 zset zset 1"],
            Maps(reply["by-elements"]).Select(Describe));
        string[] byBytes = [.. Maps(reply["by-bytes"]).Select(Describe)];
        Assert.Equal("2 set set 1000,0 string string 1", string.Join(',', byBytes.Take(2).OrderDescending()));
        Assert.Equal(8, byBytes.Length);
        Assert.All(Maps(reply["by-bytes"]), key =>
        {
            Run("SELECT", ((long)key["db"]!).ToString(CultureInfo.InvariantCulture));
            Assert.Equal(Run("MEMORY", "USAGE", (string)key["key"]!), key["bytes"]);
        });
    }

    [Fact]
    public void Of_many_keys_the_largest_are_found()
    {
        Random random = new(1);
        int[] sizes = [.. Enumerable.Range(1, 3000).Select(i => i * 8)];
        random.Shuffle(sizes);
        foreach (int size in sizes)
        {
            Run("SET", size.ToString(CultureInfo.InvariantCulture), new string('x', size));
        }

        Assert.Equal(
            sizes.Select(size => Run("MEMORY", "USAGE", size.ToString(CultureInfo.InvariantCulture))).OrderDescending().Take(20),
            Maps(BigKeys("COUNT", "20")["by-bytes"]).Select(key => key["bytes"]));
        Assert.Equal(Server.BigKeys.LastPassKeys, sizes.Length);
        Assert.Equal(64, Maps(BigKeys("COUNT", "1000000")["by-bytes"]).Count);
    }

    [Fact]
    public void Keys_that_are_gone_or_have_changed_are_told_as_they_are()
    {
        Run("SET", "renamed", new string('x', 9000));
        Run("SET", "deleted", new string('x', 8000));
        Run("SET", "shrunk", new string('x', 7000));
        Run("SET", "expiring", new string('x', 6000), "PX", "1000");
        Run("SET", "replaced", new string('x', 5000));
        Assert.Equal(5, Maps(BigKeys()["by-bytes"]).Count);

        Server.BigKeys.CatchUpBudget = TimeSpan.Zero; // Only what is known already, and some keys.
        Run("RENAME", "renamed", "new");
        Run("DEL", "deleted");
        Run("SET", "shrunk", "x");
        Run("DEL", "replaced");
        Run("RPUSH", "replaced", "a", "b");
        Advance(2000);
        string[] keys = [.. Maps(BigKeys()["by-bytes"]).Select(Describe)];
        Assert.DoesNotContain("0 renamed string 1", keys);
        Assert.DoesNotContain("0 deleted string 1", keys);
        Assert.DoesNotContain("0 expiring string 1", keys);
        Assert.Contains("0 shrunk string 1", keys);
        Assert.Contains("0 replaced list 2", keys);
    }

    [Fact]
    public void A_type_can_be_asked_for()
    {
        Run("SET", "string", new string('x', 50_000));
        Run("RPUSH", "list", "a");
        Run("ZADD", "zset", "1", "m");
        Assert.Equal(["0 list list 1"], Maps(BigKeys("TYPE", "LIST")["by-bytes"]).Select(Describe));
        Assert.Equal(["0 zset zset 1"], Maps(BigKeys("type", "zset", "count", "5")["by-elements"]).Select(Describe));
        Assert.Empty(Maps(BigKeys("TYPE", "string")["by-elements"]));
        Assert.Empty(Maps(BigKeys("TYPE", "stream")["by-bytes"]));
        Assert.Equal("ERR unknown type name", Error("BIGKEYS", "TYPE", "nosuch"));
        Assert.Equal("ERR syntax error", Error("BIGKEYS", "TYPE"));
        Assert.Equal("ERR syntax error", Error("BIGKEYS", "FOO", "1"));
        Assert.Equal("ERR count should be greater than 0", Error("BIGKEYS", "COUNT", "-1"));
    }

    [Fact]
    public void The_walk_goes_on_in_slices_and_survives_growing_tables()
    {
        for (int i = 0; i < 500; i++)
        {
            Run("SET", "k" + i.ToString(CultureInfo.InvariantCulture), new string('x', i));
        }

        int slices = 0;
        for (int i = 500; Server.BigKeys.Passes == 0; i++)
        {
            Server.BigKeys.Step(TimeSpan.Zero);
            slices++;
            Run("SET", "k" + i.ToString(CultureInfo.InvariantCulture), "x");
            Assert.True(slices < 10_000);
        }

        Assert.True(slices > 20, "The keys were visited in one go.");
        Assert.Equal(Run("MEMORY", "USAGE", "k499"), Server.BigKeys.Largest(null, byElements: false, 1).Single().Bytes);
        long passes = Server.BigKeys.Passes;
        Server.BigKeys.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(passes, Server.BigKeys.Passes); // It rests, for half a minute.
        Advance(29_000);
        Server.BigKeys.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(passes, Server.BigKeys.Passes);
        Advance(2_000);
        Server.BigKeys.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(passes + 1, Server.BigKeys.Passes);
    }

    [Fact]
    public void The_walk_leaves_keys_whose_time_has_come()
    {
        Run("SET", "k", "v", "PX", "10");
        Advance(20);
        Server.BigKeys.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(1, Server.BigKeys.Passes);
        Assert.Equal(0, Server.Keyspace.Statistics.ExpiredKeys);
        Assert.Empty(Server.BigKeys.Largest(null, byElements: false, 10));
    }

    [Fact]
    public void Names_too_long_to_keep_are_counted()
    {
        Run("SET", new string('n', LongestName + 1), "v");
        Run("SET", new string('n', LongestName), "v");
        Dictionary<string, object?> reply = BigKeys();
        Assert.Equal(1L, reply["long-names"]);
        Assert.Equal(LongestName, ((string)Maps(reply["by-bytes"]).Single()["key"]!).Length);
    }

    [Fact]
    public void Reset_and_the_option_forget_what_was_found()
    {
        Run("SET", "k", "v");
        BigKeys();
        Server.BigKeys.CatchUpBudget = TimeSpan.Zero;
        Run("FLUSHALL");
        Run("CONFIG", "RESETSTAT");
        Assert.Equal(0, Server.BigKeys.Passes);
        Server.BigKeys.Switch(on: false);
        Server.BigKeys.Step(TimeSpan.FromMinutes(1));
        Assert.Equal(0, Server.BigKeys.Passes);
        Server.KeyTraffic.Switch(on: false);
        Assert.StartsWith("ERR Keys are not counted", Error("BIGKEYS"), StringComparison.Ordinal);
    }

    private static string Describe(Dictionary<string, object?> key) => $"{key["db"]} {key["key"]} {key["type"]} {key["elements"]}";

    private static List<Dictionary<string, object?>> Maps(object? reply) => [.. ((object?[])reply!).Select(Map)];

    private static Dictionary<string, object?> Map(object? reply) => ((object?[])reply!)
        .Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1], StringComparer.Ordinal);

    private Dictionary<string, object?> BigKeys(params string[] options) => Map(Run(["BIGKEYS", .. options]));
}
