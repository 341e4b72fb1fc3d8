namespace KvServer.Server.Observability;

/// <summary>The names of the largest keys of a walk, by one measure. Command loop only.</summary>
internal sealed class BigKeyNames
{
    /// <summary>Names kept.</summary>
    public const int Capacity = 64;

    private readonly PriorityQueue<(int Database, byte[] Name), long> _smallestFirst = new(Capacity);

    /// <summary>The names, without an order; a key that a resize showed to the walk twice may be there twice.</summary>
    public IEnumerable<(int Database, byte[] Name)> All
    {
        get
        {
            foreach (((int Database, byte[] Name) key, _) in _smallestFirst.UnorderedItems)
            {
                yield return key;
            }
        }
    }

    /// <summary>Whether a key of this size belongs to the largest so far.</summary>
    public bool Admits(long size) =>
        _smallestFirst.Count < Capacity || (_smallestFirst.TryPeek(out _, out long smallest) && size > smallest);

    /// <summary>Adds a key that is admitted, in place of the smallest when there is no room. O(log names).</summary>
    public void Add(int database, ReadOnlySpan<byte> name, long size)
    {
        if (_smallestFirst.Count < Capacity)
        {
            _smallestFirst.Enqueue((database, name.ToArray()), size);
        }
        else
        {
            _smallestFirst.DequeueEnqueue((database, name.ToArray()), size);
        }
    }

    /// <summary>Forgets them.</summary>
    public void Clear() => _smallestFirst.Clear();
}
