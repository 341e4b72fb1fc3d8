using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Net;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Tests.Net;

/// <content>What a client may keep the server busy with, and how long.</content>
public abstract partial class TransportTests
{
    [Fact]
    public async Task A_client_that_queues_without_end_is_closed_at_the_query_buffer_limit()
    {
        await using NetServer server = Start(static config => config.ClientQueryBufferLimitBytes = 1024 * 1024);
        using RawClient client = server.Connect();
        Assert.Equal("+OK", client.Call("MULTI"));
        string ping = string.Concat(Enumerable.Repeat(RawClient.Request("PING"), 1000));
        try
        {
            for (int i = 0; i < 100; i++)
            {
                client.Send(ping);
            }
        }
        catch (SocketException)
        {
            // Closed already.
        }

        Assert.True(await server.HasConnectionsAsync(0));
        using RawClient other = server.Connect();
        Assert.Equal("+PONG", other.Call("PING"));
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_closed_at_the_hard_limit()
    {
        await using NetServer server = Start(static config =>
            config.ClientOutputBufferLimits = [new ClientOutputBufferLimit(1_000_000, 0, 0), default, default]);
        using RawClient other = server.Connect();
        other.Send(RawClient.Request("SET", "key", new string('x', 100_000)));
        other.Expect("+OK\r\n");
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        await ExpectCutOffAsync(server, other, client.Send);
    }

    [Theory]
    [InlineData(1_000_000, 0)]
    [InlineData(0, 1_000_000)]
    public async Task A_monitor_that_does_not_read_is_closed_at_a_limit_of_its_class_or_that_of_subscribers(
        long normalBytes, long pubSubBytes)
    {
        await using NetServer server = Start(config => config.ClientOutputBufferLimits =
            [new ClientOutputBufferLimit(normalBytes, 0, 0), default, new ClientOutputBufferLimit(pubSubBytes, 0, 0)]);
        using RawClient monitor = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        Assert.Equal("+OK", monitor.Call("MONITOR"));
        using RawClient other = server.Connect();
        string text = new('x', 100_000);
        string echo = RawClient.Request("ECHO", text);
        for (int i = 0; i < 300; i++)
        {
            other.Send(echo);
            other.Expect($"$100000\r\n{text}\r\n");
            Assert.True(server.Services.Blocks.BlockCount * BlockPool.BlockBytes < 10_000_000);
        }

        Assert.True(await server.HasConnectionsAsync(1));
        Assert.True(server.Log.Has("overcoming of output buffer limits"));
        Assert.Equal(0, server.State.Monitors.Count);
        Assert.Equal("+PONG", other.Call("PING"));
    }

    [Fact]
    public async Task A_client_over_the_soft_limit_is_closed_after_its_time()
    {
        await using NetServer server = Start(static config =>
            config.ClientOutputBufferLimits = [new ClientOutputBufferLimit(0, 1_000_000, 1), default, default]);
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        client.Send(RawClient.Request("SET", "key", new string('x', 10_000_000)));
        client.Expect("+OK\r\n");
        Stopwatch watch = Stopwatch.StartNew();
        client.Send(RawClient.Request("GET", "key"));
        Assert.True(await server.HasConnectionsAsync(0));
        Assert.InRange(watch.ElapsedMilliseconds, 900, 15_000);
        Assert.True(server.Log.Has("overcoming of output buffer limits"));
    }

    [Fact]
    public async Task A_request_over_the_query_buffer_limit_closes_the_client()
    {
        await using NetServer server = Start(static config => config.ClientQueryBufferLimitBytes = 1_000_000);
        using RawClient client = server.Connect();
        try
        {
            client.Send("*100000\r\n");
            string argument = "$20000\r\n" + new string('x', 20_000) + "\r\n";
            for (int i = 0; i < 300; i++)
            {
                client.Send(argument);
            }
        }
        catch (SocketException)
        {
            // Closed already.
        }

        Assert.Equal("", client.ReceiveToEnd());
        Assert.True(await server.HasConnectionsAsync(0));
        Assert.True(server.Log.Has("max query buffer length"));
    }

    [Fact]
    public async Task More_clients_than_allowed_are_refused_and_places_become_free_again()
    {
        await using NetServer server = Start(static config => config.MaxClients = 2);
        using RawClient first = server.Connect();
        using (RawClient second = server.Connect())
        {
            Assert.Equal("+PONG", first.Call("PING"));
            Assert.Equal("+PONG", second.Call("PING"));
            using RawClient third = server.Connect();
            Assert.Equal("-ERR max number of clients reached\r\n", third.ReceiveToEnd());
        }

        Assert.True(await server.HasConnectionsAsync(1));
        using RawClient fourth = server.Connect();
        Assert.Equal("+PONG", fourth.Call("PING"));
        Assert.Equal(1, server.State.Statistics.ConnectionsRejected);
    }

    [Fact]
    public async Task An_idle_client_is_closed_after_the_timeout()
    {
        await using NetServer server = Start(static config => config.TimeoutSeconds = 1);
        using RawClient client = server.Connect();
        Assert.Equal("+PONG", client.Call("PING"));
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal("", client.ReceiveToEnd());
        Assert.InRange(watch.ElapsedMilliseconds, 900, 10_000);
    }

    [Fact]
    public async Task A_thousand_idle_connections_hold_no_blocks()
    {
        await using NetServer server = Start();
        List<RawClient> clients = [.. Enumerable.Range(0, 1000).Select(_ => server.Connect())];
        try
        {
            foreach (RawClient client in clients)
            {
                client.Send("PING\r\n");
            }

            foreach (RawClient client in clients)
            {
                client.Expect("+PONG\r\n");
            }

            Assert.True(server.Services.Blocks.BlockCount < 3 * Epoll.MaxEvents, $"{server.Services.Blocks.BlockCount}");
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }

        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_client_that_sends_without_end_does_not_starve_the_others()
    {
        await using NetServer server = Start();
        using CancellationTokenSource done = new();
        using RawClient flood = server.Connect();
        byte[] sets = Encoding.Latin1.GetBytes(
            string.Concat(Enumerable.Repeat(RawClient.Request("SET", "key", new string('x', 50)), 2000)));
        Task flooding = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                flood.Send(sets);
            }
        });
        Task draining = Task.Run(() =>
        {
            byte[] replies = new byte[256 * 1024];
            while (!done.IsCancellationRequested)
            {
                _ = flood.Socket.Receive(replies);
            }
        });

