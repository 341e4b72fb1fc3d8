namespace KvServer.Storage;

/// <summary>Walks over fields chosen at random, none twice.</summary>
/// <remarks>
/// When a good part of the hash is wanted, the walk passes over all fields and takes each with the chance that makes
/// every choice of this size equally likely: no memory, O(fields). When few are wanted of a large hash table, fields
/// are drawn one by one and those already drawn are left out: O(wanted), with a managed set of their addresses. The
/// hash must not change meanwhile.
/// </remarks>
public unsafe ref struct HashSample
{
    // Drawing is worth it below a third of the fields: above, too many draws repeat.
    private const int DrawingRatio = 3;

    private readonly Random _random;
    private readonly Dict<FieldLayout> _dict;
    private readonly HashSet<nint>? _drawn;
    private readonly long _nowMs;
    private HashEnumerator _walk;
    private long _available;
    private long _remaining;
    private byte* _element;

    internal HashSample(scoped in HashValue hash, long count, Random random, long nowMs)
    {
        _random = random;
        _nowMs = nowMs;
        _available = hash.LiveCount;
        _remaining = Math.Min(count, _available);
        _walk = hash.GetEnumerator();

        // Fields that wait to be removed would be drawn again and again.
        if (hash.Encoding == ValueEncoding.HashTable
            && _remaining * DrawingRatio <= _available
            && hash.Count - _available <= _available)
        {
            _dict = hash.Fields;
            _drawn = [];
        }
    }

    /// <summary>The field the walk stands on.</summary>
    public readonly HashField Current => _drawn is null ? _walk.Current : HashField.Of(_element);

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly HashSample GetEnumerator() => this;

    /// <summary>Goes to the next chosen field; false when all have been met.</summary>
    public bool MoveNext()
    {
        if (_remaining == 0)
        {
            return false;
        }

        if (_drawn is not null)
        {
            do
            {
                _element = _dict.FindFairRandom(_random);
            }
            while ((FieldLayout.HasExpiry(_element) && _nowMs > FieldLayout.DueAt(_element))
                || !_drawn.Add((nint)_element));
            _remaining--;
            return true;
        }

        while (_walk.MoveNext())
        {
            if (_random.NextInt64(_available--) < _remaining)
            {
                _remaining--;
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose() => _walk.Dispose();
}
