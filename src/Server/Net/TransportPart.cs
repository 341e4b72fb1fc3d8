using System.Globalization;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net;

/// <summary>The network as a part of the server: listens at start-up, says good-bye to every client at shutdown.</summary>
internal sealed class TransportPart : IServerPart, IAsyncDisposable
{
    // What the host leaves for shutting down is more than this, so that slow readers cannot use it up.
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(3);

    // Descriptors that are not for clients: listeners, logs, files, and about a hundred of the runtime, which keeps each
    // assembly open.
    private const int ReservedDescriptors = 256;

    private const string TlsRefusal = "Unable to update TLS configuration. Check server logs.";

    private static readonly string[] TlsFileOptions =
    [
        "tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients",
        "tls-protocols", "tls-ciphers", "tls-ciphersuites", "tls-session-caching",
    ];

    private readonly ILogger _log;
    private readonly NetServices _services;
    private readonly ITransport _transport;

    /// <summary>Made by the host.</summary>
    public TransportPart(
        ServerState server, CommandExecutor executor, ConfigService configService, IHostApplicationLifetime lifetime,
        ILogger<TransportPart> log)
    {
        _log = log;
        _services = new NetServices(server.Config, executor, log, new LargeBulkBridge(server.Keyspace));
        _transport = Transports.Create(_services);
        server.Aof.PostWith(_transport.Post);
        _services.Failed += () =>
        {
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        };
        configService.OnChanged("port", _ =>
            _transport.TryListenAgain() ? null : "Unable to listen on this port. Check server logs.");
        configService.OnChanged("bind", _ =>
            _transport.TryListenAgain() ? null : "Failed to bind to specified addresses.");
        configService.OnChanged("tls-port", config =>
            config.TlsPort != 0 && !_services.Tls.TryApply(config) ? TlsRefusal
            : _transport.TryListenAgain() ? null : "Unable to listen on this port. Check server logs.");
        foreach (string option in TlsFileOptions)
        {
            configService.OnChanged(option, ApplyTls);
        }

        configService.OnChanging("maxclients", static config => config.MaxClients <= MaxPossibleClients()
            ? null
            : string.Create(CultureInfo.InvariantCulture,
                $"The operating system is not able to handle the specified number of clients, try with {MaxPossibleClients()}"));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> EndpointKinds => [.. _transport.Listeners.All.Select(static listener => listener.Kind)];

    /// <summary>The door to the keyspace, for parts that bring work of their own.</summary>
    internal CommandLoop CommandLoop => _services.CommandLoop;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancel)
    {
        LowerMaxClients();
        _transport.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancel) => _transport.StopAsync(StopTime);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync();
        _services.Dispose();
    }

    // The runtime has raised the soft limit to the hard one already, so this is what there is.
    private static long MaxPossibleClients() =>
        OperatingSystem.IsLinux() ? Math.Max(1, LinuxSocket.MaxOpenDescriptors() - ReservedDescriptors) : long.MaxValue;

    private string? ApplyTls(ServerConfig config) =>
        config.TlsPort == 0 || _services.Tls.TryApply(config) ? null : TlsRefusal;

    private void LowerMaxClients()
    {
        long possible = MaxPossibleClients();
        if (_services.Config.MaxClients > possible)
        {
            Log.MaxClientsReduced(_log, _services.Config.MaxClients, LinuxSocket.MaxOpenDescriptors(), possible);
            _services.Config.MaxClients = possible;
        }
    }
}
