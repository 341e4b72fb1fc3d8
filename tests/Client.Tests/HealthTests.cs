using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Health of a running server: <c>kvserver --health</c>, and over HTTP.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task The_check_finds_a_server_by_its_own_arguments()
    {
        SkipStandIn();
        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests().With("requirepass", "a-secret"));
        string port = server.Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal((0, "healthy\n"), await CheckAsync(new() { ["KVSERVER_PASSWORD"] = "a-secret" }, "--port", port));
        Assert.Equal((0, "healthy\n"), await CheckAsync([], "--port", port, "--requirepass", "a-secret"));
        using TempFile file = new("a-secret\n");
        Assert.Equal((0, "healthy\n"), await CheckAsync(new() { ["KVSERVER_PASSWORD_FILE"] = file.Path }, "-p", port));
        Assert.Equal((0, "healthy, but: NOAUTH Authentication required.\n"), await CheckAsync([], "-p", port));
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal(1, (await CheckAsync([], "-p", port)).ExitCode);
    }

    [Fact]
    public async Task The_check_finds_a_server_on_a_unix_socket()
    {
        SkipStandIn();
        Assert.SkipWhen(OperatingSystem.IsWindows(), "unix sockets");
        string folder = TestPaths.CreateTempFolder("health");
        try
        {
            string path = Path.Combine(folder, "kv.sock");
            await using ServerProcess server = await ServerProcess.StartAsync(
                ServerOptions.ForTests().With("unixsocket", path));
            Assert.Equal((0, "healthy\n"), await CheckAsync([], "-s", path));
            Assert.Equal((0, "healthy\n"), await CheckAsync([], "--port", "0", "--unixsocket", path));
        }
        finally
        {
            TestPaths.DeleteFolder(folder);
        }
    }

    [Theory]
    [InlineData("TLSv1.3")]
    [InlineData("TLSv1.2")]
    public async Task The_check_finds_a_server_that_speaks_nothing_but_tls(string protocol)
    {
        SkipStandIn();
        using TestCertificates certificates = new();
        using TestCertificates others = new();
        certificates.Issue("servers-only", days: 365, forServersOnly: true);
        string serversOnly = Path.Combine(certificates.Folder, "servers-only");

        // The server's own certificate is shown to it; where that is none for clients, it does not want to talk, but it lives.
        Assert.Equal("healthy\n", await CheckTlsAsync(
            certificates.ClientCertFile, certificates.ClientKeyFile, certificates.CaFile, protocol));
        Assert.StartsWith("healthy, but: ", await CheckTlsAsync(
            serversOnly + ".crt", serversOnly + ".key", certificates.CaFile, protocol), StringComparison.Ordinal);
        Assert.StartsWith("healthy, but: ", await CheckTlsAsync(
            certificates.ServerCertFile, certificates.ServerKeyFile, others.CaFile, protocol), StringComparison.Ordinal);
        Assert.StartsWith("healthy, but: ", await CheckTlsAsync(
            certificates.ServerCertFile, certificates.ServerKeyFile, certificates.CaFile, protocol,
            onceReady: () => File.WriteAllText(certificates.ServerCertFile, "garbage")), StringComparison.Ordinal);
        Assert.StartsWith("healthy, but: ", await CheckTlsAsync(
            certificates.ClientCertFile, certificates.ClientKeyFile, certificates.CaFile, protocol,
            onceReady: () => File.Delete(certificates.ClientCertFile)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_told_to_no_other_host()
    {
        SkipStandIn();
        using TcpListener other = new(IPAddress.Any, 0);
        other.Start();
        string port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string host = Dns.GetHostName();
        Task<(int ExitCode, string Output)> check = CheckAsync(
            new() { ["KVSERVER_PASSWORD"] = "a-secret" }, "-h", host, "-p", port);
        using TcpClient asked = await other.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30));
        byte[] bytes = new byte[100];
        int read = await asked.GetStream().ReadAsync(bytes);
        Assert.Equal("*1\r\n$4\r\nPING\r\n", Encoding.ASCII.GetString(bytes, 0, read));
        asked.Close();
        Assert.Equal(1, (await check).ExitCode);
    }

    [Fact]
    public async Task A_configuration_from_standard_input_is_not_guessed()
    {
        SkipStandIn();
        (int exitCode, string output) = await CheckAsync([], "-");
        Assert.Equal(1, exitCode);
        Assert.Contains("give the port with -p", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_are_on_a_port_of_their_own_and_clients_port_refuses_HTTP()
    {
        SkipStandIn();
        string port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests().With("metrics-port", port));
        using HttpClient http = new();
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/healthz")));
        Assert.Contains(
            $"tcp_port=\"{server.Port}\"",
            await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")),
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri($"http://127.0.0.1:{server.Port}/metrics")));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task Without_a_port_for_metrics_the_HTTP_server_is_not_loaded()
    {
        SkipStandIn();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        string assembly = Path.Combine(Path.GetDirectoryName(TestPaths.ServerBinary)!, "KvServer.Storage.dll");
        Assert.SkipUnless(File.Exists(assembly), "a native build is one file");
        await using ServerProcess server = await ServerProcess.StartAsync();
        string maps = await File.ReadAllTextAsync($"/proc/{server.ProcessId}/maps");
        Assert.Contains("KvServer.Storage.dll", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("Kestrel.Core", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("AspNetCore.Http", maps, StringComparison.Ordinal);
    }

    /// <summary>What the check says about a server for TLS alone, which is gone afterwards.</summary>
    private static async Task<string> CheckTlsAsync(
        string certFile, string keyFile, string caFile, string protocol, Action? onceReady = null)
    {
        string folder = TestPaths.CreateTempFolder("health-tls");
        string port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        string[] line =
        [
            "--port", "0", "--tls-port", port, "--save", "", "--dir", folder, "--requirepass", "a-secret",
            "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", caFile, "--tls-protocols", protocol,
        ];
        using Process server = Process.Start(
            new ProcessStartInfo(TestPaths.ServerBinary, line) { RedirectStandardOutput = true, UseShellExecute = false })!;
        (int ExitCode, string Output) result;
        try
        {
            while (await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } text
                && !text.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
            }

            onceReady?.Invoke();
            result = await CheckAsync([], line);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            TestPaths.DeleteFolder(folder);
        }

        Assert.Equal(1, (await CheckAsync([], line)).ExitCode);
        Assert.True(result.ExitCode == 0, result.Output);
        return result.Output;
    }

    private static void SkipStandIn() => Assert.SkipWhen(TestPaths.IsStandIn, "redis-server has no such check");

    private static async Task<(int ExitCode, string Output)> CheckAsync(
        Dictionary<string, string> environment, params string[] arguments)
    {
        ToolRun run = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--health", .. arguments], environment: environment);
        return (run.ExitCode, run.All);
    }
}
