namespace KvServer.Server.Clients;

/// <summary>The connected clients, by id and in the order they connected.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class ClientRegistry
{
    private readonly Dictionary<long, LinkedListNode<Client>> _nodes = [];
    private readonly LinkedList<Client> _inOrder = [];
    private long _lastId;

    /// <summary>Connected clients.</summary>
    public int Count => _inOrder.Count;

    /// <summary>Bytes that clients have sent and got, and that wait: requests, queued commands, replies. O(clients).</summary>
    /// <remarks>Without large arguments that are still arriving: their blocks are the heap's, which counts them.</remarks>
    public long BufferBytes
    {
        get
        {
            long bytes = 0;
            foreach (Client client in _inOrder)
            {
                bytes += client.Connection.PendingInputBytes - client.Connection.PendingArgumentBytes
                    + client.Connection.PendingOutputBytes + client.TransactionBytes;
            }

            return bytes;
        }
    }

    /// <summary>All clients, the longest connected first. Copy before closing any while walking.</summary>
    public IEnumerable<Client> All => _inOrder;

    /// <summary>The id for the next connection, ascending from 1.</summary>
    public long NextId() => ++_lastId;

    public void Add(Client client) => _nodes.Add(client.Id, _inOrder.AddLast(client));

    /// <summary>Forgets a client. O(1). Does nothing for one that is not registered.</summary>
    public void Remove(Client client)
    {
        if (_nodes.Remove(client.Id, out LinkedListNode<Client>? node))
        {
            _inOrder.Remove(node);
        }
    }

    /// <summary>The client of this id, or null.</summary>
    public Client? Find(long id) => _nodes.TryGetValue(id, out LinkedListNode<Client>? node) ? node.Value : null;
}