        using RawClient client = server.Connect();
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal("+PONG", client.Call("PING"));
        }

        // 200 round trips take some milliseconds on an idle machine; a starved client would wait for ever.
        Assert.True(watch.ElapsedMilliseconds < 10_000, $"{watch.ElapsedMilliseconds} ms");
        await done.CancelAsync();
        await Task.WhenAll(flooding, draining);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_is_gone_after_a_long_reply_is_served_nothing_more(bool closesItsSideOnly)
    {
        await using NetServer server = Start();
        using RawClient other = server.Connect();
        int replyBytes = FillLongList(other);
        using (RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096))
        {
            client.Send(RawClient.Request("LRANGE", "long", "0", "-1") + RawClient.Request("BLPOP", "queue", "0"));
            client.Receive(1);
            if (closesItsSideOnly)
            {
                client.Socket.Shutdown(SocketShutdown.Send);
            }
            else
            {
                client.Send(RawClient.Request("PING")); // Seen while the reply is going out.
            }

            client.Receive(replyBytes - 1);
        }

        Assert.True(await server.HasConnectionsAsync(1));
        Assert.Equal(":1", other.Call("RPUSH", "queue", "v"));
        Assert.Equal(":1", other.Call("LLEN", "queue"));
    }

    [Fact]
    public async Task A_client_that_does_not_read_a_long_reply_counts_as_idle()
    {
        await using NetServer server = Start(static config => config.TimeoutSeconds = 1);
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
        FillLongList(client);
        client.Send(RawClient.Request("LRANGE", "long", "0", "-1"));
        Assert.True(await server.HasConnectionsAsync(0));
    }

    // More than what sockets take and what the server has ready beyond that.
    private static int FillLongList(RawClient client)
    {
        const int Elements = 100_000;
        string element = new('e', 200);
        for (int i = 0; i < Elements; i += 1000)
        {
            client.Send(RawClient.Request(["RPUSH", "long", .. Enumerable.Repeat(element, 1000)]));
            client.ReadLine();
        }

        return $"*{Elements}\r\n".Length + (Elements * $"$200\r\n{element}\r\n".Length);
    }

    // Asks over and over for a value of 100,000 bytes and never reads.
    private static async Task ExpectCutOffAsync(NetServer server, RawClient other, Action<string> send)
    {
        string get = RawClient.Request("GET", "key");
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                send(get);
                if (i % 100 == 0)
                {
                    await Task.Delay(1);
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            // Closed already.
        }

        Assert.True(await server.HasConnectionsAsync(1));
        Assert.True(server.Log.Has("overcoming of output buffer limits"));
        Assert.True(server.Services.Blocks.BlockCount * BlockPool.BlockBytes < 50_000_000);
        Assert.Equal("+PONG", other.Call("PING"));
    }
}
