using System.Diagnostics.CodeAnalysis;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tracking;

/// <summary>Which keys clients have read since they last changed, and which clients those are.</summary>
/// <remarks>
/// Keys are names only: a key of the same name in another database is the same one here, as clients cache by name. A
/// list beside the dictionary lets any key be picked when there are too many. Command loop only.
/// </remarks>
internal sealed class TrackingTable
{
    private readonly Dictionary<byte[], TrackedKey> _keys = new(ByteStringComparer.Instance);
    private readonly List<TrackedKey> _list = [];
    private readonly Random _random = new();

    /// <summary>Keys: INFO's tracking_total_keys.</summary>
    public int KeyCount => _list.Count;

    /// <summary>Clients of all keys together: INFO's tracking_total_items.</summary>
    public long ItemCount { get; private set; }

    /// <summary>About the bytes all of it takes.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Notes that a client has read a key, there or not. O(1), beside the key's other clients.</summary>
    public void Add(ReadOnlySpan<byte> name, long clientId, Predicate<long> isTracking)
    {
        if (!_keys.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out TrackedKey? key))
        {
            key = new TrackedKey(name.ToArray()) { Place = _list.Count };
            _list.Add(key);
            try
            {
                _keys.Add(key.Name, key);
            }
            catch (OutOfMemoryException)
            {
                _list.RemoveAt(key.Place);
                throw;
            }

            SizeBytes += key.SizeBytes;
        }

        SizeBytes -= key.SizeBytes;
        try
        {
            ItemCount += key.Add(clientId, isTracking);
        }
        finally
        {
            SizeBytes += key.SizeBytes;
        }
    }

    /// <summary>Takes a key out. O(1).</summary>
    public bool TryTake(ReadOnlySpan<byte> name, [NotNullWhen(true)] out TrackedKey? key)
    {
        if (!_keys.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(name, out _, out key))
        {
            return false;
        }

        TrackedKey last = _list[^1];
        _list[key.Place] = last;
        last.Place = key.Place;
        _list.RemoveAt(_list.Count - 1);
        ItemCount -= key.ClientIds.Length;
        SizeBytes -= key.SizeBytes;
        return true;
    }

    /// <summary>Any one of the keys; there must be one.</summary>
    public TrackedKey PickAny() => _list[_random.Next(_list.Count)];

    /// <summary>Forgets all keys, and the memory for them. O(1) for the loop.</summary>
    public void Clear()
    {
        _keys.Clear();
        _keys.TrimExcess();
        _list.Clear();
        _list.TrimExcess();
        ItemCount = 0;
        SizeBytes = 0;
    }
}
