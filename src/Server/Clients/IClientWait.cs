namespace KvServer.Server.Clients;

/// <summary>What a client waits for in a blocking command; the command brings it along.</summary>
/// <remarks>Command loop only.</remarks>
internal interface IClientWait
{
    /// <summary>Ends the wait before its time (CLIENT UNBLOCK) and replies to the waiting client.</summary>
    /// <param name="withError">Reply as if unblocked by force; otherwise as if the time were up.</param>
    /// <returns>False when this kind of wait cannot be ended from outside.</returns>
    bool TryEnd(bool withError);
}
