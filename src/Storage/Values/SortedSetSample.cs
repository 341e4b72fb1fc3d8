namespace KvServer.Storage;

/// <summary>Walks over members of a sorted set chosen at random, none twice.</summary>
/// <remarks>When a good part of the set is wanted, all members are passed and each is taken with the chance that makes
/// every choice of this size equally likely: O(members). When few are wanted of a skip list, ranks are drawn and those
/// already drawn are left out: O(wanted * log members), with a managed set of them. The set must not change.</remarks>
public ref struct SortedSetSample
{
    // Drawing is worth it below a third of the members: above, too many draws repeat.
    private const int DrawingRatio = 3;

    private readonly Random _random;
    private readonly SortedSetValue _set;
    private readonly HashSet<long>? _drawn;
    private SortedSetEnumerator _walk;
    private long _available;
    private long _remaining;

    internal SortedSetSample(scoped in SortedSetValue set, long count, Random random)
    {
        _random = random;
        _set = set;
        _available = set.Count;
        _remaining = Math.Min(count, _available);
        if (set.Encoding == ValueEncoding.SkipList && _remaining * DrawingRatio <= _available)
        {
            _drawn = [];
        }
        else
        {
            _walk = set.GetEnumerator();
        }
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SortedSetMember Current => _walk.Current;

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SortedSetSample GetEnumerator() => this;

    /// <summary>Goes to the next chosen member; false when all have been met.</summary>
    public bool MoveNext()
    {
        if (_remaining == 0)
        {
            return false;
        }

        if (_drawn is not null)
        {
            long rank;
            do
            {
                rank = _random.NextInt64(_available);
            }
            while (!_drawn.Add(rank));
            _remaining--;
            _walk = _set.Range(_set.Slice(rank, 1), reversed: false);
            return _walk.MoveNext();
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
}
