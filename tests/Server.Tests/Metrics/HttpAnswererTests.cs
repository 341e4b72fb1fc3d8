using System.Diagnostics;
using System.Net;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Metrics;
using KvServer.Server.Persistence;
using KvServer.Server.Tests.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests.Metrics;

/// <summary>The pages over real sockets, on a server whose command loop is the test's.</summary>
public sealed class HttpAnswererTests : CommandHarness, IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private readonly int _port = FreePort.Next();
    private HttpAnswerer _answerer = null!;
    private Action<Action> _post = work => work();
    private bool _isStopping;
    private bool _isListening = true;

    public async ValueTask InitializeAsync()
    {
        HttpPages pages = new(
            new LoopQuestion<ServerFigures>(work => _post(work), () => ServerFigures.Take(Server), TimeProvider.System, TimeSpan.Zero),
            new LoopQuestion<ServerHealth>(
                work => _post(work),
                () => MetricsPart.HealthOf(Server, _isStopping, _isListening),
                TimeProvider.System,
                TimeSpan.Zero),
            () => _isStopping,
            TimeProvider.System, // Patience ends by itself.
            NullLogger.Instance)
        {
            Patience = TimeSpan.FromMilliseconds(50),
        };
        _answerer = new HttpAnswerer(
            new ServerConfig { MetricsPort = _port, MetricsBind = ["127.0.0.1"], TlsPort = FreePort.Next() }, // A port for clients.
            pages,
            NullLogger.Instance)
        {
            HeaderTime = TimeSpan.FromMilliseconds(200),
        };
        await _answerer.StartAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        using CancellationTokenSource now = new(0);
        await _answerer.StopAsync(now.Token);
        Dispose();
    }

    public override void Dispose()
    {
        _answerer.Dispose();
        base.Dispose();
    }

    [Fact]
    public async Task Metrics_come_in_the_text_format()
    {
        Run("SET", "a", "1");
        using HttpResponseMessage response = await _http.GetAsync(Url("/metrics"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Contains("\nredis_db_keys{db=\"db0\"} 1\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_tells_what_state_the_server_is_in()
    {
        await ExpectAsync("/healthz", 200, "ok\n");
        Server.Restrict(Restrictions.Loading, applies: true);
        await ExpectAsync("/healthz", 503, "loading\n");
        await ExpectAsync("/livez", 200, "ok\n");
        Assert.Equal(200, await StatusOfAsync("/metrics"));
        Server.Restrict(Restrictions.Loading, applies: false);
        _isListening = false;
        await ExpectAsync("/healthz", 503, "starting\n");
        _isListening = true;
        Server.Restrict(Restrictions.Stopping, applies: true);
        await ExpectAsync("/healthz", 503, "shutting down\n");
        Server.Restrict(Restrictions.Stopping, applies: false);
        _isStopping = true;
        await ExpectAsync("/healthz", 503, "shutting down\n");
    }

    [Fact]
    public async Task A_command_loop_that_does_not_answer_is_busy_and_the_process_alive()
    {
        List<Action> waiting = [];
        _post = waiting.Add;
        await ExpectAsync("/healthz", 503, "busy\n");
        await ExpectAsync("/healthz", 503, "busy\n");
        await ExpectAsync("/metrics", 503, "busy\n");
        await ExpectAsync("/livez", 200, "ok\n");
        Assert.Equal(2, waiting.Count); // One question for each page, however often it is asked.
        waiting.ForEach(work => work());
        _post = work => work();
        await ExpectAsync("/healthz", 200, "ok\n");
    }

    [Fact]
    public async Task A_fault_while_figures_are_taken_is_an_error_of_that_request()
    {
        _post = _ => throw new InvalidOperationException("broken");
        Assert.Equal(500, await StatusOfAsync("/metrics"));
        _post = work => work();
        Assert.Equal(200, await StatusOfAsync("/livez"));
    }

    [Fact]
    public async Task Other_paths_and_methods_are_refused()
    {
        Assert.Equal(404, await StatusOfAsync("/"));
        Assert.Equal(404, await StatusOfAsync("/metrics/"));
        using HttpResponseMessage posted = await _http.PostAsync(Url("/metrics"), new StringContent("x"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
        Assert.Equal(["GET", "HEAD"], posted.Content.Headers.Allow);
        using HttpRequestMessage head = new(HttpMethod.Head, Url("/metrics"));
        using HttpResponseMessage answer = await _http.SendAsync(head);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 10_000);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("*1\r\n$4\r\nPING\r\n", "HTTP/1.1 400")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /metrics\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400")]
    public void What_is_no_request_is_refused_and_closed(string bytes, string start)
    {
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
        client.Send(bytes);
        Assert.StartsWith(start, client.ReceiveToEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/livez?", 3_000, "", 0, "HTTP/1.1 414")]
    [InlineData("/livez", 0, "X: ", 9_000, "HTTP/1.1 431")]
    public void Long_requests_are_refused(string path, int pathBytes, string header, int headerBytes, string start)
    {
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
        client.Send($"GET {path}{new string('a', pathBytes)} HTTP/1.1\r\nHost: a\r\n{header}{new string('a', headerBytes)}\r\n\r\n");
        Assert.StartsWith(start, client.ReceiveToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_headers_are_refused()
    {
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
        client.Send("GET /livez HTTP/1.1\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 100)) + "\r\n");
        Assert.StartsWith("HTTP/1.1 431", client.ReceiveToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_does_not_come_to_its_end_is_closed()
    {
        using RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
        long startedAt = Stopwatch.GetTimestamp();
        client.Send("GET /livez HTTP/1.1\r\nHost: a\r\nX: ");
        Assert.StartsWith("HTTP/1.1 408", client.ReceiveToEnd(), StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task The_pages_are_answered_while_others_hold_every_place_and_say_nothing()
    {
        List<RawClient> clients = [];
        try
        {
            for (int i = 0; i < HttpAnswerer.MaxConnections + 10; i++)
            {
                RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
                clients.Add(client);
                client.Send(i % 2 == 0 ? "GET /livez HTTP/1.1\r\nX: " : "");
            }

            await ExpectAsync("/livez", 200, "ok\n");
            await ExpectAsync("/healthz", 200, "ok\n");
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task Requests_being_answered_keep_their_places()
    {
        List<Action> waiting = [];
        using SemaphoreSlim asked = new(0);
        _post = work =>
        {
            waiting.Add(work);
            asked.Release();
        };
        List<RawClient> clients = [];
        try
        {
            for (int i = 0; i < HttpAnswerer.MaxConnections - 1; i++)
            {
                RawClient client = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
                clients.Add(client);
                client.Send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
                client.Expect("HTTP/1.1 200 OK");
            }

            // The next is asked for what the command loop has to say; meanwhile the others lose their places one after the other.
            using RawClient answered = RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port));
            answered.Send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(20)));
            for (int i = 0; i < HttpAnswerer.MaxConnections; i++)
            {
                clients.Add(RawClient.Connect(new IPEndPoint(IPAddress.Loopback, _port)));
            }

            clients.Take(HttpAnswerer.MaxConnections - 1).ToList().ForEach(static client => client.ReceiveToEnd());
            waiting.ForEach(work => work());
            Assert.StartsWith("HTTP/1.1 ", answered.ReceiveToEnd(), StringComparison.Ordinal);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_stops_the_start()
    {
        using HttpAnswerer second = new(
            new ServerConfig { MetricsPort = _port, MetricsBind = ["127.0.0.1"] }, null!, NullLogger.Instance);
        StartupException e = await Assert.ThrowsAsync<StartupException>(() => second.StartAsync(default));
        Assert.Contains($"Failed listening on port {_port} (tcp)", e.Message, StringComparison.Ordinal);
    }

    private Uri Url(string path) => new($"http://127.0.0.1:{_port}{path}");

    private async Task<int> StatusOfAsync(string path)
    {
        using HttpResponseMessage response = await _http.GetAsync(Url(path));
        return (int)response.StatusCode;
    }

    private async Task ExpectAsync(string path, int status, string body)
    {
        using HttpResponseMessage response = await _http.GetAsync(Url(path));
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
        Assert.Equal(status, (int)response.StatusCode);
    }
}
