namespace KvServer.Storage;

/// <summary>Walks over the members of a set or a sorted set; those of a set have the score 1.</summary>
/// <remarks>The collection must not change meanwhile; look-ups in it are fine. Ends with <see cref="Dispose"/>, which
/// <c>foreach</c> calls.</remarks>
public ref struct ScoredEnumerator
{
    private readonly bool _isSorted;
    private SetEnumerator _set;
    private SortedSetEnumerator _sorted;

    internal ScoredEnumerator(SetEnumerator set) => _set = set;

    internal ScoredEnumerator(SortedSetEnumerator sorted)
    {
        _sorted = sorted;
        _isSorted = true;
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SortedSetMember Current => _isSorted ? _sorted.Current : new SortedSetMember(_set.Current, 1);

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly ScoredEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next member; false when there is none.</summary>
    public bool MoveNext() => _isSorted ? _sorted.MoveNext() : _set.MoveNext();

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose()
    {
        if (!_isSorted)
        {
            _set.Dispose();
        }
    }
}
