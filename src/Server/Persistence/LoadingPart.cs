using KvServer.Server.Hosting;
using KvServer.Server.Net;

namespace KvServer.Server.Persistence;

/// <summary>Waits, once the server listens, until the dataset is in; from then on has shutdowns save it.</summary>
internal sealed class LoadingPart(ServerState server, TransportPart transport, ServerLifetime lifetime) : IServerPart
{
    /// <inheritdoc/>
    /// <exception cref="StartupException">The file cannot be loaded.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        lifetime.SaveWith(server, transport.CommandLoop.Post);
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
