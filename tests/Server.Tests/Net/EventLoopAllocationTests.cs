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

    [Fact]
    public async Task A_message_is_allocated_once_however_many_subscribers_get_it()
    {
        const int Subscribers = 50;
        const int Rounds = 1_000;
        const int MessageBytes = 200;
        await using NetServer server = NetServer.Start(EventLoopKind.Epoll);
        List<RawClient> subscribers = [.. Enumerable.Range(0, Subscribers).Select(_ => server.Connect())];
        subscribers.ForEach(static subscriber =>
        {
            subscriber.Send("SUBSCRIBE news\r\n");
            subscriber.Expect("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
        });
        using RawClient publisher = server.Connect();
        byte[] request = Encoding.Latin1.GetBytes(RawClient.Request("PUBLISH", "news", "twenty bytes of text"));
        byte[] reply = new byte[":50\r\n".Length];
        byte[] message = new byte["*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$20\r\ntwenty bytes of text\r\n".Length];
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 6 && allocated >= Rounds * MessageBytes; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Rounds; i++)
            {
                Exchange(publisher, request, reply, rounds: 1);
                foreach (RawClient subscriber in subscribers)
                {
                    Receive(subscriber, message);
                }
            }

            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        subscribers.ForEach(static subscriber => subscriber.Dispose());
        Assert.True(allocated < Rounds * MessageBytes, $"{allocated} bytes for {Rounds} messages");
    }

    private static void Exchange(RawClient client, byte[] requests, byte[] replies, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            _ = client.Socket.Send(requests);
            Receive(client, replies);
        }
    }

    private static void Receive(RawClient client, byte[] bytes)
    {
        int received = 0;
        while (received < bytes.Length)
        {
            received += client.Socket.Receive(bytes, received, bytes.Length - received, 0);
        }
    }
}
