using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>Our server and the reference, started once for a test class and emptied before each script.</summary>
public abstract class ServerPair : IAsyncLifetime
{
    private readonly string _eventLoop;

    /// <summary>Names the event loop our server runs on.</summary>
    protected ServerPair(string eventLoop) => _eventLoop = eventLoop;

    /// <summary>The server under test.</summary>
    public ServerProcess Ours { get; private set; } = null!;

    /// <summary>The server that is right by definition.</summary>
    public ServerProcess Reference { get; private set; } = null!;

    /// <summary>Starts both; without a reference server the tests that ask for the pair are skipped.</summary>
    public async ValueTask InitializeAsync()
    {
        if (ReferenceServer.Binary is null)
        {
            return;
        }

        Reference = await ServerProcess.StartAsync(ServerOptions.ForTests(ReferenceServer.Binary));
        Ours = await StartOursAsync();
    }

    /// <summary>Skips the test without a reference server; in CI that is a failure.</summary>
    public static void RequireReference()
    {
        bool missing = ReferenceServer.Binary is null;
        Assert.False(missing && TestPaths.IsContinuousIntegration, ReferenceServer.MissingReason);
        Assert.SkipWhen(missing, ReferenceServer.MissingReason);
    }

    /// <summary>Empties both servers and undoes what scripts may have switched.</summary>
    /// <remarks>A server of ours that an earlier script brought down is started again.</remarks>
    public async Task ResetAsync()
    {
        if (Ours.HasExited)
        {
            await Ours.DisposeAsync();
            Ours = await StartOursAsync();
        }

        foreach (ServerProcess server in new[] { Ours, Reference })
        {
            using RespClient client = server.Connect();
            client.Execute("CLIENT", "UNPAUSE");
            client.Execute("FLUSHALL", "SYNC");
            client.Execute("DEBUG", "SET-ACTIVE-EXPIRE", "1");
            client.Execute("CONFIG", "RESETSTAT");
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (ServerProcess? server in new[] { Ours, Reference })
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }

    private Task<ServerProcess> StartOursAsync() =>
        ServerProcess.StartAsync(ServerOptions.ForTests().WithOwn("event-loop", _eventLoop));
}
