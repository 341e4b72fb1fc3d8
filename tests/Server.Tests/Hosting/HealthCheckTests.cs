using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Hosting;
using KvServer.Server.Tests.Config;
using KvServer.Server.Tests.Net;

namespace KvServer.Server.Tests.Hosting;

/// <summary>The check against a server that answers what the test says.</summary>
public sealed class HealthCheckTests : IDisposable
{
    private readonly ConfigFixture _fixture = new();
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("+PONG\r\n", true, "healthy")]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", false, "loading: LOADING Redis is loading the dataset in memory")]
    [InlineData("-NOAUTH Authentication required.\r\n", true, "healthy, but: NOAUTH Authentication required.")]
    [InlineData("-MISCONF Errors writing\r\n", true, "healthy, but: MISCONF Errors writing")]
    [InlineData("-ERR unknown command 'PING'\r\n", true, "healthy, but: ERR unknown command 'PING'")]
    [InlineData("-ERR max number of clients reached\r\n", false, "unhealthy: -ERR max number of clients reached")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", false, "unhealthy: HTTP/1.1 400 Bad Request")]
    [InlineData("+PO", false, "unhealthy: +PO")]
    [InlineData("+\u001b[2J\r\n", false, "unhealthy: +?[2J")]
    [InlineData("", false, "unhealthy: the connection was closed")]
    public async Task The_answer_decides(string reply, bool isHealthy, string line)
    {
        (int port, Task<string> request) = Serve(reply, "*1\r\n$4\r\nPING\r\n".Length);
        Assert.Equal((isHealthy, line), await CheckAsync("-p", Text(port)));
        Assert.Equal("*1\r\n$4\r\nPING\r\n", await request);
    }

    [Theory]
    [InlineData("+OK\r\n+PONG\r\n", true, "healthy")]
    [InlineData("+OK\r\n-LOADING Redis is loading\r\n", false, "loading: LOADING Redis is loading")]
    [InlineData("-ERR AUTH <password> called without any password configured\r\n+PONG\r\n", true, "healthy")]
    [InlineData("-WRONGPASS invalid\r\n-NOAUTH Authentication required.\r\n", true, "healthy, but: NOAUTH Authentication required.")]
    [InlineData("-ERR max number of clients reached\r\n", false, "unhealthy: -ERR max number of clients reached")]
    public async Task With_a_password_the_answer_after_that_to_AUTH_decides(string replies, bool isHealthy, string line)
    {
        const string Requests = "*2\r\n$4\r\nAUTH\r\n$3\r\na b\r\n*1\r\n$4\r\nPING\r\n";
        _environment["KVSERVER_PASSWORD"] = "a b";
        (int port, Task<string> request) = Serve(replies, Requests.Length);
        Assert.Equal((isHealthy, line), await CheckAsync("--port", Text(port)));
        Assert.Equal(Requests, await request);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("\u0016", false)]
    [InlineData("\u0016\u0002\u0000", false)]
    [InlineData("\u0000\u0003\u0000", false)]
    [InlineData("\u0015\u0003\u0003\u0000\u0002\u0002\u0028", false)] // An alert: no version or cipher in common.
    [InlineData("-ERR Protocol error\r\n", false)]
    [InlineData("+PONG\r\n", false)]
    [InlineData("\u0016\u0003\u0003\u0000\u007a", true)] // A server that breaks off within its own part of the handshake.
    public async Task A_port_for_tls_lives_when_a_server_takes_part_in_the_handshake(string answer, bool isHealthy)
    {
        (int port, Task<string> hello) = Serve(answer, 1);
        (bool isFoundHealthy, string line) = await CheckAsync("--port", "0", "--tls-port", Text(port), "--tls-auth-clients", "no");
        Assert.Equal(isHealthy, isFoundHealthy);
        Assert.StartsWith(isHealthy ? "healthy, but: the server closed" : $"unhealthy: 127.0.0.1:{port}:", line, StringComparison.Ordinal);
        Assert.StartsWith("\u0016\u0003", await hello, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_file_and_options_say_where_it_is()
    {
        (int port, Task<string> request) = Serve("+OK\r\n+PONG\r\n", 1);
        string file = _fixture.Write("kv.conf", $"port 1\nbind * -::*\nrequirepass secret\nprotected-mode no\n");
        Assert.Equal((true, "healthy"), await CheckAsync(file, "--port", Text(port)));
        Assert.Contains("secret", await request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start(); // The kernel accepts, and nobody ever answers.
        (bool isHealthy, string line) = await CheckAsync("-t", "0.1", "-p", Text(((IPEndPoint)listener.LocalEndpoint).Port));
        Assert.False(isHealthy);
        Assert.EndsWith("in time", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_end_is_given_up()
    {
        (int port, _) = Serve(new string('a', 10_000), 1);
        (bool isHealthy, string line) = await CheckAsync("-p", Text(port));
        Assert.False(isHealthy);
        Assert.Equal("unhealthy: " + new string('a', 200), line);
    }

    [Fact]
    public async Task Nobody_there_is_unhealthy()
    {
        (bool isHealthy, string line) = await CheckAsync("-p", Text(FreePort.Next()));
        Assert.False(isHealthy);
        Assert.StartsWith("unhealthy: 127.0.0.1:", line, StringComparison.Ordinal);
        Assert.Equal((false, "unhealthy: the configuration names neither a port nor a unix socket"), await CheckAsync("--port", "0"));
        Assert.False((await CheckAsync("-s", Path.Combine(_fixture.Folder, "none"))).IsHealthy);
    }

    [Theory]
    [InlineData("-p", "0")]
    [InlineData("-p", "x")]
    [InlineData("-t", "-1")]
    public async Task Bad_options_are_refused(params string[] args)
    {
        (bool isHealthy, string line) = await CheckAsync(args);
        Assert.False(isHealthy);
        Assert.StartsWith("Usage:", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_unhealthy_with_the_reason()
    {
        (bool isHealthy, string line) = await CheckAsync("--nosuch", "1");
        Assert.False(isHealthy);
        Assert.EndsWith("Bad directive or wrong number of arguments", line, StringComparison.Ordinal);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<(bool IsHealthy, string Line)> CheckAsync(params string[] args)
    {
        using StringWriter report = new();
        bool isHealthy = await HealthCheck.RunAsync(args, report, _environment);
        return (isHealthy, report.ToString().TrimEnd());
    }

    /// <summary>Answers one connection once so many bytes have come, and closes it.</summary>
    private static (int Port, Task<string> Request) Serve(string reply, int requestBytes)
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return (((IPEndPoint)listener.LocalEndpoint).Port, AnswerAsync());

        async Task<string> AnswerAsync()
        {
            using (listener)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                byte[] bytes = new byte[4096];
                int length = await client.GetStream().ReadAtLeastAsync(bytes, requestBytes);
                await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(reply));
                return Encoding.UTF8.GetString(bytes, 0, length);
            }
        }
    }
}
