using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

public sealed class StreamCommandsTests : CommandHarness
{
    private readonly TrackingHeap _heap;

    public StreamCommandsTests()
        : this(new TrackingHeap())
    {
    }

    private StreamCommandsTests(TrackingHeap heap)
        : base(heap) => _heap = heap;

    [Fact]
    public void Ids_left_to_the_server_are_the_time_and_only_grow()
    {
        Assert.Equal($"{NowMs}-0", Run("XADD", "s", "*", "a", "1"));
        Assert.Equal($"{NowMs}-1", Run("XADD", "s", "*", "a", "1"));
        Advance(1);
        Assert.Equal($"{NowMs}-0", Run("XADD", "s", "*", "a", "1"));
        Advance(-1000); // The clock may go back, ids do not.
        Assert.Equal($"{NowMs + 1000}-1", Run("XADD", "s", "*", "a", "1"));
        Assert.Equal($"{NowMs + 1000}-2", Run("XADD", "s", $"{NowMs + 1000}-*", "a", "1"));
        Assert.Equal("0-1", Run("XADD", "zero", "0-*", "a", "1"));
    }

    [Fact]
    public void No_id_follows_the_last_one()
    {
        const string Last = "18446744073709551615-18446744073709551615";
        Run("XADD", "s", "18446744073709551615-18446744073709551614", "a", "1");
        Assert.Equal(Last, Run("XADD", "s", "*", "a", "1"));
        Assert.Equal("ERR The stream has exhausted the last possible ID, unable to add more items", Error("XADD", "s", "*", "a", "1"));
        Assert.Equal("ERR invalid start ID for the interval", Error("XRANGE", "s", "(" + Last, "+"));
        Assert.Equal("ERR invalid end ID for the interval", Error("XRANGE", "s", "-", "(0-0"));
        Assert.Null(Run("XREAD", "STREAMS", "s", Last));
    }

    [Fact]
    public void The_dirty_count_grows_as_on_the_reference()
    {
        Assert.Equal(1, DirtyAfter("XADD", "s", "1-1", "a", "1"));
        Assert.Equal(1, DirtyAfter("XADD", "s", "MAXLEN", "1", "2-1", "a", "1"));
        Assert.Equal(0, DirtyAfter("XADD", "none", "NOMKSTREAM", "2-1", "a", "1"));
        Assert.Equal(1, DirtyAfter("XADD", "s", "3-1", "a", "1"));
        Assert.Equal(1, DirtyAfter("XADD", "s", "4-1", "a", "1"));
        Assert.Equal(2, DirtyAfter("XDEL", "s", "2-1", "3-1", "9-9"));
        Assert.Equal(0, DirtyAfter("XTRIM", "s", "MAXLEN", "1"));
        Assert.Equal(1, DirtyAfter("XSETID", "s", "5-1"));
        Assert.Equal(1, DirtyAfter("XGROUP", "CREATE", "s", "g", "0"));
        Assert.Equal(2, DirtyAfter("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"));
        Assert.Equal(1, DirtyAfter("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0"));
        Assert.Equal(0, DirtyAfter("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"));
        Assert.Equal(2, DirtyAfter("XCLAIM", "s", "g", "d", "0", "4-1"));
        Assert.Equal(1, DirtyAfter("XAUTOCLAIM", "s", "g", "c", "0", "0"));
        Assert.Equal(1, DirtyAfter("XACK", "s", "g", "4-1", "4-2"));
        Assert.Equal(0, DirtyAfter("XACK", "s", "g", "4-1"));
        Assert.Equal(1, DirtyAfter("XGROUP", "DELCONSUMER", "s", "g", "d"));
        Assert.Equal(0, DirtyAfter("XGROUP", "DELCONSUMER", "s", "g", "d"));
        Assert.Equal(1, DirtyAfter("XGROUP", "SETID", "s", "g", "$"));
        Assert.Equal(1, DirtyAfter("XGROUP", "DESTROY", "s", "g"));
        Assert.Equal(0, DirtyAfter("XGROUP", "DESTROY", "s", "g"));
    }

