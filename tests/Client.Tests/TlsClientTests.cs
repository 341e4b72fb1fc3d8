using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KvServer.TestSupport;
using StackExchange.Redis;

namespace KvServer.Client.Tests;

/// <summary>Clients that speak TLS, against either event loop.</summary>
public sealed class TlsClientTests : IDisposable
{
    private readonly TestCertificates _certificates = new();

    private string[] WithCertificate =>
        ["--cacert", _certificates.CaFile, "--cert", _certificates.ClientCertFile, "--key", _certificates.ClientKeyFile];

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task Redis_cli_speaks_tls_with_a_certificate(string eventLoop)
    {
        await using ServerProcess server = await StartAsync(eventLoop);
        string port = TlsPort(server);
        Assert.Equal("PONG\n", (await CliAsync(port, WithCertificate, "PING")).Output);
        byte[] value = [.. Enumerable.Range(0, 2_000_000).Select(static i => (byte)('a' + (i % 23)))];
        ToolRun set = await ToolRun.RunAsync(
            Require.Tool("redis-cli"), ["-p", port, "--tls", .. WithCertificate, "-x", "SET", "tls:big"], value);
        Assert.Equal("OK\n", set.Output);
        string got = (await CliAsync(port, WithCertificate, "GET", "tls:big")).Output;
        Assert.True(System.Text.Encoding.Latin1.GetString(value) + "\n" == got, $"{got.Length} characters, or others than were set");
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task Redis_cli_is_refused_without_a_certificate_and_refuses_another_authority(string eventLoop)
    {
        await using ServerProcess server = await StartAsync(eventLoop);
        string port = TlsPort(server);
        ToolRun without = await CliAsync(port, ["--cacert", _certificates.CaFile], "PING");
        Assert.DoesNotContain("PONG", without.All, StringComparison.Ordinal);
        using TestCertificates others = new();
        ToolRun wrong = await CliAsync(
            port, ["--cacert", others.CaFile, "--cert", _certificates.ClientCertFile, "--key", _certificates.ClientKeyFile], "PING");
        Assert.Contains("certificate verify failed", wrong.All, StringComparison.Ordinal);
        using RespClient plain = server.Connect();
        Assert.Equal("OK", plain.Execute("CONFIG", "SET", "tls-auth-clients", "optional").AsString);
        Assert.Equal("PONG\n", (await CliAsync(port, ["--cacert", _certificates.CaFile], "PING")).Output);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task StackExchange_redis_connects_with_a_client_certificate(string eventLoop)
    {
        await using ServerProcess server = await StartAsync(eventLoop);
        ConfigurationOptions options = new()
        {
            EndPoints = { { "127.0.0.1", int.Parse(TlsPort(server), CultureInfo.InvariantCulture) } },
            Ssl = true,
            SslHost = "localhost",
            AbortOnConnectFail = true,
            ConnectTimeout = 15_000,
            SyncTimeout = 15_000,
            ResponseTimeout = 15_000,
        };
        options.CertificateSelection += (_, _, _, _, _) => _certificates.Client;
        options.CertificateValidation += (_, certificate, _, errors) =>
            (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0 && IsOurs(certificate!);
        await using ConnectedClient connected = new(await ConnectionMultiplexer.ConnectAsync(options));
        IDatabase db = connected.Multiplexer.GetDatabase();
        string large = new('x', 300_000);
        Task<bool>[] sets = [.. Enumerable.Range(0, 200).Select(i => db.StringSetAsync($"tls:{i}", $"{i}"))];
        Assert.All(await Task.WhenAll(sets), Assert.True);
        Assert.True(await db.StringSetAsync("tls:large", large));
        Assert.Equal(large, (string?)await db.StringGetAsync("tls:large"));
        RedisValue[] values = await db.StringGetAsync([.. Enumerable.Range(0, 200).Select(static i => (RedisKey)$"tls:{i}")]);
        Assert.Equal(Enumerable.Range(0, 200).Select(static i => i.ToString(CultureInfo.InvariantCulture)), values.Select(static v => (string?)v));
        ISubscriber subscriber = connected.Multiplexer.GetSubscriber();
        TaskCompletionSource<string?> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync("tls:news", (_, message) => heard.TrySetResult(message));
        await subscriber.PublishAsync("tls:news", "hello");
        Assert.Equal("hello", await heard.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task The_port_can_be_switched_on_moved_and_switched_off()
    {
        string first = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        string second = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests());
        using RespClient plain = server.Connect();
        const string Refusal = "Unable to update TLS configuration. Check server logs.";
        Assert.Contains(Refusal, plain.Execute("CONFIG", "SET", "tls-port", first).ToString()!, StringComparison.Ordinal);
        Assert.Equal("OK", plain.Execute(
            "CONFIG", "SET", "tls-port", first, "tls-cert-file", _certificates.ServerCertFile, "tls-key-file",
            _certificates.ServerKeyFile, "tls-ca-cert-file", _certificates.CaFile).AsString);
        Assert.Equal("PONG\n", (await CliAsync(first, WithCertificate, "PING")).Output);
        Assert.Contains(Refusal, plain.Execute("CONFIG", "SET", "tls-cert-file", "/no/such/file").ToString()!, StringComparison.Ordinal);
        await LogHasAsync(server, "Failed to load certificate: /no/such/file:");
        Assert.Equal("PONG\n", (await CliAsync(first, WithCertificate, "PING")).Output);
        Assert.Equal("OK", plain.Execute("CONFIG", "SET", "tls-port", second).AsString);
        Assert.Equal("PONG\n", (await CliAsync(second, WithCertificate, "PING")).Output);
        Assert.DoesNotContain("PONG", (await CliAsync(first, WithCertificate, "PING")).All, StringComparison.Ordinal);
        Assert.Equal("OK", plain.Execute("CONFIG", "SET", "tls-port", "0").AsString);
        Assert.DoesNotContain("PONG", (await CliAsync(second, WithCertificate, "PING")).All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changed_files_are_taken_up_by_themselves_and_the_end_of_a_certificate_is_warned_about()
    {
        Assert.SkipWhen(TestPaths.IsStandIn, "redis-server reads its files again only when told to");
        await using ServerProcess server = await StartAsync("epoll");
        using RespClient plain = server.Connect();
        string before = plain.Execute("INFO", "tls").AsString!;
        Assert.Contains("tls_reloads:0\r\n", before, StringComparison.Ordinal);
        Assert.DoesNotContain("expires soon", server.Log, StringComparison.Ordinal);
        _certificates.IssueServer(days: 3);
        string after = before;
        long deadline = Environment.TickCount64 + 20_000;
        while (!after.Contains("tls_reloads:1\r\n", StringComparison.Ordinal) && Environment.TickCount64 < deadline)
        {
            await Task.Delay(50); // The server looks at its files once a second.
            after = plain.Execute("INFO", "tls").AsString!;
        }

        long expiresAt = long.Parse(
            after.Split("tls_cert_expires_at:")[1].Split('\r')[0], CultureInfo.InvariantCulture);
        long inThreeDays = TimeProvider.System.GetUtcNow().AddDays(3).ToUnixTimeSeconds();
        Assert.InRange(expiresAt, inThreeDays - 120, inThreeDays);
        await LogHasAsync(server, "The TLS certificate expires soon");
    }

    [Fact]
    public async Task A_server_may_speak_nothing_but_tls()
    {
        string port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        string path = Path.Combine(_certificates.Folder, "s.sock");
        string[] line =
        [
            "--port", "0", "--tls-port", port, "--unixsocket", path, "--save", "", "--tls-cert-file", _certificates.ServerCertFile,
            "--tls-key-file", _certificates.ServerKeyFile, "--tls-ca-cert-file", _certificates.CaFile, "--dir", _certificates.Folder,
        ];
        using System.Diagnostics.Process server = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(TestPaths.ServerBinary, line) { RedirectStandardOutput = true, UseShellExecute = false })!;
        try
        {
            while (await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } text
                && !text.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
            }

            Assert.Equal("PONG\n", (await CliAsync(port, WithCertificate, "PING")).Output);
            Assert.Contains($"tcp_port:{port}", (await CliAsync(port, WithCertificate, "INFO", "server")).Output, StringComparison.Ordinal);
            Assert.Equal("PONG\n", (await ToolRun.RunAsync(Require.Tool("redis-cli"), ["-s", path, "PING"])).Output);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    public void Dispose() => _certificates.Dispose();

    // What the server writes reaches this process a little later than its replies.
    private static async Task LogHasAsync(ServerProcess server, string text)
    {
        long deadline = Environment.TickCount64 + 20_000;
        while (!server.Log.Contains(text, StringComparison.Ordinal) && Environment.TickCount64 < deadline)
        {
            await Task.Delay(20);
        }

        Assert.Contains(text, server.Log, StringComparison.Ordinal);
    }

    private static string TlsPort(ServerProcess server) => server.Options.Settings["tls-port"];

    private static Task<ToolRun> CliAsync(string port, string[] options, params string[] command) =>
        ToolRun.RunAsync(Require.Tool("redis-cli"), ["-h", "localhost", "-p", port, "--tls", .. options, .. command]);

    private bool IsOurs(X509Certificate certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(_certificates.Authority);
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }

    private Task<ServerProcess> StartAsync(string eventLoop) => ServerProcess.StartAsync(ServerOptions.ForTests()
        .WithOwn("event-loop", eventLoop)
        .With("tls-port", FreePort.Next().ToString(CultureInfo.InvariantCulture))
        .With("tls-cert-file", _certificates.ServerCertFile)
        .With("tls-key-file", _certificates.ServerKeyFile)
        .With("tls-ca-cert-file", _certificates.CaFile));
}
