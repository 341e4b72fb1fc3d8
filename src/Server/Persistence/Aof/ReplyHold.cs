using KvServer.Server.Clients;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Replies that must not leave before the log is on disk up to some place: appendfsync always, and WAITAOF.</summary>
/// <remarks>Places are those of <see cref="AofWriter"/>. Command loop only.</remarks>
internal sealed class ReplyHold
{
    private readonly List<(Client Client, long End)> _held = [];

    /// <summary>Clients whose replies wait.</summary>
    public int Count => _held.Count;

    /// <summary>Adds a client, once at a time.</summary>
    public void Add(Client client, long end) => _held.Add((client, end));

    /// <summary>Takes those whose place is on disk; they go on by themselves.</summary>
    public void Release(long durableEnd)
    {
        int kept = 0;
        for (int i = 0; i < _held.Count; i++)
        {
            (Client client, long end) = _held[i];
            if (end <= durableEnd)
            {
                client.Connection.ReleaseReplies();
            }
            else
            {
                _held[kept++] = (client, end);
            }
        }

        _held.RemoveRange(kept, _held.Count - kept);
    }

    /// <summary>Closes the connections of all of them: nobody knows when the disk will take their changes.</summary>
    public void Abandon()
    {
        foreach ((Client client, _) in _held)
        {
            client.Connection.CloseNow("the append-only file cannot be written");
        }

        _held.Clear();
    }

    /// <summary>Forgets a client that disconnects.</summary>
    public void Remove(Client client) => _held.RemoveAll(held => held.Client == client);
}
