using System.Buffers;

namespace KvServer.Storage;

/// <summary>The sets that one set operation works on, some of which may be missing.</summary>
/// <remarks>Handles of all of them at once, without allocating in steady state. Valid until one of them changes; look-ups
/// of further keys are fine. Dispose when done. Command loop only.</remarks>
public unsafe ref struct SetOperands
{
    private readonly Database _database;
    private readonly SetLimits _limits;
    private nint[] _entries;

    /// <summary>Makes room for a number of sets.</summary>
    public SetOperands(Database database, SetLimits limits, int capacity)
    {
        _database = database;
        _limits = limits;
        _entries = ArrayPool<nint>.Shared.Rent(capacity);
    }

    /// <summary>Number of sets added, the missing ones included.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them are missing.</summary>
    public int MissingCount { get; private set; }

    /// <summary>The set at an index, which must not be missing.</summary>
    public readonly SetValue this[int index] =>
        SetValue.Open(_database, new Entry((byte*)_entries[index]), _limits);

    /// <summary>Adds the set that a look-up has found.</summary>
    public void Add(Entry entry) => _entries[Count++] = (nint)entry.Block;

    /// <summary>Adds the place of a key that does not exist.</summary>
    public void AddMissing()
    {
        _entries[Count++] = 0;
        MissingCount++;
    }

    /// <summary>True when the key at this index did not exist.</summary>
    public readonly bool IsMissing(int index) => _entries[index] == 0;

    /// <summary>Number of members of the set at an index; 0 when it is missing.</summary>
    public readonly long CountOf(int index) => IsMissing(index) ? 0 : this[index].Count;

    /// <summary>True when both are the same set.</summary>
    public readonly bool AreSame(int first, int second) => _entries[first] == _entries[second];

    /// <summary>Puts the sets in order of their size, from one index to the end.</summary>
    /// <param name="from">The sets before this index stay where they are.</param>
    /// <param name="largestFirst">Which end comes first.</param>
    public readonly void SortBySize(int from, bool largestFirst)
    {
        int length = Count - from;
        if (length < 2)
        {
            return;
        }

        long[] sizes = ArrayPool<long>.Shared.Rent(length);
        for (int i = 0; i < length; i++)
        {
            long size = CountOf(from + i);
            sizes[i] = largestFirst ? -size : size;
        }

        sizes.AsSpan(0, length).Sort(_entries.AsSpan(from, length));
        ArrayPool<long>.Shared.Return(sizes);
    }

    /// <summary>Gives the room back.</summary>
    public void Dispose()
    {
        ArrayPool<nint>.Shared.Return(_entries);
        _entries = [];
        Count = 0;
    }
}
