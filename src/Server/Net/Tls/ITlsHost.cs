namespace KvServer.Server.Net.Tls;

/// <summary>What a handshake on a pool thread asks of the event loop that owns its socket. Any thread.</summary>
internal interface ITlsHost
{
    /// <summary>It waits for more input.</summary>
    void AwaitInput();

    /// <summary>It has left something to be sent.</summary>
    void AwaitSend();
}
