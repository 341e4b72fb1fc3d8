namespace KvServer.Storage;

/// <summary>Members of a sorted set that stand in a row, told by their ranks; valid until the set changes.</summary>
public readonly unsafe struct SortedSetSlice
{
    internal SortedSetSlice(long start, long count, byte* first = null, byte* last = null)
    {
        Start = start;
        Count = count;
        First = first;
        Last = last;
    }

    /// <summary>Rank of the first one, in ascending order.</summary>
    public long Start { get; }

    /// <summary>How many there are.</summary>
    public long Count { get; }

    /// <summary>The first one's node, if the set has nodes and it is known.</summary>
    internal byte* First { get; }

    /// <summary>The last one's node, if the set has nodes and it is known.</summary>
    internal byte* Last { get; }

    /// <summary>A part of the members, counted from either end.</summary>
    /// <param name="offset">Members to leave out; all of them when negative.</param>
    /// <param name="limit">Members to keep at most; no limit when negative.</param>
    /// <param name="reversed">Whether to count from the end.</param>
    public SortedSetSlice Cut(long offset, long limit, bool reversed)
    {
        if (offset < 0 || offset >= Count)
        {
            return new SortedSetSlice(Start, 0);
        }

        long left = Count - offset;
        long count = limit < 0 ? left : Math.Min(limit, left);
        bool keepsFirst = reversed ? count == left : offset == 0;
        bool keepsLast = reversed ? offset == 0 : count == left;
        return new SortedSetSlice(
            reversed ? Start + left - count : Start + offset,
            count,
            keepsFirst ? First : null,
            keepsLast ? Last : null);
    }
}
