using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Net;

/// <content>TLS.</content>
public abstract partial class TransportTests
{
    [Fact]
    public async Task Tls_clients_and_plain_clients_are_served_side_by_side()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        Assert.Equal(["tcp", "tls"], server.Transport.Listeners.All.Select(static listener => listener.Kind));
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        using RawClient plain = server.Connect();
        Assert.Equal("+OK", client.Call("SET", "key", "value"));
        Assert.Equal("$5", plain.Call("GET", "key"));
        string endPoint = ((System.Net.IPEndPoint)client.Socket.LocalEndPoint!).ToString();
        Assert.StartsWith("$", client.Call("CLIENT", "INFO"), StringComparison.Ordinal);
        Assert.Contains($" addr={endPoint} laddr=127.0.0.1:{server.Config.TlsPort} ", client.Receive(120), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_over_tls_is_answered_in_order()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        StringBuilder requests = new();
        StringBuilder replies = new();
        for (int i = 0; i < 5000; i++)
        {
            string value = $"value-{i}";
            requests.Append(RawClient.Request("SET", "key", value)).Append(RawClient.Request("GET", "key"));
            replies.Append($"+OK\r\n${value.Length}\r\n{value}\r\n");
        }

        Task sending = Task.Run(() => client.Send(requests.ToString()));
        client.Expect(replies.ToString());
        await sending;
    }

