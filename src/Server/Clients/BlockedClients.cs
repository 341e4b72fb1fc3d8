namespace KvServer.Server.Clients;

/// <summary>The clients that wait in a blocking command, and until when.</summary>
/// <remarks>What they wait for is their <see cref="IClientWait"/>'s business. A waiting client's batch stays where it is,
/// behind the command that waits. Command loop only.</remarks>
internal sealed class BlockedClients
{
    private readonly SortedSet<(long EndsAtMs, long ClientId)> _deadlines = [];
    private readonly Dictionary<long, (Client Client, long EndsAtMs)> _waiting = [];

    /// <summary>Clients that wait now.</summary>
    public int Count => _waiting.Count;

    /// <summary>When the next of them gives up, in ms since the Unix epoch.</summary>
    public long NextDeadlineMs => _deadlines.Count == 0 ? long.MaxValue : _deadlines.Min.EndsAtMs;

    /// <summary>Lets a client wait. O(log of those that wait with a deadline).</summary>
    /// <param name="client">Runs nothing until <see cref="Release"/>.</param>
    /// <param name="wait">Replies when the wait ends.</param>
    /// <param name="endsAtMs">When the wait ends by itself, in ms since the Unix epoch; 0 for never.</param>
    public void Block(Client client, IClientWait wait, long endsAtMs)
    {
        client.Wait = wait;
        client.Set(ClientFlags.Suspended, on: true);
        _waiting.Add(client.Id, (client, endsAtMs));
        if (endsAtMs > 0)
        {
            _deadlines.Add((endsAtMs, client.Id));
        }
    }

    /// <summary>Ends a client's wait, after its reply has been written: it goes on with what it has sent since.</summary>
    public void Release(Client client)
    {
        if (Remove(client))
        {
            client.Set(ClientFlags.Suspended, on: false);
            client.Connection.Resume();
        }
    }

    /// <summary>Forgets a client, if it waits.</summary>
    /// <returns>Whether it did.</returns>
    public bool Remove(Client client)
    {
        if (!_waiting.Remove(client.Id, out (Client Client, long EndsAtMs) waiting))
        {
            return false;
        }

        client.Wait = null;
        _deadlines.Remove((waiting.EndsAtMs, client.Id));
        return true;
    }

    /// <summary>Ends the waits whose time is up.</summary>
    public void EndWhenDue(long nowMs)
    {
        while (_deadlines.Count > 0 && _deadlines.Min.EndsAtMs <= nowMs)
        {
            (long endsAtMs, long id) = _deadlines.Min;
            _deadlines.Remove((endsAtMs, id));
            _ = _waiting[id].Client.Wait!.TryEnd(withError: false);
        }
    }
}
