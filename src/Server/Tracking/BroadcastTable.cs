using KvServer.Server.Clients;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tracking;

/// <summary>The prefixes of all clients in BCAST mode.</summary>
/// <remarks>One pass over a key finds every prefix that begins it, however many prefixes there are: a hash grows with the
/// key, and is looked for at each length that prefixes have. Command loop only.</remarks>
internal sealed class BroadcastTable
{
    // A prefix with its collections and places, and a client in it.
    private const int PrefixBytes = 500;
    private const int ClientBytes = 50;

    private readonly Dictionary<byte[], BroadcastPrefix> _prefixes = new(ByteStringComparer.Instance);

    // How many prefixes have a hash: one look-up without the bytes tells that there is none.
    private readonly Dictionary<ulong, int> _countByHash = [];
    private readonly SortedDictionary<int, int> _countByLength = [];
    private readonly List<BroadcastPrefix> _changed = [];
    private int[] _lengths = [];
    private bool _areLengthsOld;

    /// <summary>Distinct prefixes: INFO's tracking_total_prefixes.</summary>
    public int Count => _prefixes.Count;

    /// <summary>About the bytes all of it takes; of names those that clients hold, see
    /// <see cref="TrackingSession.PrefixBytes"/>.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Whether clients have to be told of changes.</summary>
    public bool HasChanges => _changed.Count > 0;

    /// <summary>Adds a client to those who are told about a prefix. O(bytes of the prefix).</summary>
    public void Add(Client client, byte[] name)
    {
        if (!_prefixes.TryGetValue(name, out BroadcastPrefix? prefix))
        {
            prefix = new BroadcastPrefix(name);
            _prefixes.Add(name, prefix);
            CountName(name, 1);
            SizeBytes += PrefixBytes;
        }

        if (prefix.Clients.Add(client))
        {
            SizeBytes += ClientBytes + TrackingSession.SizeOf(name);
        }
    }

    /// <summary>Takes a client away from a prefix, which is forgotten with the last one. O(bytes of the
    /// prefix).</summary>
    public void Remove(Client client, byte[] name)
    {
        if (_prefixes.TryGetValue(name, out BroadcastPrefix? prefix)
            && prefix.Clients.Remove(client))
        {
            SizeBytes -= ClientBytes + TrackingSession.SizeOf(name);
            if (prefix.Clients.Count > 0)
            {
                return;
            }

            SizeBytes -= PrefixBytes;
            _prefixes.Remove(name);
            prefix.Forget(); // It stays among those that have changed, and nobody is told.
            CountName(name, -1);
        }
    }

    /// <summary>Notes that a key has changed. O(bytes of the key + distinct lengths of prefixes).</summary>
    public void KeyChanged(ReadOnlySpan<byte> key, Client? changedBy)
    {
        if (_areLengthsOld)
        {
            // Once for however many prefixes have come or gone.
            _lengths = [.. _countByLength.Keys];
            _areLengthsOld = false;
        }

        Dictionary<byte[], BroadcastPrefix>.AlternateLookup<ReadOnlySpan<byte>> prefixes =
            _prefixes.GetAlternateLookup<ReadOnlySpan<byte>>();
        ulong hash = 0;
        int hashed = 0;
        foreach (int length in _lengths)
        {
            if (length > key.Length)
            {
                break;
            }

            hash = PrefixHash.Append(hash, key[hashed..length]);
            hashed = length;
            if (_countByHash.ContainsKey(hash)
                && prefixes.TryGetValue(key[..length], out BroadcastPrefix? prefix)
                && prefix.Note(key, changedBy))
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

    /// <summary>Forgets what has changed: nobody can be told.</summary>
    public void ForgetChanges()
    {
        foreach (BroadcastPrefix prefix in _changed)
        {
            prefix.Forget();
        }

        _changed.Clear();
    }

    private void CountName(byte[] name, int change)
    {
        ulong hash = PrefixHash.Append(0, name);
        int alike = _countByHash.GetValueOrDefault(hash) + change;
        int asLong = _countByLength.GetValueOrDefault(name.Length) + change;
        if (alike == 0)
        {
            _countByHash.Remove(hash);
        }
        else
        {
            _countByHash[hash] = alike;
        }

        if (asLong == 0)
        {
            _countByLength.Remove(name.Length);
        }
        else
        {
            _countByLength[name.Length] = asLong;
        }

        _areLengthsOld |= asLong == 0 || (asLong == 1 && change > 0);
    }
}