    [Fact]
    public void Streams_and_groups_read_as_maps_in_RESP3()
    {
        TestClient client = Connect(protocol: 3);
        client.Run("XADD", "s", "1-1", "a", "1");
        client.Run("XGROUP", "CREATE", "s", "g", "0");
        Assert.Equal("%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n", client.Raw("XREAD", "STREAMS", "s", "0"));
        Assert.Equal(
            "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            client.Raw("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "s", ">", ">"));
        Assert.Equal("_\r\n", client.Raw("XREAD", "STREAMS", "s", "$"));
        Assert.StartsWith("*1\r\n%6\r\n$4\r\nname\r\n$1\r\ng\r\n", client.Raw("XINFO", "GROUPS", "s"));
        Assert.StartsWith("*1\r\n%3\r\n", client.Raw("XINFO", "CONSUMERS", "s", "g"));
        Assert.StartsWith("%10\r\n$6\r\nlength\r\n:1\r\n", client.Raw("XINFO", "STREAM", "s"));
        Assert.StartsWith("%9\r\n", client.Raw("XINFO", "STREAM", "s", "FULL"));
    }

    [Fact]
    public void Approximate_trimming_is_limited_by_the_size_of_nodes()
    {
        Server.Config.StreamNodeMaxEntries = 2;
        for (int i = 1; i <= 1000; i++)
        {
            Run("XADD", "s", $"{i}-1", "a", "1");
        }

        Assert.Equal(200L, Run("XTRIM", "s", "MAXLEN", "~", "0"));
        Assert.Equal(10L, Run("XTRIM", "s", "MAXLEN", "~", "0", "LIMIT", "11"));
        Assert.Equal(0L, Run("XTRIM", "s", "MAXLEN", "~", "0", "LIMIT", "1"));
        Server.Config.StreamNodeMaxEntries = long.MaxValue;
        Assert.Equal(790L, Run("XTRIM", "s", "MAXLEN", "~", "0"));
    }

    [Fact]
    public void Changed_limits_count_from_the_next_entry_on()
    {
        Server.Config.StreamNodeMaxEntries = 1;
        Run("XADD", "s", "1-1", "a", "1");
        Run("XADD", "s", "2-1", "a", "1");
        Server.Config.StreamNodeMaxEntries = 100;
        Run("XADD", "s", "3-1", "a", "1");
        Run("XADD", "s", "4-1", "a", "1");
        var info = (object?[])Run("XINFO", "STREAM", "s")!;
        Assert.Equal("radix-tree-keys", info[2]);
        Assert.Equal(2L, info[3]);
    }

    [Theory]
    [InlineData("XADD s 1000-* a b")]
    [InlineData("XADD s MAXLEN = 500 1000-* a b")]
    [InlineData("XDEL s 5-1")]
    [InlineData("XTRIM s MAXLEN 333")]
    [InlineData("XGROUP CREATE s new 0")]
    [InlineData("XGROUP CREATECONSUMER s g new")]
    [InlineData("XGROUP DELCONSUMER s g c")]
    [InlineData("XGROUP DESTROY s g")]
    [InlineData("XACK s g 7-1")]
    [InlineData("XCLAIM s g c 0 7-1")]
    public void A_command_without_memory_changes_nothing(string line)
    {
        int failures = 0;
        for (int failAt = 0; failAt < 200; failAt++)
        {
            Run("DEL", "s", "copy");
            for (int i = 1; i <= 600; i++)
            {
                Run("XADD", "s", $"{i}-1", "field", "value");
            }

            Run("XGROUP", "CREATE", "s", "g", "0");
            Run("XREADGROUP", "GROUP", "g", "c", "COUNT", "300", "STREAMS", "s", ">");
            Run("COPY", "s", "copy"); // All is shared: every change takes memory.
            string before = Raw("XINFO", "STREAM", "s", "FULL", "COUNT", "0");
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            string reply = client.Raw(line.Split(' '));
            _heap.FailAfter(-1);
            Assert.Equal(before, Raw("XINFO", "STREAM", "copy", "FULL", "COUNT", "0"));
            if (!reply.StartsWith("-OOM", StringComparison.Ordinal))
            {
                Assert.False(reply.StartsWith('-'), reply);
                Assert.NotEqual(before, Raw("XINFO", "STREAM", "s", "FULL", "COUNT", "0"));
                Assert.True(failures > 0);
                return;
            }

            failures++;
            Assert.Equal(before, Raw("XINFO", "STREAM", "s", "FULL", "COUNT", "0"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Fact]
    public void Numbers_as_large_as_they_come_cost_nothing()
    {
        const string Most = "9223372036854775807";
        Run("XADD", "s", "1-1", "a", "1");
        Run("XGROUP", "CREATE", "s", "g", "0");
        Assert.Single((object?[])Run("XRANGE", "s", "-", "+", "COUNT", Most)!);
        Assert.Single((object?[])Run("XREADGROUP", "GROUP", "g", "c", "COUNT", Most, "STREAMS", "s", ">")!);
        Assert.Single((object?[])Run("XPENDING", "s", "g", "-", "+", Most)!);
        Assert.Empty((object?[])Run("XPENDING", "s", "g", "IDLE", Most, "-", "+", Most)!);
        Assert.Equal(3, ((object?[])Run("XAUTOCLAIM", "s", "g", "c", "0", "0", "COUNT", "576460752303423487")!).Length);
        Assert.Equal("ERR COUNT must be > 0", Error("XAUTOCLAIM", "s", "g", "c", "0", "0", "COUNT", Most));
        Assert.Empty((object?[])Run("XCLAIM", "s", "g", "c", Most, "1-1", "RETRYCOUNT", Most, "TIME", Most)!);
        Assert.Single((object?[])Run("XCLAIM", "s", "g", "c", "0", "1-1", "RETRYCOUNT", Most, "IDLE", "-9223372036854775808")!);
        Assert.Equal(0L, Run("XTRIM", "s", "MAXLEN", "~", Most, "LIMIT", Most));
        Assert.Equal(18, ((object?[])Run("XINFO", "STREAM", "s", "FULL", "COUNT", Most)!).Length);
        Assert.Equal("OK", Run("XSETID", "s", "1-1", "ENTRIESADDED", Most));
        Assert.Equal("OK", Run("XGROUP", "SETID", "s", "g", "0", "ENTRIESREAD", Most));
        Assert.Single((object?[])Run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")!);
    }
}
