using KvServer.Server.Hosting;

namespace KvServer.Server.Persistence;

/// <summary>Opens the dataset before the server listens, so that nobody sees it empty.</summary>
internal sealed class DatasetPart(ServerState server) : IServerPart
{
    /// <inheritdoc/>
    /// <exception cref="StartupException">There is a file that cannot be read.</exception>
    public Task StartAsync(CancellationToken cancel)
    {
        server.Loader = DatasetLoader.TryOpen(server);
        server.Restrict(Restrictions.Loading, server.Loader is not null);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancel)
    {
        server.Loader?.Dispose();
        return Task.CompletedTask;
    }
}
