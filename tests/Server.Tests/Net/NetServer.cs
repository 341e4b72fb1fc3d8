using System.Net;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Net;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Tests.Net;

/// <summary>A server in this process, listening on a port that the system chose.</summary>
internal sealed class NetServer : IAsyncDisposable
{
    private readonly TestExecutor _executor;

    private NetServer(EventLoopKind kind, Action<ServerConfig>? configure, TimeProvider? clock)
    {
        Config = new ServerConfig { Port = FreePort.Next(), EventLoop = kind, Bind = ["127.0.0.1"] };
        configure?.Invoke(Config);
        _executor = new TestExecutor(Config, clock, Log);
        Services = new NetServices(
            Config, _executor.Executor, Log, new LargeBulkBridge(_executor.Server.Keyspace));
        Transport = Transports.Create(Services);
    }

    public ServerConfig Config { get; }

    public ServerState State => _executor.Server;

    public NetServices Services { get; }

    public ITransport Transport { get; }

    public ListLogger Log { get; } = new();

    public static NetServer Start(
        EventLoopKind kind, Action<ServerConfig>? configure = null, TimeProvider? clock = null,
        Action<NetServer>? prepare = null)
    {
        NetServer server = new(kind, configure, clock);
        prepare?.Invoke(server);
        server.Transport.Start();
        return server;
    }

    public RawClient Connect() => RawClient.Connect(new IPEndPoint(IPAddress.Loopback, Config.Port));

    /// <summary>Waits until the server has let go of all but so many connections.</summary>
    public async Task<bool> HasConnectionsAsync(long count)
    {
        for (int i = 0; i < 500 && Services.ConnectionCount != count; i++)
        {
            await Task.Delay(10);
        }

        return Services.ConnectionCount == count;
    }

    public async ValueTask DisposeAsync()
    {
        await Transport.StopAsync(TimeSpan.FromSeconds(5));
        await Transport.DisposeAsync();
        Services.Dispose();
        _executor.Dispose();
        Assert.Equal(0, Services.ConnectionCount);
        Assert.DoesNotContain(Log.Entries, static entry => entry.Level == LogLevel.Critical);
    }
}
