using KvServer.Server.Hosting;

namespace KvServer.Server.Acl;

/// <summary>Brings the users in before anybody can connect.</summary>
internal sealed class AclPart(ServerState server) : IServerPart
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancel)
    {
        server.Acl.LoadAtStart();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancel) => Task.CompletedTask;
}
