using KvServer.Server.Clients;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tracking;

/// <summary>A prefix of keys that clients are told about, with what has changed under it in this turn.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class BroadcastPrefix(byte[] name)
{
    /// <summary>The bytes keys begin with; none for all keys.</summary>
    public byte[] Name { get; } = name;

    /// <summary>Who is told.</summary>
    public HashSet<Client> Clients { get; } = [];

    /// <summary>Keys that have changed since the clients were last told, with the client that changed each last; null where
    /// the server did.</summary>
    public Dictionary<byte[], Client?> Changed { get; } = new(ByteStringComparer.Instance);

    /// <summary>Notes a change.</summary>
    /// <returns>Whether it is the first one since the clients were told.</returns>
    public bool Note(ReadOnlySpan<byte> key, Client? changedBy)
    {
        Changed.GetAlternateLookup<ReadOnlySpan<byte>>()[key] = changedBy;
        return Changed.Count == 1;
    }

    /// <summary>The changed keys in the order of their bytes; those one client changed last left out.</summary>
    /// <param name="spared">That client, or null for none.</param>
    public List<byte[]> ChangedBut(Client? spared)
    {
        List<byte[]> keys = new(Changed.Count);
        foreach ((byte[] key, Client? changedBy) in Changed)
        {
            if (spared is null || changedBy != spared)
            {
                keys.Add(key);
            }
        }

        keys.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        return keys;
    }
}
