using KvServer.Server.Clients;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tracking;

/// <summary>A prefix of keys that clients are told about, with what has changed under it in this turn.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class BroadcastPrefix(byte[] name)
{
    private const int MaxKept = 1024;

    private Client? _lastChanger;

    /// <summary>The bytes keys begin with; none for all keys.</summary>
    public byte[] Name { get; } = name;

    /// <summary>Who is told.</summary>
    public HashSet<Client> Clients { get; } = [];

    /// <summary>Keys that have changed since the clients were last told, with the client that changed each last; null where
    /// the server did.</summary>
    public Dictionary<byte[], Client?> Changed { get; } = new(ByteStringComparer.Instance);

    /// <summary>The clients that have changed any of them, last or before.</summary>
    public HashSet<Client> Changers { get; } = [];

    /// <summary>Notes a change. O(bytes of the key).</summary>
    /// <returns>Whether it is the first one since the clients were told.</returns>
    public bool Note(ReadOnlySpan<byte> key, Client? changedBy)
    {
        if (changedBy is not null && changedBy != _lastChanger)
        {
            Changers.Add(changedBy);
            _lastChanger = changedBy;
        }

        Changed.GetAlternateLookup<ReadOnlySpan<byte>>()[key] = changedBy;
        return Changed.Count == 1;
    }

    /// <summary>The changed keys in the order of their bytes. O(n log n).</summary>
    public List<byte[]> ChangedInOrder()
    {
        List<byte[]> keys = [.. Changed.Keys];
        keys.Sort(ByteOrder.Instance);
        return keys;
    }

    /// <summary>Forgets the changes, and the memory for many of them.</summary>
    public void Forget()
    {
        int count = Changed.Count;
        Changed.Clear();
        Changers.Clear();
        _lastChanger = null;
        if (count > MaxKept)
        {
            Changed.TrimExcess();
        }
    }
}
