using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Transactions;

/// <summary>The transactions of all clients: MULTI to EXEC, and the keys they watch.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class ClientTransactions(Keyspace keyspace)
{
    private const int MaxSpare = 16;

    private readonly Stack<Transaction> _spare = new();

    /// <summary>Which clients watch which keys.</summary>
    public WatchedKeys Watched { get; } = new(keyspace);

    /// <summary>Whether EXEC runs queued commands now: what takes the dataset as it is between two commands must wait.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Begins to queue a client's commands.</summary>
    public void Begin(Client client)
    {
        client.Transaction = _spare.TryPop(out Transaction? spare) ? spare : new Transaction();
        client.Set(ClientFlags.Multi, on: true);
    }

    /// <summary>Queues a call of a client that is inside MULTI. Of a transaction that cannot run any more nothing is kept.</summary>
    /// <exception cref="OutOfMemoryException">It has not been queued.</exception>
    public static void Queue(Client client, Command command, Arguments arguments, ref readonly Request request)
    {
        if (!client.Is(ClientFlags.WatchBroken | ClientFlags.QueueBroken))
        {
            Transaction transaction = client.Transaction!;
            long before = transaction.MemoryBytes;
            transaction.Add(command, arguments, in request);
            client.TransactionBytes += transaction.MemoryBytes - before;
        }
    }

    /// <summary>Forgets what a client has queued and what it watches. O(both).</summary>
    public void Discard(Client client)
    {
        Watched.RemoveAll(client);
        client.Set(ClientFlags.Multi | ClientFlags.WatchBroken | ClientFlags.QueueBroken, on: false);
        if (client.Transaction is { } transaction)
        {
            client.Transaction = null;
            client.TransactionBytes -= transaction.MemoryBytes;
            transaction.Clear();
            if (_spare.Count < MaxSpare)
            {
                _spare.Push(transaction);
            }
        }
    }
}
