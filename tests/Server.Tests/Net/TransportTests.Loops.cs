using System.Net;
using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Net;

/// <content>Many clients, on one loop and on several.</content>
public abstract partial class TransportTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Random_pipelines_of_many_clients_keep_each_clients_order(int ioThreads)
    {
        await using NetServer server = Start(config => config.IoThreads = ioThreads);

        // Threads of their own: clients that block the pool would starve a transport that runs on it.
        Task[] clients =
        [
            .. Enumerable.Range(0, 24).Select(index => Task.Factory.StartNew(
                () => RunRandomPipelines(server, index),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)),
        ];
        await Task.WhenAll(clients);
    }

    [Fact]
    public async Task The_longest_turn_is_told_until_the_counters_are_reset()
    {
        await using NetServer server = Start(config => config.EnableDebugCommand = AccessPolicy.Yes);
        using RawClient client = server.Connect();
        LoopTimes loop = server.State.Statistics.Loop;
        Assert.Equal("+OK", client.Call("DEBUG", "SLEEP", "0.05"));
        Assert.Equal("+PONG", client.Call("PING")); // By now the turn before has come to its end.
        Assert.InRange(loop.LongestNanos, 40_000_000, long.MaxValue); // Its timer may be early by a tick.
        Assert.Equal("+OK", client.Call("CONFIG", "RESETSTAT"));
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.InRange(loop.Entries, 1, long.MaxValue);
        Assert.InRange(loop.LongestNanos, 1, loop.ElapsedNanos);
        Assert.InRange(loop.CommandNanos, 1, long.MaxValue);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Published_messages_reach_subscribers_of_every_loop(int ioThreads)
    {
        await using NetServer server = Start(config => config.IoThreads = ioThreads);
        List<RawClient> subscribers = [.. Enumerable.Range(0, 20).Select(_ => server.Connect())];
        foreach (RawClient subscriber in subscribers)
        {
            subscriber.Send(RawClient.Request("SUBSCRIBE", "news"));
            subscriber.Expect("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
        }

        using RawClient publisher = server.Connect();
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(":20", publisher.Call("PUBLISH", "news", $"{i:D4}"));
        }

        foreach (RawClient subscriber in subscribers)
        {
            for (int i = 0; i < 200; i++)
            {
                subscriber.Expect($"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\n{i:D4}\r\n");
            }

            subscriber.Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_subscriber_that_does_not_read_is_closed_at_its_limit(int ioThreads)
    {
        await using NetServer server = Start(config =>
        {
            config.IoThreads = ioThreads;
            config.ClientOutputBufferLimits = [default, default, new ClientOutputBufferLimit(1_000_000, 0, 0)];
        });
        using RawClient subscriber = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        subscriber.Send(RawClient.Request("SUBSCRIBE", "news"));
        _ = subscriber.ReadLine();
        using RawClient publisher = server.Connect();
        string message = new('m', 100_000);
        int published = 0;
        while (publisher.Call("PUBLISH", "news", message) == ":1" && published < 1000)
        {
            published++;
        }

        Assert.InRange(published, 5, 999);
        Assert.True(await server.HasConnectionsAsync(1));
        Assert.Equal(1, server.State.Statistics.ClientOutputBufferLimitDisconnections);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Paused_clients_go_on_in_order_when_the_pause_ends(int ioThreads)
    {
        await using NetServer server = Start(config => config.IoThreads = ioThreads);
        using RawClient admin = server.Connect();
        List<RawClient> clients = [.. Enumerable.Range(0, 10).Select(_ => server.Connect())];
        clients.ForEach(static client => Assert.Equal("+PONG", client.Call("PING")));
        Assert.Equal("+OK", admin.Call("CLIENT", "PAUSE", "60000", "WRITE"));
        foreach (RawClient client in clients)
        {
            client.Send("PING\r\n" + RawClient.Request("SET", "key", "1") + "PING\r\n");
            client.Send(RawClient.Request("GET", "key"));
            client.Expect("+PONG\r\n");
        }

        // One of those that wait hangs up meanwhile.
        clients[0].Dispose();
        Assert.True(await server.HasConnectionsAsync(10));
        Assert.Equal("+OK", admin.Call("CLIENT", "UNPAUSE"));
        foreach (RawClient client in clients.Skip(1))
        {
            client.Expect("+OK\r\n+PONG\r\n$1\r\n1\r\n");
            client.Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Killing_clients_from_another_connection_closes_them(int ioThreads)
    {
        await using NetServer server = Start(config => config.IoThreads = ioThreads);
        using RawClient admin = server.Connect();
        Assert.Equal("+PONG", admin.Call("PING"));
        for (int round = 0; round < 20; round++)
        {
            List<RawClient> clients = [.. Enumerable.Range(0, 10).Select(_ => server.Connect())];
            foreach (RawClient client in clients)
            {
                Assert.Equal("+PONG", client.Call("PING"));
                client.Send("PING\r\n*2\r\n$3\r\nGET");
            }

            Assert.Equal(":10", admin.Call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));
            foreach (RawClient client in clients)
            {
                _ = client.ReceiveToEnd();
                client.Dispose();
            }
        }

        Assert.True(await server.HasConnectionsAsync(1));
    }

    private static void RunRandomPipelines(NetServer server, int index)
    {
        Random random = new(index);
        using RawClient client = server.Connect();
        string key = $"key-{index}";
        for (int round = 0; round < 100; round++)
        {
            StringBuilder requests = new();
            StringBuilder replies = new();
            int count = random.Next(1, 100);
            for (int i = 0; i < count; i++)
            {
                string value = $"{round}-{i}-{new string('v', random.Next(0, 300))}";
                requests.Append(RawClient.Request("SET", key, value)).Append(RawClient.Request("GET", key));
                replies.Append($"+OK\r\n${value.Length}\r\n{value}\r\n");
            }

            // Cut anywhere, so that requests are split over receives.
            string bytes = requests.ToString();
            int cut = random.Next(bytes.Length);
            client.Send(bytes[..cut]);
            client.Send(bytes[cut..]);
            client.Expect(replies.ToString());
        }
    }
}
