namespace KvServer.Server.Net;

/// <summary>The Linux transport: one or more event loops over the same listeners.</summary>
internal sealed class EventLoopTransport : ITransport
{
    private readonly List<EventLoop> _loops = [];
    private readonly Lock _postLock = new();
    private Task? _stopped;
    private bool _takesWork;

    /// <summary>Makes the transport; nothing runs yet.</summary>
    /// <param name="services">What the network layer shares; stays the caller's to dispose.</param>
    internal EventLoopTransport(NetServices services)
    {
        Services = services;
        Listeners = new Listeners(services.Config, services.Logger);
    }

    /// <inheritdoc/>
    public Listeners Listeners { get; }

    /// <summary>What the network layer shares.</summary>
    internal NetServices Services { get; }

    /// <summary>The loops; the first accepts for all.</summary>
    internal IReadOnlyList<EventLoop> Loops => _loops;

    /// <inheritdoc/>
    public void Start()
    {
        Services.PrepareTls();
        Listeners.Open();
        _ = Services.Reserve.TryTake();
        for (int i = 0; i < Math.Max(1, Services.Config.IoThreads); i++)
        {
            _loops.Add(new EventLoop(this, i));
        }

        _loops[0].Listen(Listeners.All);
        _loops.ForEach(static loop => loop.Start());
        lock (_postLock)
        {
            _takesWork = true;
        }
    }

    /// <inheritdoc/>
    public void Post(Action work)
    {
        lock (_postLock)
        {
            if (_takesWork)
            {
                _loops[0].PostWork(work);
            }
        }
    }

    /// <inheritdoc/>
    public bool TryListenAgain()
    {
        bool listens = Listeners.TryReopen();
        _loops[0].Listen(Listeners.All);
        return listens;
    }

    /// <inheritdoc/>
    public Task StopAsync(TimeSpan within) => _stopped ??= Task.Run(() => Stop((int)within.TotalMilliseconds));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_loops.Count > 0)
        {
            await StopAsync(TimeSpan.Zero);
        }

        Listeners.Dispose();
    }

    private void Stop(int withinMs)
    {
        _loops.ForEach(loop => loop.Stop(withinMs));
        _loops.ForEach(static loop => loop.Join());
        lock (_postLock)
        {
            _takesWork = false;
        }

        Listeners.Dispose();
        _loops.ForEach(static loop => loop.Dispose());
    }
}
