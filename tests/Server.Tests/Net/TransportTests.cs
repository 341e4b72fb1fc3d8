using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

/// <summary>What both transports must do alike; a class below runs it for each of them.</summary>
public abstract partial class TransportTests
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
    public async Task Whoever_connects_while_it_stops_is_not_left_behind()
    {
        const int Rounds = 100;
        const int MostClients = 3; // The last connection of all, or the only one, is the one that matters.
        for (int round = 0; round < Rounds; round++)
        {
            List<RawClient> clients = [];
            await using (NetServer server = Start())
            {
                Task connecting = Task.Run(() =>
                {
                    try
                    {
                        while (clients.Count < MostClients)
                        {
                            clients.Add(server.Connect());
                        }
                    }
                    catch (SocketException)
                    {
                        // Nobody listens any more.
                    }
                });
                SpinWait.SpinUntil(() => server.Services.ConnectionCount > round % 2);
                await server.Transport.StopAsync(TimeSpan.FromSeconds(5));
                await connecting;
                Assert.Equal(0, server.Services.ConnectionCount);
            }

            clients.ForEach(static client => client.Dispose());
        }
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

    private protected NetServer Start(Action<ServerConfig>? configure = null, TimeProvider? clock = null) =>
        NetServer.Start(Kind, configure, clock);
}
