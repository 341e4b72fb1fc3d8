using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Net;

namespace KvServer.Server.Tests.Net;

/// <summary>What both transports must do alike; a class below runs it for each of them.</summary>
public abstract class TransportTests
{
    /// <summary>The transport under test.</summary>
    private protected abstract EventLoopKind Kind { get; }

    [Fact]
    public async Task A_pipeline_is_answered_in_order()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        StringBuilder requests = new();
        StringBuilder replies = new();
        for (int i = 0; i < 5000; i++)
        {
            requests.Append(RawClient.Request("SET", "key", $"value-{i}")).Append(RawClient.Request("GET", "key"));
            string value = $"value-{i}";
            replies.Append($"+OK\r\n${value.Length}\r\n{value}\r\n");
        }

        Task sending = Task.Run(() => client.Send(requests.ToString()));
        client.Expect(replies.ToString());
        await sending;
    }

    [Fact]
    public async Task Requests_may_arrive_one_byte_at_a_time()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        string requests = RawClient.Request("SET", "key", "a value") + RawClient.Request("GET", "key") + "PING\r\n";
        foreach (char one in requests)
        {
            client.Send(one.ToString());
            await Task.Delay(1);
        }

        client.Expect("+OK\r\n$7\r\na value\r\n+PONG\r\n");
    }

    [Fact]
    public async Task A_value_larger_than_any_buffer_comes_back_whole()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        string value = string.Create(3_000_000, 0, static (chars, _) =>
        {
            for (int i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)('a' + ((i * 7) % 26));
            }
        });
        client.Send(RawClient.Request("SET", "key", value));
        client.Expect("+OK\r\n");
        client.Send(RawClient.Request("GET", "key"));
        client.Expect($"${value.Length}\r\n{value}\r\n");
    }

    [Fact]
    public async Task A_client_that_ends_its_side_still_gets_its_replies()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        client.Send(string.Concat(Enumerable.Repeat("PING\r\n", 3000)));
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(3000 * "+PONG\r\n".Length, client.ReceiveToEnd().Length);
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_client_that_ends_inside_a_request_is_let_go()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        client.Send("PING\r\n*2\r\n$3\r\nGET\r\n$10\r\nabc");
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("+PONG\r\n", client.ReceiveToEnd());
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_reset_inside_a_request_does_not_disturb_the_others()
    {
        await using NetServer server = Start();
        using RawClient other = server.Connect();
        Assert.Equal("+PONG", other.Call("PING"));
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = server.Connect();
            client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc");
            client.Reset();
            Assert.Equal("+PONG", other.Call("PING"));
        }

        Assert.True(await server.HasConnectionsAsync(1));
    }

    [Fact]
    public async Task A_reset_while_replies_wait_to_be_sent_does_not_disturb_the_others()
    {
        await using NetServer server = Start();
        using RawClient other = server.Connect();
        other.Send(RawClient.Request("SET", "key", new string('x', 500_000)));
        other.Expect("+OK\r\n");
        for (int i = 0; i < 10; i++)
        {
            using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, server.Config.Port), 4096);
            client.Send(string.Concat(Enumerable.Repeat(RawClient.Request("GET", "key"), 20)));
            _ = client.Receive(1);
            client.Reset();
            Assert.Equal("+PONG", other.Call("PING"));
        }

        Assert.True(await server.HasConnectionsAsync(1));
    }

    [Fact]
    public async Task A_protocol_error_is_told_after_earlier_replies_and_closes()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        client.Send("PING\r\n*1\r\n$4\r\nPING\r\n*abc\r\nPING\r\n");
        Assert.Equal(
            "+PONG\r\n+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n", client.ReceiveToEnd());
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nPING\r\n")]
    [InlineData("Host: localhost\r\nPING\r\n")]
    public async Task A_client_that_talks_http_is_closed_without_a_reply_and_logged(string request)
    {
        await using NetServer server = Start();
        for (int i = 0; i < 3; i++)
        {
            using RawClient client = server.Connect();
            client.Send(request);
            Assert.Equal("", client.ReceiveToEnd());
        }

        Assert.Single(server.Log.Entries, static entry => entry.Text.Contains("SECURITY ATTACK", StringComparison.Ordinal));
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
        string get = RawClient.Request("GET", "key");
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                client.Send(get);
                if (i % 100 == 0)
                {
                    await Task.Delay(1);
                }
            }
        }
        catch (SocketException)
        {
            // Closed already.
        }

        Assert.True(await server.HasConnectionsAsync(1));
        Assert.True(server.Log.Has("overcoming of output buffer limits"));
        Assert.True(server.Services.Blocks.BlockCount * BlockPool.BlockBytes < 50_000_000);
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
    public async Task A_unix_socket_replaces_a_stale_one_and_has_its_permission()
    {
        string path = Path.Combine(Path.GetTempPath(), $"kv-{Guid.NewGuid():N}.sock");
        using (Socket stale = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(path));
        }

        await File.WriteAllTextAsync(path + ".x", ""); // The folder is left as it was, but for the socket.
        await using (NetServer server = Start(config =>
        {
            config.Port = 0;
            config.UnixSocket = path;
            config.UnixSocketPerm = 0x1C0; // 700
        }))
        {
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            }

            using RawClient client = RawClient.Connect(new UnixDomainSocketEndPoint(path));
            Assert.Equal("+PONG", client.Call("PING"));
            Assert.Equal(["unix"], server.Transport.Listeners.All.Select(static listener => listener.Kind));
        }

        Assert.False(File.Exists(path));
        File.Delete(path + ".x");
    }

    [Fact]
    public async Task A_port_in_use_is_said_in_one_line()
    {
        await using NetServer server = Start();
        StartupException fault = Assert.Throws<StartupException>(
            () => NetServer.Start(Kind, config => config.Port = server.Config.Port));
        Assert.Equal($"Failed listening on port {server.Config.Port} (tcp), aborting.", fault.Message);
    }

    [Fact]
    public async Task An_address_this_machine_lacks_is_forgiven_only_when_optional()
    {
        await using NetServer server = Start(static config => config.Bind = ["127.0.0.1", "-203.0.113.7"]);
        using RawClient client = server.Connect();
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.Throws<StartupException>(
            () => NetServer.Start(Kind, static config => config.Bind = ["127.0.0.1", "203.0.113.7"]));
    }

    [Fact]
    public async Task Several_addresses_are_served()
    {
        await using NetServer server = Start(static config => config.Bind = ["127.0.0.1", "127.0.0.2", "-::1"]);
        using RawClient first = server.Connect();
        using RawClient second = RawClient.Connect(new IPEndPoint(IPAddress.Parse("127.0.0.2"), server.Config.Port));
        Assert.Equal("+PONG", first.Call("PING"));
        Assert.Equal("+PONG", second.Call("PING"));
        Assert.All(server.Transport.Listeners.All, static listener => Assert.Equal("tcp", listener.Kind));
    }

    [Fact]
    public async Task Listening_elsewhere_keeps_the_connections_and_a_failure_can_be_taken_back()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        Assert.Equal("+PONG", client.Call("PING"));
        int former = server.Config.Port;
        server.Config.Port = FreePort.Next();
        Assert.True(ListenAgain(server));
        using (RawClient second = server.Connect())
        {
            Assert.Equal("+PONG", second.Call("PING"));
        }

        Assert.Throws<SocketException>(() => RawClient.Connect(new IPEndPoint(IPAddress.Loopback, former)));
        server.Config.Bind = ["203.0.113.7"];
        Assert.False(ListenAgain(server));
        server.Config.Bind = ["127.0.0.1"];
        Assert.True(ListenAgain(server));
        using RawClient third = server.Connect();
        Assert.Equal("+PONG", third.Call("PING"));
        Assert.Equal("+PONG", client.Call("PING"));
    }

    [Fact]
    public async Task A_stop_sends_what_is_written_and_closes()
    {
        NetServer server = Start();
        await using (server)
        {
            using RawClient client = server.Connect();
            client.Send(RawClient.Request("SET", "key", new string('x', 3_000_000)));
            client.Expect("+OK\r\n");
            client.Send(RawClient.Request("GET", "key"));
            client.Expect("$3000000\r\n");
            Task stopping = server.Transport.StopAsync(TimeSpan.FromSeconds(10));
            Assert.Equal(3_000_002, client.ReceiveToEnd().Length);
            await stopping;
            Assert.Throws<SocketException>(() => server.Connect());
        }
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

    [Fact]
    public async Task Quit_replies_and_closes_and_what_follows_is_not_run()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        client.Send("SET a 1\r\nQUIT\r\nSET a 2\r\n");
        Assert.Equal("+OK\r\n+OK\r\n", client.ReceiveToEnd());
        using RawClient other = server.Connect();
        other.Send("GET a\r\n");
        other.Expect("$1\r\n1\r\n");
    }

    [Fact]
    public async Task Limits_widen_between_auth_and_what_follows_it_in_one_pipeline()
    {
        await using NetServer server = Start(static config => config.RequirePass = "secret"u8.ToArray());
        using RawClient client = server.Connect();
        string value = new('x', 100_000);
        client.Send(RawClient.Request("AUTH", "secret") + RawClient.Request("SET", "key", value)
            + RawClient.Request("GET", "key"));
        client.Expect($"+OK\r\n+OK\r\n${value.Length}\r\n{value}\r\n");
        using RawClient stranger = server.Connect();
        stranger.Send("*2\r\n$4\r\nECHO\r\n$100000\r\n");
        Assert.Equal("-ERR Protocol error: unauthenticated bulk length\r\n", stranger.ReceiveToEnd());
    }

    private protected NetServer Start(Action<ServerConfig>? configure = null) => NetServer.Start(Kind, configure);

    private static bool ListenAgain(NetServer server)
    {
        TaskCompletionSource<bool> listens = new();
        server.Services.CommandLoop.Post(() => listens.SetResult(server.Transport.TryListenAgain()));
        return listens.Task.GetAwaiter().GetResult();
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
