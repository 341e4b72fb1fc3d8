using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

/// <summary>Allocations are counted for the whole process, so these run while no other test does.</summary>
[Collection(nameof(AloneCollection))]
public sealed class EventLoopAllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task Steady_requests_allocate_no_managed_memory(int pipeline)
    {
        const int Rounds = 5_000;
        await using NetServer server = NetServer.Start(EventLoopKind.Epoll);
        using RawClient client = server.Connect();
        byte[] requests = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(
            RawClient.Request("SET", "key", "value") + RawClient.Request("GET", "key")
            + RawClient.Request("SADD", "set", "member") + RawClient.Request("SISMEMBER", "set", "member"), pipeline)));
        client.Send("SADD set member\r\n");
        client.Expect(":1\r\n");
        byte[] replies = new byte["+OK\r\n$5\r\nvalue\r\n:0\r\n:1\r\n".Length * pipeline];
        Exchange(client, requests, replies, Rounds);
        long allocated = long.MaxValue;

        // Timers tick and the JIT works meanwhile. What requests allocate would show in every attempt.
        for (int attempt = 0; attempt < 5 && allocated >= Rounds; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Exchange(client, requests, replies, Rounds);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        Assert.True(allocated < Rounds, $"{allocated} bytes for {4 * pipeline * Rounds} requests");
    }

    private static void Exchange(RawClient client, byte[] requests, byte[] replies, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            _ = client.Socket.Send(requests);
            int received = 0;
            while (received < replies.Length)
            {
                received += client.Socket.Receive(replies, received, replies.Length - received, 0);
            }
        }
    }
}
