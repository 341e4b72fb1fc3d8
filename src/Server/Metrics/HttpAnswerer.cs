using System.Net;
using System.Net.Sockets;
using KvServer.Server.Config;
using KvServer.Server.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KvServer.Server.Metrics;

/// <summary>Answers GET and HEAD over HTTP/1.1 on a port of its own: Kestrel without anything around it.</summary>
/// <remarks>
/// Clients are held to little: so many connections, so many bytes of header, so long for a request, and no body. Kestrel
/// closes those that read or write too slowly. Only this type names Kestrel, so that it is loaded by
/// <see cref="StartAsync"/> and not before.
/// </remarks>
internal sealed class HttpAnswerer : IDisposable
{
    /// <summary>Connections at the same time; for one more the one that has been silent longest is closed.</summary>
    internal const int MaxConnections = 32;

    // Those that were closed for others take a moment to end. This many at once is a flood, and the rest of it is closed unseen.
    private const int MaxConnectionsWithEnding = 4 * MaxConnections;
    private const int MaxRequestLineBytes = 2 * 1024;
    private const int MaxHeaderBytes = 8 * 1024;
    private const int MaxHeaders = 64;

    // Those who ask come every few seconds at most; a connection that idles takes one of few places.
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(2);

    private readonly HttpPages _pages;
    private readonly ILogger _log;
    private readonly Listeners _listeners;
    private readonly HttpPlaces _places = new(MaxConnections);
    private KestrelServer? _kestrel;

    /// <summary>Makes it; nothing listens yet.</summary>
    public HttpAnswerer(ServerConfig config, HttpPages pages, ILogger log)
    {
        _pages = pages;
        _log = log;

        // Addresses mean here what they mean in bind.
        ServerConfig own = config.Clone();
        own.Port = config.MetricsPort;
        own.Bind = config.MetricsBind;
        own.TlsPort = 0;
        own.UnixSocket = "";
        _listeners = new Listeners(own, log);
    }

    /// <summary>How long a client may take to send a request.</summary>
    public TimeSpan HeaderTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Begins to listen.</summary>
    /// <exception cref="Hosting.StartupException">The port can't be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        _listeners.Open();
        Dictionary<EndPoint, Socket> sockets = _listeners.All.ToDictionary(l => l.Socket.LocalEndPoint!, l => l.Socket);
        KestrelServerOptions options = new() { AddServerHeader = false };
        KestrelServerLimits limits = options.Limits;
        limits.MaxConcurrentConnections = MaxConnectionsWithEnding;
        limits.MaxConcurrentUpgradedConnections = 0;
        limits.MaxRequestLineSize = MaxRequestLineBytes;
        limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        limits.MaxRequestHeaderCount = MaxHeaders;
        limits.MaxRequestBufferSize = MaxHeaderBytes + MaxRequestLineBytes;
        limits.MaxRequestBodySize = 0;
        limits.RequestHeadersTimeout = HeaderTime;
        limits.KeepAliveTimeout = IdleTime;
        foreach (EndPoint address in sockets.Keys)
        {
            options.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => ServeAsync(connection, next));
            });
            Log.Listening(_log, address.ToString()!);
        }

        SocketTransportOptions transport = new() { CreateBoundListenSocket = address => sockets[address] };

        // What clients do wrong is theirs to see; Kestrel would tell the log.
        _kestrel = new KestrelServer(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
        await _kestrel.StartAsync(new Application(_pages), cancel);
    }

    /// <summary>Closes what is idle, waits for answers under way, and closes the rest once the token says so.</summary>
    public Task StopAsync(CancellationToken cancel) => _kestrel?.StopAsync(cancel) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _kestrel?.Dispose();
        _listeners.Dispose();
    }

    private async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        using HttpPlaces.Place? place = _places.TryTake(connection.Abort);
        if (place is null)
        {
            connection.Abort();
            return;
        }

        connection.Features.Set(place);
        await next(connection);
    }

    private sealed class Application(HttpPages pages) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            contextFeatures.Get<HttpPlaces.Place>()!.BeginAnswer();
            return new DefaultHttpContext(contextFeatures);
        }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            HttpRequest request = context.Request;
            HttpResponse response = context.Response;
            bool isHead = HttpMethods.IsHead(request.Method);
            HttpAnswer answer;
            if (request.Headers.TransferEncoding.Count > 0)
            {
                answer = HttpAnswer.Line(400, "A request has no body here.");
                response.Headers.Connection = "close";
            }
            else if (isHead || HttpMethods.IsGet(request.Method))
            {
                answer = await pages.AnswerAsync(request.Path.Value ?? "");
            }
            else
            {
                response.Headers.Allow = "GET, HEAD";
                answer = HttpAnswer.Line(405, "Only GET and HEAD are answered.");
            }

            response.StatusCode = answer.Status;
            response.ContentType = answer.ContentType;
            response.ContentLength = answer.Body.Length;
            response.Headers.CacheControl = "no-store";
            response.Headers.XContentTypeOptions = "nosniff";
            if (!isHead)
            {
                await response.Body.WriteAsync(answer.Body, context.RequestAborted);
            }
        }

        // The context holds nothing but Kestrel's features.
        public void DisposeContext(HttpContext context, Exception? exception) =>
            context.Features.Get<HttpPlaces.Place>()!.EndAnswer();
    }
}
