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
