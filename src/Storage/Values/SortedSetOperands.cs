using System.Buffers;

namespace KvServer.Storage;

/// <summary>The sets and sorted sets that one operation works on, some of which may be missing, with their weights.</summary>
/// <remarks>Handles of all of them at once, without allocating in steady state. Valid until one of them changes; look-ups
/// of further keys are fine. Dispose when done. Command loop only.</remarks>
public unsafe ref struct SortedSetOperands
{
    private readonly Database _database;
    private nint[] _entries;
    private double[] _weights;

    /// <summary>Makes room for a number of sets.</summary>
    public SortedSetOperands(Database database, int capacity)
    {
        _database = database;
        _entries = ArrayPool<nint>.Shared.Rent(capacity);
        _weights = ArrayPool<double>.Shared.Rent(capacity);
    }

    /// <summary>Number of sets added, the missing ones included.</summary>
    public int Count { get; private set; }

    /// <summary>Adds what a look-up has found: a set or a sorted set. Its weight is 1.</summary>
    public void Add(Entry entry)
    {
        _weights[Count] = 1;
        _entries[Count++] = (nint)entry.Block;
    }

    /// <summary>Adds the place of a key that does not exist.</summary>
    public void AddMissing() => Add(default);

    /// <summary>Sets what the scores of the set at an index are multiplied by.</summary>
    public readonly void SetWeight(int index, double weight) => _weights[index] = weight;

    /// <summary>What the scores of the set at an index are multiplied by.</summary>
    public readonly double WeightOf(int index) => _weights[index];

    /// <summary>Number of members of the set at an index; 0 when it is missing.</summary>
    public readonly long CountOf(int index)
    {
        if (_entries[index] == 0)
        {
            return 0;
        }

        return IsSorted(index) ? Sorted(index).Count : Set(index).Count;
    }

    /// <summary>True when both are the same key.</summary>
    public readonly bool AreSame(int first, int second) => _entries[first] == _entries[second];

    /// <summary>Finds the score of a member in the set at an index.</summary>
    public readonly bool TryGetScore(int index, SetMember member, out double score)
    {
        score = 1;
        if (_entries[index] == 0)
        {
            return false;
        }

        return IsSorted(index) ? Sorted(index).TryGetScore(member, out score) : Set(index).Contains(member);
    }

    /// <summary>Walks over the set at an index.</summary>
    public readonly ScoredEnumerator Walk(int index)
    {
        if (_entries[index] == 0)
        {
            return new ScoredEnumerator(default(SortedSetEnumerator));
        }

        return IsSorted(index)
            ? new ScoredEnumerator(Sorted(index).GetEnumerator())
            : new ScoredEnumerator(Set(index).GetEnumerator());
    }

    /// <summary>Puts the sets in order of their size, the smallest first; those of one size stay as they were given.</summary>
    /// <remarks>The order of additions decides the last digits of a sum, so it must be that of the reference server.
    /// </remarks>
    public readonly void SortBySize()
    {
        (long Size, int Index)[] order = ArrayPool<(long Size, int Index)>.Shared.Rent(Count);
        nint[] entries = ArrayPool<nint>.Shared.Rent(Count);
        double[] weights = ArrayPool<double>.Shared.Rent(Count);
        for (int i = 0; i < Count; i++)
        {
            order[i] = (CountOf(i), i);
        }

        Array.Sort(order, 0, Count);
        _entries.AsSpan(0, Count).CopyTo(entries);
        _weights.AsSpan(0, Count).CopyTo(weights);
        for (int i = 0; i < Count; i++)
        {
            _entries[i] = entries[order[i].Index];
            _weights[i] = weights[order[i].Index];
        }

        ArrayPool<(long Size, int Index)>.Shared.Return(order);
        ArrayPool<nint>.Shared.Return(entries);
        ArrayPool<double>.Shared.Return(weights);
    }

    /// <summary>Gives the room back.</summary>
    public void Dispose()
    {
        ArrayPool<nint>.Shared.Return(_entries);
        ArrayPool<double>.Shared.Return(_weights);
        _entries = [];
        _weights = [];
        Count = 0;
    }

    private readonly bool IsSorted(int index) => EntryBlock.TypeOf((byte*)_entries[index]) == ValueType.SortedSet;

    private readonly SortedSetValue Sorted(int index) =>
        SortedSetValue.Open(_database, new Entry((byte*)_entries[index]), default);

    private readonly SetValue Set(int index) =>
        SetValue.Open(_database, new Entry((byte*)_entries[index]), default);
}
