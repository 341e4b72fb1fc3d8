namespace KvServer.Server.Net;

/// <summary>What carries the connections: our event loops, or the framework's sockets.</summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>Where it listens, once started.</summary>
    Listeners Listeners { get; }

    /// <summary>Listens and serves.</summary>
    /// <exception cref="Hosting.StartupException">It cannot listen where it was told to.</exception>
    void Start();

    /// <summary>Listens where the configuration now says. Inside the command loop.</summary>
    /// <returns>False when that is not possible, see <see cref="Net.Listeners.TryReopen"/>.</returns>
    bool TryListenAgain();

    /// <summary>Has work done inside the command loop soon, on a thread of the transport.</summary>
    /// <remarks>Any thread. For background threads that the command loop may wait for: one of those must never hold the
    /// loop itself. Dropped before the start and after the end.</remarks>
    void Post(Action work);

    /// <summary>Stops accepting, sends what is written, closes every connection.</summary>
    /// <param name="within">What is still open after this time is cut off.</param>
    Task StopAsync(TimeSpan within);
}
