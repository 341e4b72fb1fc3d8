namespace KvServer.Server.Hosting;

/// <summary>Ends the process on a client's word: SHUTDOWN.</summary>
internal interface IShutdown
{
    /// <summary>Starts to shut down.</summary>
    /// <returns>False when that is refused, because what had to be saved could not be; the log says why.</returns>
    bool TryBegin(ShutdownRequest request);

    /// <summary>Calls off a shutdown that waits for something.</summary>
    /// <returns>False when none waits.</returns>
    bool TryAbort();
}
