namespace KvServer.Server.Net;

/// <summary>Where the batch of an event loop's connection is.</summary>
internal enum BatchPlace : byte
{
    /// <summary>Nowhere: the receive loop waits for input.</summary>
    None,

    /// <summary>In the turn being filled, which this loop enters next.</summary>
    Filling,

    /// <summary>In a turn given to the command loop.</summary>
    Flying,

    /// <summary>Suspended: the client is blocked or paused.</summary>
    Suspended,

    /// <summary>There is no session yet: the TLS handshake is under way.</summary>
    Handshaking,

    /// <summary>The TLS handshake is over, and the turn that opens the session has not run yet.</summary>
    Opening,
}
