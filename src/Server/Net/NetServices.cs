using System.Net;
using KvServer.Resp;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Net.Pipes;
using KvServer.Server.Net.Tls;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net;

/// <summary>What every part of the network layer shares: configuration, the command loop, blocks, log, counts.</summary>
internal sealed class NetServices : IDisposable
{
    private readonly ILargeBulkFactory? _largeBulks;
    private readonly LogInterval _attackLog = new(60_000);
    private long _connectionCount;
    private bool _hasFailed;

    /// <summary>Ties the parts together. Nothing listens yet.</summary>
    /// <param name="config">Read live: limits change with CONFIG SET.</param>
    /// <param name="executor">Runs the requests.</param>
    /// <param name="logger">Where the network layer logs.</param>
    /// <param name="largeBulks">Blocks for large arguments; pooled arrays when null.</param>
    internal NetServices(
        ServerConfig config, CommandExecutor executor, ILogger logger, ILargeBulkFactory? largeBulks = null)
    {
        Config = config;
        Executor = executor;
        Logger = logger;
        CommandLoop = new CommandLoop(executor, Fail);
        _largeBulks = largeBulks;
        Tls = executor.Tls;
    }

    /// <summary>Raised once, when something failed that the server cannot go on from. Any thread.</summary>
    internal event Action? Failed;

    internal ServerConfig Config { get; }

    internal CommandExecutor Executor { get; }

    internal CommandLoop CommandLoop { get; }

    internal ILogger Logger { get; }

    internal BlockPool Blocks { get; } = new();

    /// <summary>Certificates and what handshakes need.</summary>
    internal TlsService Tls { get; }

    internal DescriptorReserve Reserve { get; } = new();

    /// <summary>Connections that are open or still being closed. Any thread.</summary>
    internal long ConnectionCount => Interlocked.Read(ref _connectionCount);

    /// <summary>Reads the certificates, if there is a port for TLS. Before anything listens.</summary>
    /// <exception cref="StartupException">They cannot be used; the log says why.</exception>
    internal void PrepareTls()
    {
        if (Config.TlsPort != 0 && !Tls.TryApply(Config))
        {
            throw new StartupException("Failed to configure TLS. Check logs for more info.");
        }
    }

    /// <summary>A reader for a new connection; the session sets the limits that apply to it.</summary>
    internal RequestReader NewRequestReader() => new(ProtocolLimits.Default, _largeBulks);

    /// <summary>Decides whether a new connection is let in, and counts it when it is.</summary>
    /// <param name="remote">The peer, null on a Unix socket.</param>
    /// <returns>The error line to send before the close, or an empty span for an admitted one, which must be given to
    /// <see cref="Forget"/> when it is closed.</returns>
    internal ReadOnlySpan<byte> Admit(EndPoint? remote)
    {
        if (Interlocked.Increment(ref _connectionCount) > Config.MaxClients)
        {
            Forget();
            return "-ERR max number of clients reached\r\n"u8;
        }

        if (Config.ProtectedMode && Executor.DefaultUserNeedsNoPassword && remote is IPEndPoint peer
            && !IPAddress.IsLoopback(peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address))
        {
            Forget();
            return ProtectedModeText;
        }

        return default;
    }

    /// <summary>Takes a closed connection out of the count.</summary>
    internal void Forget() => Interlocked.Decrement(ref _connectionCount);

    /// <summary>Logs a client that talks HTTP, once a minute at most. Any thread.</summary>
    internal void ReportAttack()
    {
        if (_attackLog.TryEnter(Environment.TickCount64))
        {
            Log.PossibleAttack(Logger);
        }
    }

    /// <summary>Reports what the server cannot go on from. Any thread.</summary>
    internal void Fail(Exception fault)
    {
        if (!Interlocked.Exchange(ref _hasFailed, true))
        {
            try
            {
                Log.Failed(Logger, fault);
            }
            finally
            {
                Failed?.Invoke(); // Even when there is no memory left for the log line: a dead loop must not stand still.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tls.Dispose();
        Blocks.Dispose();
        Reserve.Dispose();
    }

    // Word for word what the reference server says, because tools and people recognize it.
    private static ReadOnlySpan<byte> ProtectedModeText =>
        "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n"u8;
}
