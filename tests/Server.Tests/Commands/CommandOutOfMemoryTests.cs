using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

public sealed class CommandOutOfMemoryTests : CommandHarness
{
    private readonly TrackingHeap _heap;

    public CommandOutOfMemoryTests()
        : this(new TrackingHeap())
    {
    }

    private CommandOutOfMemoryTests(TrackingHeap heap)
        : base(heap) => _heap = heap;

    [Fact]
    public void SPop_that_keeps_a_few_members_loses_none_when_memory_runs_out()
    {
        const int Members = 1000;
        for (int failAt = 0; failAt < 40; failAt++)
        {
            Run("DEL", "set");
            Run(["SADD", "set", .. Enumerable.Range(0, Members).Select(i => "member" + i)]);
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            string reply = client.Raw("SPOP", "set", "990");
            _heap.FailAfter(-1);
            if (!reply.Contains("\r\n-", StringComparison.Ordinal) && !reply.StartsWith('-'))
            {
                Assert.Equal(10L, Run("SCARD", "set"));
                return;
            }

            Assert.Equal((long)Members, Run("SCARD", "set"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Theory]
    [InlineData("GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1000 km STOREDIST", 200)]
    [InlineData("GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1000 km COUNT 20", 20)]
    [InlineData("GEORADIUS g 1 1 1000 km STORE g", 200)]
    public void A_search_that_memory_runs_out_in_stores_nothing(string request, long stored)
    {
        Run(["GEOADD", "g", .. Enumerable.Range(0, 200).SelectMany(i => (string[])["1." + (100 + i), "1", "m" + i])]);
        Run("SET", "d", "old");
        string before = Raw("ZRANGE", "g", "0", "-1", "WITHSCORES");
        for (int failAt = 0; failAt < 1000; failAt++)
        {
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            object? reply = client.Run(request.Split(' '));
            _heap.FailAfter(-1);
            if (reply is long count)
            {
                Assert.Equal(stored, count);
                return;
            }

            Assert.StartsWith("OOM", Assert.IsType<ErrorReply>(reply).Text, StringComparison.Ordinal);
            Assert.Equal("old", Run("GET", "d"));
            Assert.Equal(before, Raw("ZRANGE", "g", "0", "-1", "WITHSCORES"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Fact]
    public void Positions_that_memory_runs_out_for_leave_no_key()
    {
        string[] request = ["GEOADD", "g", .. Enumerable.Range(0, 200).SelectMany(i => (string[])["1." + (100 + i), "1", "m" + i])];
        for (int failAt = 0; failAt < 1000; failAt++)
        {
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            object? reply = client.Run(request);
            _heap.FailAfter(-1);
            if (reply is long)
            {
                Assert.Equal(200L, Run("ZCARD", "g"));
                return;
            }

            Assert.Equal(0L, Run("EXISTS", "g"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Fact]
    public void A_reply_that_memory_runs_out_in_ends_the_connection()
    {
        Run("SET", "key", "old");
        TestClient client = Connect();
        _heap.FailAfter(0);
        Assert.StartsWith("$3\r\nold\r\n-", client.Raw("SET", "key", new string('v', 200), "GET"));
        Assert.NotNull(client.ClosedBecause);
        Assert.Equal("old", Run("GET", "key"));

        client = Connect();
        _heap.FailAfter(0);
        Assert.StartsWith("-", client.Raw("SET", "key", new string('v', 200)));
        Assert.Null(client.ClosedBecause);
    }
}
