namespace KvServer.Storage;

/// <summary>Walks over members chosen at random, none twice.</summary>
/// <remarks>
/// When a good part of the set is wanted, the walk passes over all members and takes each with the chance that makes
/// every choice of this size equally likely: no memory, O(members). When few are wanted of a large hash table,
/// members are drawn one by one and those already drawn are left out: O(wanted), with a managed set of their
/// addresses. The set must not change meanwhile.
/// </remarks>
public unsafe ref struct SetSample
{
    // Drawing is worth it below a third of the members: above, too many draws repeat.
    private const int DrawingRatio = 3;

    private readonly Random _random;
    private readonly Dict<MemberLayout> _dict;
    private readonly HashSet<nint>? _drawn;
    private SetEnumerator _walk;
    private long _available;
    private long _remaining;
    private byte* _entry;

    internal SetSample(scoped in SetValue set, long count, Random random)
    {
        _random = random;
        _available = set.Count;
        _remaining = Math.Min(count, _available);
        if (set.Encoding == ValueEncoding.HashTable && _remaining * DrawingRatio <= _available)
        {
            _dict = set.Members;
            _drawn = [];
            _walk = new SetEnumerator(ValueEncoding.HashTable, default, _dict.State);
        }
        else
        {
            _walk = set.GetEnumerator();
        }
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SetMember Current => _drawn is null
        ? _walk.Current
        : SetMember.OfBytes(MemberLayout.BytesOf(_entry), EntryLink.Hash(_entry));

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SetSample GetEnumerator() => this;

    /// <summary>Goes to the next chosen member; false when all have been met.</summary>
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
                _entry = _dict.FindFairRandom(_random);
            }
            while (!_drawn.Add((nint)_entry));
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
