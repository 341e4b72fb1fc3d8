using System.Globalization;
using System.Net;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

/// <content>Messages on their way to sockets that take them, or not.</content>
public abstract partial class TransportTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 3)]
    [InlineData(3, 3)]
    public async Task Messages_and_replies_keep_their_order_while_the_socket_is_full(int ioThreads, int protocol)
    {
        const int Rounds = 300;
        await using NetServer server = Start(config =>
        {
            config.IoThreads = ioThreads;
            config.ClientOutputBufferLimits = [default, default, default];
        });
        using RawClient subscriber = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        subscriber.Send($"HELLO {protocol}\r\nSUBSCRIBE news\r\nPING ready\r\n");
        while (!subscriber.ReadLine().Contains("ready", StringComparison.Ordinal))
        {
        }

        using RawClient publisher = server.Connect();
        StringBuilder expected = new();
        for (int i = 0; i < Rounds; i++)
        {
            // From a few bytes to more than any socket buffer of a test takes at once.
            string message = i.ToString("D6", CultureInfo.InvariantCulture) + new string('m', 1 << (i % 19));
            expected.Append(CultureInfo.InvariantCulture, $"{(protocol == 2 ? '*' : '>')}3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n");
            expected.Append(CultureInfo.InvariantCulture, $"${message.Length}\r\n{message}\r\n");
            Assert.Equal(":1", publisher.Call("PUBLISH", "news", message));
        }

        subscriber.Expect(expected.ToString());
        subscriber.Send("PING\r\n");
        subscriber.Expect(protocol == 2 ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Messages_of_many_publishers_mix_with_replies_and_lose_none(int ioThreads)
    {
        const int Publishers = 8;
        const int Messages = 400;
        await using NetServer server = Start(config => config.IoThreads = ioThreads);
        using RawClient subscriber = server.Connect();
        subscriber.Send("HELLO 3\r\nSUBSCRIBE news\r\nPING\r\n");
        while (subscriber.ReadLine() != "+PONG")
        {
        }

        Task[] publishers =
        [
            .. Enumerable.Range(0, Publishers).Select(index => Task.Factory.StartNew(
                () =>
                {
                    using RawClient publisher = server.Connect();
                    for (int i = 0; i < Messages; i++)
                    {
                        Assert.Equal(":1", publisher.Call("PUBLISH", "news", $"{index} {i:D3}"));
                    }
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)),
        ];

        // A reply that came in the middle of a message, or a message twice, would break the lines.
        int[] next = new int[Publishers];
        int pongs = 0;
        subscriber.Send("PING\r\n");
        for (int received = 0; received < Publishers * Messages;)
        {
            string line = subscriber.ReadLine();
            if (line == "+PONG")
            {
                pongs++;
                subscriber.Send("PING\r\n");
                continue;
            }

            Assert.Equal(">3", line);
            subscriber.Expect("$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\n");
            string message = subscriber.ReadLine();
            int index = message[0] - '0';
            Assert.Equal($"{index} {next[index]++:D3}", message);
            received++;
        }

        await Task.WhenAll(publishers);
        Assert.True(pongs > 0, "no reply came through between the messages");
    }

    [Fact]
    public async Task A_slow_subscriber_is_closed_at_its_soft_limit_by_the_servers_clock()
    {
        FakeClock clock = new();
        await using NetServer server = Start(
            static config => config.ClientOutputBufferLimits = [default, default, new ClientOutputBufferLimit(0, 200_000, 60)],
            clock);
        using RawClient slow = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        slow.Send(RawClient.Request("SUBSCRIBE", "news"));
        _ = slow.ReadLine();
        using RawClient publisher = server.Connect();
        string message = new('m', 100_000);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(":1", publisher.Call("PUBLISH", "news", message));
        }

        clock.Advance(59_000);
        Assert.Equal(":1", publisher.Call("PUBLISH", "news", "x"));
        clock.Advance(2_000);
        publisher.Call("PUBLISH", "news", "x"); // Finds it over the limit, unless a timer has before.
        Assert.Equal(":0", publisher.Call("PUBLISH", "news", "x"));
        Assert.True(await server.HasConnectionsAsync(1));
        Assert.True(server.Log.Has("overcoming of output buffer limits"));
        Assert.Equal(1, server.State.Statistics.ClientOutputBufferLimitDisconnections);
    }

    [Fact]
    public async Task Pending_messages_are_counted_in_full_for_each_subscriber()
    {
        await using NetServer server = Start(static config =>
            config.ClientOutputBufferLimits = [default, default, default]);
        List<RawClient> slow =
            [.. Enumerable.Range(0, 3).Select(_ => RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096))];
        slow.ForEach(static client =>
        {
            client.Send(RawClient.Request("SUBSCRIBE", "news"));
            _ = client.ReadLine();
        });
        using RawClient publisher = server.Connect();
        string message = new('m', 20_000_000);
        Assert.Equal(":3", publisher.Call("PUBLISH", "news", message));
        long length = long.Parse(publisher.Call("CLIENT", "LIST", "TYPE", "pubsub")[1..], CultureInfo.InvariantCulture);
        string list = publisher.Receive((int)length);
        long[] pending =
            [.. list.Split(" omem=").Skip(1).Select(rest => long.Parse(rest.Split(' ')[0], CultureInfo.InvariantCulture))];
        Assert.Equal(3, pending.Length);
        Assert.All(pending, bytes => Assert.InRange(bytes, 10_000_000, 20_000_100));
        slow.ForEach(static client => client.Dispose());
    }
}
