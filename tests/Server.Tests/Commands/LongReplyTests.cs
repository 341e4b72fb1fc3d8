using System.Globalization;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

/// <summary>Replies of large values that go out in parts.</summary>
public sealed class LongReplyTests : CommandHarness
{
    private const int Elements = LongReply.MinElements + 3000;

    public static TheoryData<string> Reads =>
        ["SMEMBERS set", "HGETALL hash", "HKEYS hash", "HVALS hash", "LRANGE list 0 -1", "LRANGE list 100 -2", "ZRANGE zset 0 -1",
            "ZRANGE zset 1 -3 WITHSCORES", "ZREVRANGE zset 0 -1 WITHSCORES", "ZRANGEBYSCORE zset (7 +inf LIMIT 5 20000",
            "XRANGE stream - +", "XRANGE stream 7-1 10000-3", "XREVRANGE stream + - COUNT 9000", "XREVRANGE stream 10999-5 (5-1"];

    public static TheoryData<string> Changes =>
        ["DEL set hash list zset stream", "FLUSHALL", "FLUSHALL ASYNC", "FLUSHDB", "SET set x", "SADD set new", "SREM set 7", "SPOP set 500",
            "HSET hash new 1", "HSET hash 7 changed", "HDEL hash 7", "RPUSH list new", "LPOP list 700", "LSET list 5000 changed",
            "LTRIM list 1 0", "ZADD zset 5 new", "ZADD zset 90000 7", "ZREM zset 7", "ZREMRANGEBYRANK zset 0 600", "RENAME set hash",
            "RENAME list zset", "MOVE set 3", "PEXPIRE set 1", "PEXPIRE hash 0", "EXPIRE list 100", "SWAPDB 0 1",
            "HPEXPIRE hash 1 FIELDS 2 1 2", "COPY list set REPLACE", "SORT list ALPHA STORE hash", "DEBUG RELOAD NOSAVE",
            "XADD stream * new 1", "XDEL stream 7-1 8000-1 9999-1", "XTRIM stream MAXLEN 10", "XSETID stream 99999-1",
            "XGROUP CREATE stream g 0", "RENAME stream set", "SET stream x", "COPY list stream REPLACE"];