    [Fact]
    public async Task Large_values_go_through_tls_both_ways_many_times()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        string value = string.Create(1_000_000, 0, static (chars, _) =>
        {
            for (int i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)('a' + ((i * 7) % 26));
            }
        });
        client.Send(RawClient.Request("SET", "key", value));
        client.Expect("+OK\r\n");
        string get = RawClient.Request("GET", "key");
        client.Send(string.Concat(Enumerable.Repeat(get, 20))); // 20 MB, which no socket takes at once.
        string reply = $"$1000000\r\n{value}\r\n";
        for (int i = 0; i < 20; i++)
        {
            client.Expect(reply);
        }
    }

    [Fact]
    public async Task Requests_may_lie_in_one_tls_record_for_each_byte()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        foreach (char one in RawClient.Request("SET", "key", "a value") + RawClient.Request("GET", "key") + "PING\r\n")
        {
            client.Send(one.ToString());
        }

        client.Expect("+OK\r\n$7\r\na value\r\n+PONG\r\n");
    }

    [Fact]
    public async Task Messages_reach_subscribers_over_tls()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient subscriber = TlsClient.Connect(server, certificates, certificates.Client);
        using RawClient publisher = server.Connect();
        subscriber.Send(RawClient.Request("SUBSCRIBE", "news"));
        subscriber.Expect("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(":1", publisher.Call("PUBLISH", "news", "message"));
            subscriber.Expect("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$7\r\nmessage\r\n");
        }
    }

    [Fact]
    public async Task A_blocked_client_over_tls_is_woken()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient waiting = TlsClient.Connect(server, certificates, certificates.Client);
        using RawClient pusher = server.Connect();
        waiting.Send(RawClient.Request("BLPOP", "list", "0"));
        while (server.State.Blocked.Count == 0)
        {
            Assert.Equal("+PONG", pusher.Call("PING"));
        }

        Assert.Equal(":1", pusher.Call("LPUSH", "list", "x"));
        waiting.Expect("*2\r\n$4\r\nlist\r\n$1\r\nx\r\n");
    }

    [Fact]
    public async Task Quit_ends_a_tls_connection_after_its_reply()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        client.Send(RawClient.Request("QUIT"));
        Assert.Equal("+OK\r\n", client.ReceiveToEnd());
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Theory]
    [InlineData(TlsAuthClients.Yes, false, true)]
    [InlineData(TlsAuthClients.Optional, true, true)]
    [InlineData(TlsAuthClients.No, true, true)]
    public async Task Client_certificates_are_asked_for_as_configured(TlsAuthClients auth, bool without, bool with)
    {
        using TestCertificates certificates = new();
        using TestCertificates others = new();
        await using NetServer server = StartTls(certificates, config => config.TlsAuthClients = auth);
        Assert.Equal(without, IsServed(server, () => TlsClient.Connect(server, certificates, null)));
        Assert.Equal(with, IsServed(server, () => TlsClient.Connect(server, certificates, certificates.Client)));
        bool isForeignerServed = IsServed(server, () => TlsClient.Connect(server, certificates, others.Client));
        Assert.Equal(auth == TlsAuthClients.No, isForeignerServed);
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_client_certificate_that_has_expired_is_refused()
    {
        using TestCertificates certificates = new();
        certificates.Issue("client", days: -1);
        await using NetServer server = StartTls(certificates);
        Assert.False(IsServed(server, () => TlsClient.Connect(server, certificates, certificates.Client)));
        Assert.Equal(1, server.State.Tls.HandshakeFailures);
    }

    [Fact]
    public async Task Only_the_configured_versions_and_ciphers_are_spoken()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates, static config =>
        {
            config.TlsProtocols = "TLSv1.2";
            config.TlsCiphers = "ECDHE-RSA-AES128-GCM-SHA256";
        });
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal(SslProtocols.Tls12, client.Stream.SslProtocol);
        Assert.Equal(
            System.Net.Security.TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, client.Stream.NegotiatedCipherSuite);
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.False(IsServed(server, () => TlsClient.Connect(
            server, certificates, certificates.Client, static options => options.EnabledSslProtocols = SslProtocols.Tls13)));
    }

    [Fact]
    public async Task Whoever_does_not_speak_tls_is_cut_off_and_nobody_else_notices()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using RawClient plain = ConnectToTls(server);
        plain.Send(RawClient.Request("PING"));
        Assert.DoesNotContain("PONG", plain.ReceiveToEnd(), StringComparison.Ordinal);
        using RawClient garbage = ConnectToTls(server);
        garbage.Send([22, 3, 1, 0x40, 0, .. new byte[0x4000]]);
        _ = garbage.ReceiveToEnd();
        using RawClient reset = ConnectToTls(server);
        reset.Send([22, 3, 1]);
        reset.Reset();
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.True(await server.HasConnectionsAsync(1));
    }

    [Fact]
    public async Task A_silent_handshake_is_cut_off_in_time()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(
            certificates, prepare: static server => server.State.Tls.HandshakeTimeoutMs = 1500);
        using RawClient silent = ConnectToTls(server);
        using RawClient half = ConnectToTls(server);
        half.Send([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. new byte[100]]);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal("", silent.ReceiveToEnd());
        Assert.Equal("", half.ReceiveToEnd());
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.True(await server.HasConnectionsAsync(1));
        Assert.Equal(2, server.State.Tls.HandshakeFailures);
        Assert.True(server.Log.Has("handshake timeout"));
        Assert.Equal(0, server.State.Tls.PendingHandshakes);
    }

    [Fact]
    public async Task Two_hundred_silent_handshakes_leave_room_for_others()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartWithHandshakes(certificates, most: 50, waiting: 0);
        List<RawClient> silent = [];
        try
        {
            for (int i = 0; i < 200; i++)
            {
                RawClient one = ConnectToTls(server);
                silent.Add(one);
                if (i % 2 == 0)
                {
                    one.Send([22, 3, 1, 2, 0, 1]);
                }
            }

            using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
            using RawClient plain = server.Connect();
            Assert.Equal("+PONG", client.Call("PING"));
            Assert.Equal("+PONG", plain.Call("PING"));

            // The oldest made room. It has sent nothing: one that has may wait for a thread of ours in between.
            Assert.Equal("", silent[1].ReceiveToEnd());
            Assert.InRange(server.State.Tls.PendingHandshakes, 1, 50);
            Assert.True(server.Log.Has("too many handshakes"));
            Assert.False(server.Log.Has("handshake timeout"));
        }
        finally
        {
            silent.ForEach(static one => one.Dispose());
        }

        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_storm_of_clients_waits_and_loses_nobody()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartWithHandshakes(certificates, most: 2);
        List<RawClient> connected = [.. Enumerable.Range(0, 40).Select(_ => ConnectToTls(server))];
        List<TlsClient> clients = [];
        try
        {
            await Parallel.ForEachAsync(
                connected,
                new ParallelOptions { MaxDegreeOfParallelism = connected.Count },
                (raw, _) =>
                {
                    TlsClient client = TlsClient.Over(raw, certificates, certificates.Client);
                    lock (clients)
                    {
                        clients.Add(client);
                    }

                    return ValueTask.CompletedTask;
                });
            Assert.All(clients, static client => Assert.Equal("+PONG", client.Call("PING")));
            Assert.Equal(0, server.State.Tls.HandshakeFailures);
            Assert.Equal(0, server.State.Tls.PendingHandshakes);
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    [Fact]
    public async Task Silent_clients_hold_the_waiting_ones_up_for_as_long_as_the_patience_lasts()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartWithHandshakes(certificates, most: 2, patienceMs: 50);
        using RawClient silent = ConnectToTls(server);
        using RawClient half = ConnectToTls(server);
        half.Send([22, 3, 1, 2, 0, 1]);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.Equal("", silent.ReceiveToEnd());
        Assert.InRange(server.State.Tls.HandshakeFailures, 1, 2);
        Assert.True(server.Log.Has("too many handshakes"));
    }

    [Fact]
    public async Task A_stop_ends_the_handshakes_that_wait()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartWithHandshakes(certificates, most: 1);
        List<RawClient> silent = [.. Enumerable.Range(0, 5).Select(_ => ConnectToTls(server))];
        using RawClient plain = server.Connect();
        while (server.State.Tls.PendingHandshakes < silent.Count)
        {
            Assert.Equal("+PONG", plain.Call("PING"));
        }

        await server.DisposeAsync();
        Assert.All(silent, static one => Assert.Equal("", one.ReceiveToEnd()));
        Assert.Equal(0, server.State.Tls.PendingHandshakes);
        silent.ForEach(static one => one.Dispose());
    }

    [Fact]
    public async Task What_happens_to_a_connection_that_was_cut_off_does_not_hit_the_next_one()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartWithHandshakes(certificates, most: 1, waiting: 0);
        using RawClient plain = server.Connect();
        for (int i = 0; i < 20; i++)
        {
            RawClient oldest = ConnectToTls(server);
            while (server.State.Tls.PendingHandshakes == 0)
            {
                Assert.Equal("+PONG", plain.Call("PING"));
            }

            // While the loop is busy: one turn finds two new connections, the first of which cuts off the oldest, and the
            // reset of that.
            using ManualResetEventSlim entered = new();
            using ManualResetEventSlim leave = new();
            server.Transport.Post(() =>
            {
                entered.Set();
                _ = leave.Wait(20_000);
            });
            Assert.True(entered.Wait(20_000, TestContext.Current.CancellationToken));
            using RawClient next = ConnectToTls(server);
            oldest.Reset();
            RawClient last = ConnectToTls(server);
            leave.Set();
            using TlsClient client = TlsClient.Over(last, certificates, certificates.Client);
            Assert.Equal("+PONG", client.Call("PING"));
            Assert.Equal("", next.ReceiveToEnd());
        }
    }

    [Fact]
    public async Task Traffic_over_tls_is_counted_as_plain_text()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        string set = RawClient.Request("SET", "key", new string('x', 1_000_000));
        string get = string.Concat(Enumerable.Repeat(RawClient.Request("GET", "key"), 20));
        client.Send(set);
        client.Expect("+OK\r\n");
        client.Send(get);
        int replies = 20 * "$1000000\r\n\r\n".Length + 20_000_000;
        Assert.Equal(replies, client.Receive(replies).Length);
        Server.Observability.ServerStatistics statistics = server.State.Statistics;
        long sent = "+OK\r\n".Length + replies;
        for (int i = 0; i < 500 && statistics.NetOutputBytes < sent; i++)
        {
            await Task.Delay(10); // Counted when the turn is over.
        }

        Assert.Equal(sent, statistics.NetOutputBytes);
        Assert.Equal(set.Length + get.Length, statistics.NetInputBytes);
    }

    [Fact]
    public async Task A_tls_client_that_ends_its_side_still_gets_its_replies()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        client.Send(string.Concat(Enumerable.Repeat("PING\r\n", 3000)));
        await client.Stream.ShutdownAsync();
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(string.Concat(Enumerable.Repeat("+PONG\r\n", 3000)), client.ReceiveToEnd());
        Assert.True(await server.HasConnectionsAsync(0));
    }

    [Fact]
    public async Task A_tls_client_that_does_not_read_is_closed_at_the_hard_limit()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates, static config =>
            config.ClientOutputBufferLimits = [new ClientOutputBufferLimit(1_000_000, 0, 0), default, default]);
        using RawClient other = server.Connect();
        other.Send(RawClient.Request("SET", "key", new string('x', 100_000)));
        other.Expect("+OK\r\n");
        System.Net.IPEndPoint address = new(System.Net.IPAddress.Loopback, server.Config.TlsPort);
        using TlsClient client = TlsClient.Over(
            RawClient.Connect(address, 4096), certificates, certificates.Client);
        await ExpectCutOffAsync(server, other, client.Send);
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_handshakes()
    {
        using TestCertificates certificates = new();
        NetServer server = StartTls(certificates);
        using RawClient silent = ConnectToTls(server);
        using RawClient half = ConnectToTls(server);
        half.Send([22, 3, 1, 2]);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal("+PONG", client.Call("PING"));
        await server.DisposeAsync(); // Asserts that no connection is left.
        Assert.True(server.Log.Has("the server stops"));
        Assert.Equal("", silent.ReceiveToEnd());
        Assert.Equal("", client.ReceiveToEnd());
    }

    [Fact]
    public async Task Changed_files_are_taken_up_and_bad_ones_leave_the_last_good()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates);
        Server.Net.Tls.TlsService tls = server.State.Tls;
        using TlsClient old = TlsClient.Connect(server, certificates, certificates.Client);

        string serial = certificates.IssueServer(20);
        await LookUntilAsync(server, () => SerialInUse(server) == serial);
        using TlsClient renewed = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal(serial, renewed.ServerSerial);
        Assert.NotEqual(serial, old.ServerSerial);
        Assert.Equal("+PONG", old.Call("PING"));
        Assert.InRange(tls.Current!.ExpiresAt, TimeProvider.System.GetUtcNow().AddDays(19), TimeProvider.System.GetUtcNow().AddDays(21));

        long failures = tls.ReloadFailures;
        await File.WriteAllTextAsync(certificates.ServerCertFile, "nothing of the kind");
        await LookUntilAsync(server, () => tls.ReloadFailures > failures);
        using TlsClient later = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal(serial, later.ServerSerial);

        string last = certificates.IssueServer(30);
        await LookUntilAsync(server, () => SerialInUse(server) == last);
        using TlsClient mended = TlsClient.Connect(server, certificates, certificates.Client);
        Assert.Equal(last, mended.ServerSerial);
    }

    [Fact]
    public async Task A_folder_of_authorities_is_trusted_and_looked_at_again()
    {
        using TestCertificates certificates = new();
        using TestCertificates others = new();
        string folder = Path.Combine(certificates.Folder, "authorities");
        Directory.CreateDirectory(folder);
        File.Copy(certificates.CaFile, Path.Combine(folder, "one.pem"));
        await using NetServer server = StartTls(certificates, config =>
        {
            config.TlsCaCertFile = "";
            config.TlsCaCertDir = folder;
        });
        Assert.True(IsServed(server, () => TlsClient.Connect(server, certificates, certificates.Client)));
        Assert.False(IsServed(server, () => TlsClient.Connect(server, certificates, others.Client)));
        File.Copy(others.CaFile, Path.Combine(folder, "two.pem"));
        await LookUntilAsync(server, () => server.State.Tls.Reloads > 0);
        Assert.True(IsServed(server, () => TlsClient.Connect(server, certificates, others.Client)));
    }

    [Fact]
    public async Task A_key_may_have_a_password()
    {
        using TestCertificates certificates = new();
        certificates.Issue("server", 10, password: "secret");
        await using NetServer server = StartTls(
            certificates, static config => config.TlsKeyFilePass = "secret"u8.ToArray());
        Assert.True(IsServed(server, () => TlsClient.Connect(server, certificates, certificates.Client)));
        server.Config.TlsKeyFilePass = "wrong"u8.ToArray();
        Assert.False(server.State.Tls.TryApply(server.Config));
    }

    [Theory]
    [InlineData("tls-cert-file", "", "No tls-cert-file configured!")]
    [InlineData("tls-cert-file", "/no/such/file", "Failed to load certificate: /no/such/file: No such file or directory")]
    [InlineData("tls-key-file", "", "No tls-key-file configured!")]
    [InlineData("tls-key-file", "/no/such/file", "Failed to load private key: /no/such/file: No such file or directory")]
    [InlineData("tls-ca-cert-file", "", "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
        + "tls-replication or tls-auth-clients are enabled!")]
    [InlineData("tls-ca-cert-file", "/no/such/file",
        "Failed to configure CA certificate(s) file/directory: No such file or directory")]
    [InlineData("tls-protocols", "TLSv9",
        "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.")]
    [InlineData("tls-ciphers", "NOPE", "Failed to configure ciphers: NOPE")]
    [InlineData("tls-ciphersuites", "NOPE", "Failed to configure ciphersuites: NOPE")]
    public void A_start_with_unusable_files_or_names_fails_in_one_line(string option, string value, string reason)
    {
        using TestCertificates certificates = new();
        NetServer? started = null;
        StartupException fault = Assert.Throws<StartupException>(() => StartTls(
            certificates,
            config =>
            {
                ConfigOption found = ConfigRegistry.Find(option)!;
                Assert.Null(found.Read([value], config, ConfigSource.Command, out object? read));
                found.Assign(config, read);
            },
            server => started = server));
        Assert.Equal("Failed to configure TLS. Check logs for more info.", fault.Message);
        Assert.Equal(reason, Assert.Single(started!.Log.Entries).Text);
    }

    [Fact]
    public async Task Too_many_clients_are_refused_before_the_handshake()
    {
        using TestCertificates certificates = new();
        await using NetServer server = StartTls(certificates, static config => config.MaxClients = 1);
        using TlsClient client = TlsClient.Connect(server, certificates, certificates.Client);
        using RawClient refused = ConnectToTls(server);
        Assert.Equal("", refused.ReceiveToEnd());
        Assert.Equal("+PONG", client.Call("PING"));
    }

    private static string SerialInUse(NetServer server) =>
        server.State.Tls.Current!.ServerOptions.ServerCertificateContext!.TargetCertificate.SerialNumber;

    // The server's own timer looks as well, and one look at a time is enough for it.
    private static async Task LookUntilAsync(NetServer server, Func<bool> isDone)
    {
        for (int i = 0; i < 500 && !isDone(); i++)
        {
            server.State.Tls.Look();
            await Task.Delay(10);
        }

        Assert.True(isDone());
    }

    private static RawClient ConnectToTls(NetServer server) =>
        RawClient.Connect(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, server.Config.TlsPort));

    // With TLS 1.3 a client is through with its handshake before the server has looked at its certificate.
    private static bool IsServed(NetServer server, Func<TlsClient> connect)
    {
        long failuresBefore = server.State.Tls.HandshakeFailures;
        try
        {
            using TlsClient client = connect();
            return client.Call("PING") == "+PONG";
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException or SocketException)
        {
            // The client hears of it before it is counted.
            Assert.True(SpinWait.SpinUntil(() => server.State.Tls.HandshakeFailures > failuresBefore, TimeSpan.FromSeconds(20)));
            Assert.Equal(failuresBefore + 1, server.State.Tls.HandshakeFailures);
            return false;
        }
    }

    private NetServer StartWithHandshakes(
        TestCertificates certificates, int most, int waiting = 1024, int patienceMs = 60_000) =>
        StartTls(
            certificates,
            prepare: server =>
            {
                server.State.Tls.MaxHandshakes = most;
                server.State.Tls.MaxWaitingHandshakes = waiting;
                server.State.Tls.HandshakePatienceMs = patienceMs;
                server.State.Tls.HandshakeTimeoutMs = 60_000;
            });

    private NetServer StartTls(
        TestCertificates certificates, Action<ServerConfig>? configure = null, Action<NetServer>? prepare = null) =>
        NetServer.Start(
            Kind,
            config =>
            {
                config.TlsPort = FreePort.Next();
                config.TlsCertFile = certificates.ServerCertFile;
                config.TlsKeyFile = certificates.ServerKeyFile;
                config.TlsCaCertFile = certificates.CaFile;
                configure?.Invoke(config);
            },
            prepare: prepare);
}
