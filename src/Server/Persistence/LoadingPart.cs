using KvServer.Server.Hosting;
using KvServer.Server.Net;

namespace KvServer.Server.Persistence;

/// <summary>Has shutdowns save the dataset, and the server be ready once that is in.</summary>
internal sealed class LoadingPart(ServerState server, TransportPart transport, ServerLifetime lifetime) : IServerPart
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancel)
    {
        lifetime.SaveWith(server, transport.CommandLoop.Post);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    /// <exception cref="StartupException">The file cannot be loaded.</exception>
    public async Task WaitUntilReadyAsync(CancellationToken cancel)
    {
        if (server.Loader is { } loader)
        {
            await loader.Completion.WaitAsync(cancel);
            server.Loader = null;
            loader.Dispose();
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancel) => Task.CompletedTask;
}
