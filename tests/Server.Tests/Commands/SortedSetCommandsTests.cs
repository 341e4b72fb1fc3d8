using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class SortedSetCommandsTests : CommandHarness
{
    private static readonly string Long = new('x', 65);

    [Fact]
    public void Changes_count_towards_the_next_save_as_on_the_reference_server()
    {
        Assert.Equal(3, DirtyAfter("ZADD", "z", "1", "a", "2", "b", "3", "c"));
        Assert.Equal(1, DirtyAfter("ZADD", "z", "1", "a", "5", "b"));
        Assert.Equal(0, DirtyAfter("ZADD", "z", "NX", "7", "a"));
        Assert.Equal(0, DirtyAfter("ZADD", "none", "XX", "7", "a"));
        Assert.Equal(1, DirtyAfter("ZINCRBY", "z", "1", "a"));
        Assert.Equal(0, DirtyAfter("ZINCRBY", "z", "0", "a"));
        Assert.Equal(2, DirtyAfter("ZREM", "z", "a", "b", "x"));
        Run("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d", "5", "e", "6", "f");
        Assert.Equal(2, DirtyAfter("ZREMRANGEBYRANK", "z", "0", "1"));
        Assert.Equal(0, DirtyAfter("ZREMRANGEBYSCORE", "z", "100", "200"));
        Assert.Equal(1, DirtyAfter("ZPOPMIN", "z"));
        Assert.Equal(2, DirtyAfter("ZPOPMAX", "z", "2"));
        Assert.Equal(1, DirtyAfter("ZMPOP", "2", "none", "z", "MIN", "COUNT", "5"));
        Assert.Equal(0, DirtyAfter("ZPOPMAX", "z", "2"));
        Run("ZADD", "z", "1", "a", "2", "b");
        Assert.Equal(1, DirtyAfter("ZRANGESTORE", "d", "z", "0", "-1"));
        Assert.Equal(1, DirtyAfter("ZUNIONSTORE", "d", "1", "z"));
        Assert.Equal(1, DirtyAfter("ZINTERSTORE", "d", "2", "z", "none"));
        Assert.Equal(0, DirtyAfter("ZDIFFSTORE", "d", "1", "none"));
    }

    [Fact]
    public void Scores_are_doubles_in_resp3_and_pairs_are_nested()
    {
        TestClient client = Connect(protocol: 3);
        client.Run("ZADD", "z", "1.5", "a", "inf", "b");
        Assert.Equal(",1.5\r\n", client.Raw("ZSCORE", "z", "a"));
        Assert.Equal("_\r\n", client.Raw("ZSCORE", "z", "x"));
        Assert.Equal("*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,inf\r\n", client.Raw("ZRANGE", "z", "0", "-1", "WITHSCORES"));
        Assert.Equal("*2\r\n:0\r\n,1.5\r\n", client.Raw("ZRANK", "z", "a", "WITHSCORE"));
        Assert.Equal("_\r\n", client.Raw("ZRANK", "z", "x", "WITHSCORE"));
        Assert.Equal("*2\r\n$1\r\na\r\n,1.5\r\n", client.Raw("ZPOPMIN", "z"));
        Assert.Equal("*1\r\n*2\r\n$1\r\nb\r\n,inf\r\n", client.Raw("ZPOPMIN", "z", "1"));
    }

    [Fact]
    public void An_increment_that_is_no_number_changes_nothing()
    {
        Run("ZADD", "z", "inf", "a", "1", "b");
        Assert.Equal("ERR resulting score is not a number (NaN)", Error("ZINCRBY", "z", "-inf", "a"));
        Assert.Equal("ERR resulting score is not a number (NaN)", Error("ZADD", "z", "INCR", "-inf", "a"));
        Assert.Equal("inf", Run("ZSCORE", "z", "a"));
        Assert.Equal("ERR value is not a valid float", Error("ZADD", "z", "5", "b", "nan", "a"));
        Assert.Equal("1", Run("ZSCORE", "z", "b"));
    }

    [Theory]
    [InlineData(128)]
    [InlineData(0)]
    public void A_set_that_loses_its_last_member_loses_its_key(int packedEntries)
    {
        Server.Config.ZsetMaxListpackEntries = packedEntries;
        foreach (string[] command in (string[][])
            [["ZREM", "z", "a", "b"], ["ZREMRANGEBYRANK", "z", "0", "-1"], ["ZREMRANGEBYSCORE", "z", "-inf", "inf"],
                ["ZREMRANGEBYLEX", "z", "-", "+"], ["ZPOPMIN", "z", "2"], ["ZMPOP", "1", "z", "MAX", "COUNT", "9"]])
        {
            Run("ZADD", "z", "1", "a", "1", "b");
            Run(command);
            Assert.Equal(0L, Run("EXISTS", "z"));
        }
    }

    [Fact]
    public void A_scan_meets_every_member_with_its_score()
    {
        for (int i = 0; i < 1000; i++)
        {
            Run("ZADD", "z", Number(i) + ".5", "m" + Number(i));
        }

        Dictionary<string, string> seen = [];
        string cursor = "0";
        do
        {
            object?[] reply = Assert.IsType<object?[]>(Run("ZSCAN", "z", cursor, "COUNT", "20", "MATCH", "m*"));
            cursor = (string)reply[0]!;
            object?[] found = (object?[])reply[1]!;
            for (int i = 0; i < found.Length; i += 2)
            {
                seen[(string)found[i]!] = (string)found[i + 1]!;
            }
        }
        while (cursor != "0");
        Assert.Equal(1000, seen.Count);
        Assert.All(seen, pair => Assert.Equal(pair.Key[1..] + ".5", pair.Value));
    }

    [Fact]
    public void Random_members_are_members()
    {
        Server.Config.ZsetMaxListpackEntries = 0;
        for (int i = 0; i < 200; i++)
        {
            Run("ZADD", "z", Number(i), "m" + Number(i));
        }

        foreach (string count in (string[])["1", "5", "60", "150", "199", "200", "300"])
        {
            object?[] some = Assert.IsType<object?[]>(Run("ZRANDMEMBER", "z", count));
            Assert.Equal(Math.Min(200, int.Parse(count, CultureInfo.InvariantCulture)), some.Length);
            Assert.Equal(some.Length, some.Distinct().Count());
            Assert.All(some, member => Assert.NotNull(Run("ZSCORE", "z", (string)member!)));
        }

        object?[] pairs = Assert.IsType<object?[]>(Run("ZRANDMEMBER", "z", "-500", "WITHSCORES"));
        Assert.Equal(1000, pairs.Length);
        Assert.Equal("m" + pairs[1], pairs[0]);
    }

    [Fact]
    public void A_store_replaces_whatever_the_destination_holds()
    {
        Run("ZADD", "z", "1", "a", "2", Long);
        Run("SET", "d", "string", "EX", "100");
        Assert.Equal(2L, Run("ZUNIONSTORE", "d", "1", "z"));
        Assert.Equal(-1L, Run("TTL", "d"));
        Assert.Equal("skiplist", Run("OBJECT", "ENCODING", "d"));
        Assert.Equal(1L, Run("ZRANGESTORE", "z", "z", "0", "0"));
        Assert.Equal("listpack", Run("OBJECT", "ENCODING", "z"));
        Assert.Equal(0L, Run("ZINTERSTORE", "d", "2", "z", "none"));
        Assert.Equal(0L, Run("EXISTS", "d"));
    }

    [Fact]
    public void Every_way_around_a_key_keeps_its_members()
    {
        Server.Config.ZsetMaxListpackEntries = 2;
        Run("ZADD", "small", "1", "a", "2.5", "b");
        Run("ZADD", "large", "1", "a", "2.5", "b", "-inf", "c");
        foreach (string key in (string[])["small", "large"])
        {
            string before = Raw("ZRANGE", key, "0", "-1", "WITHSCORES");
            Assert.Equal("zset", Run("TYPE", key));
            Assert.True((long)Run("MEMORY", "USAGE", key)! > 40);
            Run("COPY", key, "copy");
            Run("RENAME", "copy", "renamed");
            string dump = (string)Run("DUMP", "renamed")!;
            Run("UNLINK", "renamed");
            Assert.Equal("OK", Run("RESTORE", "restored", "0", dump));
            Run("MOVE", "restored", "1");
            Run("SELECT", "1");
            Assert.Equal(before, Raw("ZRANGE", "restored", "0", "-1", "WITHSCORES"));
            Run("SET", "restored", "gone");
            Run("DEL", "restored");
            Run("SELECT", "0");
        }

        Run("PEXPIRE", "large", "10");
        Advance(20);
        Assert.Equal(0L, Run("ZCARD", "large"));
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
