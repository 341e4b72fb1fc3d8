using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests.Net;

/// <summary>The executor of a server under test, with all commands and an empty keyspace.</summary>
internal sealed class TestExecutor : IDisposable
{
    private readonly Keyspace _keyspace = new(new KeyspaceOptions { DatabaseCount = 16 });

    public TestExecutor(ServerConfig config, TimeProvider? clock = null, ILogger? log = null)
    {
        Server = new ServerState(
            config, _keyspace, CommandCatalog.CreateTable(), clock ?? TimeProvider.System, log ?? NullLogger.Instance);
        Executor = new CommandExecutor(Server, NullLogger<CommandExecutor>.Instance);
    }

    public ServerState Server { get; }

    public CommandExecutor Executor { get; }

    public void Dispose() => _keyspace.Dispose();
}
