using System.Runtime.InteropServices;
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
    /// <remarks>There is no data on disk yet that would have to be saved, so nothing refuses or delays a shutdown.</remarks>
    public bool TryBegin(ShutdownRequest request)
    {
        if (request is { Save: true, Force: false })
        {
            // There are no snapshots: going down as if there had been one would lose what the client wants kept.
            Log.CannotSave(_log);
            return false;
        }

        RequestShutdown();
        return true;
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
        if (IsRequested)
        {
            if (context.Signal == PosixSignal.SIGINT)
            {
                Log.ExitingAtOnce(_log);
                Environment.Exit(1);
            }

            return;
        }

        Log.SignalReceived(_log, name);
        RequestShutdown();
    }
}
