namespace KvServer.Server.Hosting;

/// <summary>A part of the server with a life of its own: the command loop, the listeners, background work.</summary>
/// <remarks>Parts are services; they start in the order they were added and stop in the reverse one. A start that
/// can't succeed throws a <see cref="StartupException"/> with the line for the operator.</remarks>
public interface IServerPart
{
    /// <summary>The kinds of endpoint (<c>tcp</c>, <c>unix</c>, <c>tls</c>) this part accepts connections on once it
    /// has started; each is announced as ready once, when every part is.</summary>
    IReadOnlyList<string> EndpointKinds => [];

    /// <summary>Starts; when the task ends the part works.</summary>
    Task StartAsync(CancellationToken cancel);

    /// <summary>Ends once the part can serve clients with all that they expect of it. Called when every part has started.
    /// </summary>
    /// <exception cref="StartupException">It never will.</exception>
    Task WaitUntilReadyAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Stops and lets go of everything; the token tells when there is no more time for manners.</summary>
    Task StopAsync(CancellationToken cancel);
}