    [Theory]
    [MemberData(nameof(Reads))]
    public void A_long_reply_goes_out_in_parts_and_is_that_of_one_command(string read)
    {
        Fill();
        string[] args = read.Split(' ');
        string expected = Whole(args);
        TestClient reader = Connect();
        Assert.False(reader.Start(args));
        int parts = 1;
        while (!reader.Continue())
        {
            parts++;
            Assert.Equal(read.Contains("stream", StringComparison.Ordinal) ? 0 : 1, Server.Keyspace.PartialReads.Count);
        }

        Assert.True(parts > Elements / 4096, "One part is not a part.");
        Assert.Equal(0, Server.Keyspace.PartialReads.Count);
        Assert.Equal(expected, reader.TakeOutput());
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_change_in_the_middle_is_not_seen_by_any_reader(string change)
    {
        Fill();
        List<(TestClient Reader, string Expected)> readers = [];
        foreach (string read in Reads.Select(row => row.Data))
        {
            for (int partsBefore = 0; partsBefore < 3; partsBefore++)
            {
                string[] args = read.Split(' ');
                readers.Add((Connect(), Whole(args)));
                Assert.False(readers[^1].Reader.Start(args));
                for (int i = 0; i < partsBefore; i++)
                {
                    Assert.False(readers[^1].Reader.Continue());
                }
            }
        }

        Run(change.Split(' '));
        Advance(5);
        Server.Keyspace.ExpireFast();
        Run("EXISTS", "set", "hash", "list", "zset", "stream");
        foreach ((TestClient reader, string expected) in readers)
        {
            while (reader.Session.LongReply is not null)
            {
                reader.Continue();
            }

            Assert.Equal(expected, reader.TakeOutput());
        }

        Assert.Equal(0, Server.Keyspace.PartialReads.Count);
    }

    [Fact]
    public void Look_ups_meanwhile_do_not_move_a_table_that_is_in_mid_rehash()
    {
        int count = 8192;
        Run(["SADD", "set", .. Numbers(count)]);
        Run("SADD", "set", "one more, which begins a rehash");
        string expected = Whole("SMEMBERS", "set");
        TestClient reader = Connect();
        reader.Start("SMEMBERS", "set");
        do
        {
            for (int i = 0; i < 3000; i++)
            {
                Run("SISMEMBER", "set", i.ToString(CultureInfo.InvariantCulture));
            }

            Server.RunCron(10);
        }
        while (!reader.Continue());

        Assert.Equal(expected, reader.TakeOutput());
    }

    [Fact]
    public void Fields_whose_time_comes_meanwhile_are_in_the_reply_that_counted_them()
    {
        Fill();
        Run("HPEXPIRE", "hash", "20", "FIELDS", "3", "1", "2", "3");
        Run("HPEXPIRE", "hash", "10", "FIELDS", "1", "4");
        Advance(15);
        string expected = Whole("HGETALL", "hash");
        TestClient reader = Connect();
        reader.Start("HGETALL", "hash");
        reader.Continue();
        Advance(10);
        while (!reader.Continue())
        {
        }

        Assert.Equal(expected, reader.TakeOutput());
        Assert.Equal((long)Elements - 4, Run("HLEN", "hash"));
    }

    [Fact]
    public void A_large_node_of_few_entries_goes_out_in_several_parts()
    {
        Run("CONFIG", "SET", "stream-node-max-bytes", "0", "stream-node-max-entries", "0");
        string value = new('v', 2000);
        for (int i = 1; i <= LongReply.MinElements; i++)
        {
            Run("XADD", "stream", string.Create(CultureInfo.InvariantCulture, $"{i}-1"), "field", value);
        }

        string expected = Whole("XRANGE", "stream", "-", "+");
        TestClient reader = Connect();
        reader.Start("XRANGE", "stream", "-", "+");
        int parts = 1;
        while (reader.Session.LongReply is not null)
        {
            parts++;
            reader.Continue();
        }

        Assert.Equal(expected, reader.TakeOutput());
        Assert.InRange(parts, 40, 80); // 256 KB each.
    }

    [Theory]
    [InlineData("0", 2)]
    [InlineData("1000", 6)]
    public void An_uncommonly_large_node_of_a_stream_goes_out_in_one_part(string maxEntries, int partsAtLeast)
    {
        Run("CONFIG", "SET", "stream-node-max-bytes", "0", "stream-node-max-entries", maxEntries);
        Fill();
        foreach (string read in new[] { "XRANGE stream - +", "XREVRANGE stream + -" })
        {
            string[] args = read.Split(' ');
            string expected = Whole(args);
            TestClient reader = Connect();
            reader.Start(args);
            int parts = 1;
            while (reader.Session.LongReply is not null)
            {
                parts++;
                reader.Continue();
            }

            Assert.Equal(expected, reader.TakeOutput());
            Assert.InRange(parts, partsAtLeast, partsAtLeast + 6);
        }
    }

    [Fact]
    public void The_next_request_of_a_pipeline_follows_the_whole_reply()
    {
        Fill();
        string expected = Whole("SMEMBERS", "set");
        Assert.Equal(expected + "+PONG\r\n", Client.Send([.. TestClient.Request(["SMEMBERS", "set"]), .. TestClient.Request(["PING"])]));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    public void A_message_stands_behind_the_reply_not_in_it(int bytes)
    {
        Fill();
        string message = new('m', bytes);
        TestClient reader = Connect(protocol: 3);
        reader.Run("SUBSCRIBE", "news");
        reader.Start("HGETALL", "hash");
        reader.Continue();
        Run("PUBLISH", "news", message);
        Run("PUBLISH", "news", "end");
        Assert.Equal(bytes == 10, reader.Session.LongReply is not null); // A short message waits, a long one has no place to.
        while (reader.Session.LongReply is not null)
        {
            reader.Continue();
        }

        string text = reader.TakeOutput();
        string head = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n";
        Assert.StartsWith($"%{Elements}\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith($"{head}${bytes}\r\n{message}\r\n{head}$3\r\nend\r\n", text, StringComparison.Ordinal);
        Assert.Equal(1 + (Elements * 4) + 14, text.Split("\r\n").Length - 1);
        Assert.Equal(0, reader.Session.HeldPushBytes);
    }

    [Fact]
    public void Bytes_of_all_parts_count_for_the_key()
    {
        Fill();
        Run("CONFIG", "RESETSTAT");
        long bytes = 0;
        for (int i = 0; i < 20; i++)
        {
            bytes += Raw("SMEMBERS", "set").Length;
        }

        Assert.Contains(Server.KeyTraffic.ByBytes(3), key => key.Amount > bytes / 2);
    }

    [Fact]
    public void The_rest_that_a_change_has_written_is_time_of_the_loop_once()
    {
        Fill();
        TestClient reader = Connect();
        EachCallTakes(1000);
        Assert.False(reader.Start(["SMEMBERS", "set"]));
        Command sadd = Server.Commands.All.Single(command => command.DisplayName == "sadd");
        long addedBefore = sadd.ElapsedNanos;
        long before = Server.Statistics.Loop.CommandNanos;
        Assert.Equal(1L, Run("SADD", "set", "new"));
        Assert.Null(reader.Session.LongReply);
        Assert.Equal(sadd.ElapsedNanos - addedBefore, Server.Statistics.Loop.CommandNanos - before);
        Assert.True(sadd.ElapsedNanos - addedBefore > 1_000_000);
    }

    [Fact]
    public void A_client_that_goes_away_in_the_middle_leaves_nothing_behind()
    {
        Fill();
        TestClient reader = Connect();
        reader.Start("SMEMBERS", "set");
        reader.Continue();
        reader.Disconnect();
        Assert.Equal(0, Server.Keyspace.PartialReads.Count);
        Assert.Equal(1L, Run("SREM", "set", "7"));
    }

    [Fact]
    public void Two_readers_of_one_value_do_not_disturb_each_other()
    {
        Fill();
        string expected = Whole("SMEMBERS", "set");
        TestClient one = Connect();
        TestClient other = Connect();
        one.Start("SMEMBERS", "set");
        one.Continue();
        other.Start("SMEMBERS", "set");
        Run("SADD", "set", "new");
        Assert.Equal(expected, one.TakeOutput());
        Assert.Equal(expected, other.TakeOutput());
        Assert.False(one.Session.Is(ClientFlags.Suspended));
    }

    [Fact]
    public void A_snapshot_goes_on_beside_a_reader()
    {
        Fill();
        string expected = Whole("HGETALL", "hash");
        TestClient reader = Connect();
        reader.Start("HGETALL", "hash");
        SnapshotCut cut = Server.Keyspace.StartSnapshot(new SnapshotQueue(long.MaxValue));
        Run("HSET", "hash", "5", "changed");
        Run("SADD", "set", "new");
        Assert.Equal(expected, reader.TakeOutput());
        cut.Abort();
    }

    private static IEnumerable<string> Numbers(int count) =>
        Enumerable.Range(0, count).Select(i => (i * 7).ToString(CultureInfo.InvariantCulture));

    // In a transaction nothing goes out in parts.
    private string Whole(params string[] args)
    {
        Run("MULTI");
        Run(args);
        string reply = Raw("EXEC");
        return reply[4..];
    }

    private void Fill()
    {
        string[] members = [.. Numbers(Elements)];
        Run(["SADD", "set", .. members]);
        Run(["HSET", "hash", .. members.SelectMany(member => new[] { member, $"value of {member}" })]);
        Run(["HSET", "hash", "1", "a", "2", "b", "3", "c", "4", "d"]);
        Run("HDEL", "hash", "0", "14", "21", "28");
        Run(["RPUSH", "list", .. members]);
        Run(["ZADD", "zset", .. members.SelectMany(member => new[] { member, member })]);
        for (int i = 0; i < Elements; i++)
        {
            Run("XADD", "stream", string.Create(CultureInfo.InvariantCulture, $"{i}-{1 + (i % 3)}"), "field", members[i]);
        }

        Run("XDEL", "stream", "5-3");
    }
}
