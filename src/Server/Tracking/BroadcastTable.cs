using KvServer.Server.Clients;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tracking;

/// <summary>The prefixes of all clients in BCAST mode.</summary>
/// <remarks>A key is looked up once for each length that prefixes have, however many prefixes there are. Command loop
/// only.</remarks>
internal sealed class BroadcastTable
{
    private readonly Dictionary<byte[], BroadcastPrefix> _prefixes = new(ByteStringComparer.Instance);
    private readonly SortedDictionary<int, int> _countByLength = [];
    private readonly List<BroadcastPrefix> _changed = [];
    private int[] _lengths = [];

    /// <summary>Distinct prefixes: INFO's tracking_total_prefixes.</summary>
    public int Count => _prefixes.Count;

    /// <summary>Whether clients have to be told of changes.</summary>
    public bool HasChanges => _changed.Count > 0;

    /// <summary>Adds a client to those who are told about a prefix.</summary>
    public void Add(Client client, byte[] name)
    {
        if (!_prefixes.TryGetValue(name, out BroadcastPrefix? prefix))
        {
            prefix = new BroadcastPrefix(name);
            _prefixes.Add(name, prefix);
            CountLength(name.Length, 1);
        }

        prefix.Clients.Add(client);
    }

    /// <summary>Takes a client away from a prefix, which is forgotten with the last one.</summary>
    public void Remove(Client client, byte[] name)
    {
        if (_prefixes.TryGetValue(name, out BroadcastPrefix? prefix)
            && prefix.Clients.Remove(client)
            && prefix.Clients.Count == 0)
        {
            _prefixes.Remove(name);
            _changed.Remove(prefix);
            CountLength(name.Length, -1);
        }
    }

    /// <summary>Notes that a key has changed. O(distinct lengths of prefixes).</summary>
    public void KeyChanged(ReadOnlySpan<byte> key, Client? changedBy)
    {
        Dictionary<byte[], BroadcastPrefix>.AlternateLookup<ReadOnlySpan<byte>> prefixes =
            _prefixes.GetAlternateLookup<ReadOnlySpan<byte>>();
        foreach (int length in _lengths)
        {
            if (length > key.Length)
            {
                break;
            }

            if (prefixes.TryGetValue(key[..length], out BroadcastPrefix? prefix) && prefix.Note(key, changedBy))
            {
                _changed.Add(prefix);
            }
        }
    }

    /// <summary>Takes the prefixes under which something has changed, ordered by their bytes.</summary>
    public BroadcastPrefix[] TakeChanged()
    {
        BroadcastPrefix[] changed = [.. _changed];
        _changed.Clear();
        Array.Sort(changed, (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        return changed;
    }

    private void CountLength(int length, int change)
    {
        int count = _countByLength.GetValueOrDefault(length) + change;
        if (count == 0)
        {
            _countByLength.Remove(length);
        }
        else
        {
            _countByLength[length] = count;
        }

        if (count == 0 || (count == 1 && change > 0))
        {
            _lengths = [.. _countByLength.Keys];
        }
    }
}
