using System.Runtime.InteropServices;
using KvServer.Server.Config;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>Ends the process: on SIGTERM and SIGINT, and when SHUTDOWN asks for it.</summary>
internal sealed class ServerLifetime : IHostLifetime, IShutdown, IDisposable
{
    private readonly IHostApplicationLifetime _application;
    private readonly ILogger _log;
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _requested;
    private int _signalled;
    private ServerState? _server;
    private Action<Action>? _post;

    /// <summary>Made by the host.</summary>
    public ServerLifetime(IHostApplicationLifetime application, ILogger<ServerLifetime> log)
    {
        _application = application;
        _log = log;
    }

    /// <summary>Whether the server is on its way down.</summary>
    public bool IsRequested => Volatile.Read(ref _requested) != 0;

    /// <summary>Starts an orderly shutdown; any thread, further calls do nothing.</summary>
    public void RequestShutdown()
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0)
        {
            Log.ShutdownRequested(_log);
            _application.StopApplication();
        }
    }

    /// <inheritdoc/>
    /// <remarks>Saves first where that is wanted, while everybody waits. Command loop only.</remarks>
    public bool TryBegin(ShutdownRequest request)
    {
        if (_server is { } server && !IsRequested && !server.Snapshots.TryPrepareShutdown(request))
        {
            return false;
        }

        RequestShutdown();
        return true;
    }

    /// <summary>From now on shutdowns save the data of this server.</summary>
    /// <param name="server">Whose data.</param>
    /// <param name="post">Runs work inside the command loop.</param>
    public void SaveWith(ServerState server, Action<Action> post)
    {
        _server = server;
        _post = post;
    }

    /// <inheritdoc/>
    public bool TryAbort() => false;

    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, "SIGTERM")));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, "SIGINT")));

        // A terminal that goes away is no reason to stop.
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, static context => context.Cancel = true));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Gives the signals back.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context, string name)
    {
        context.Cancel = true;
        if (Interlocked.Exchange(ref _signalled, 1) != 0 || IsRequested)
        {
            if (context.Signal == PosixSignal.SIGINT)
            {
                Log.ExitingAtOnce(_log);
                Environment.Exit(1);
            }

            return;
        }

        Log.SignalReceived(_log, name);
        if (_post is not { } post)
        {
            RequestShutdown();
            return;
        }

        SignalShutdown how = context.Signal == PosixSignal.SIGINT
            ? _server!.Config.ShutdownOnSigint
            : _server!.Config.ShutdownOnSigterm;
        post(() => BeginOnSignal(name, how));
    }

    private void BeginOnSignal(string name, SignalShutdown how)
    {
        bool? save = how.HasFlag(SignalShutdown.Save) ? true : how.HasFlag(SignalShutdown.NoSave) ? false : null;
        if (!TryBegin(new ShutdownRequest(save, how.HasFlag(SignalShutdown.Now), how.HasFlag(SignalShutdown.Force))))
        {
            Log.SignalRefused(_log, name);
            Volatile.Write(ref _signalled, 0);
        }
    }
}
