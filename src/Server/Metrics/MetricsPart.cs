using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Net;
using KvServer.Server.Persistence;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Metrics;

/// <summary>Health and metrics as a part of the server: listens while the dataset is loaded already, and until clients are gone.</summary>
/// <remarks>With <c>metrics-port 0</c> it does nothing, and the HTTP server is not even loaded from disk.</remarks>
internal sealed class MetricsPart(
    ServerState server, TransportPart transport, ServerLifetime lifetime, ILogger<MetricsPart> log) : IServerPart, IDisposable
{
    // Long enough that whoever scrapes without end costs the loop a hundredth, short enough for every real use.
    private static readonly TimeSpan FreshFor = TimeSpan.FromMilliseconds(100);

    private HttpAnswerer? _http;

    /// <inheritdoc/>
    /// <exception cref="StartupException">The port can't be listened on.</exception>
    public Task StartAsync(CancellationToken cancel)
    {
        ServerConfig config = server.Config;
        if (config.MetricsPort == 0)
        {
            return Task.CompletedTask;
        }

        HttpPages pages = new(
            new LoopQuestion<ServerFigures>(
                transport.CommandLoop.Post, () => ServerFigures.Take(server), server.Clock, FreshFor),
            new LoopQuestion<ServerHealth>(transport.CommandLoop.Post, TakeHealth, server.Clock, FreshFor),
            () => lifetime.IsRequested,
            server.Clock,
            log);
        _http = new HttpAnswerer(config, pages, log);
        return _http.StartAsync(cancel);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (_http is { } http)
        {
            await http.StopAsync(cancel);
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http?.Dispose();
        _http = null;
    }

    /// <summary>Whether the server can be sent requests. Command loop only.</summary>
    /// <param name="server">Its state.</param>
    /// <param name="isStopping">Whether it has been told to end.</param>
    /// <param name="isListening">Whether clients can connect.</param>
    internal static ServerHealth HealthOf(ServerState server, bool isStopping, bool isListening) =>
        isStopping || (server.Restrictions & Restrictions.Stopping) != 0 ? ServerHealth.Stopping :
        server.IsLoading ? ServerHealth.Loading :
        isListening ? ServerHealth.Healthy : ServerHealth.Starting;

    private ServerHealth TakeHealth() =>
        HealthOf(server, lifetime.IsRequested, isListening: transport.EndpointKinds.Count > 0);
}
