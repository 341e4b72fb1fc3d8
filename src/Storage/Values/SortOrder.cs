namespace KvServer.Storage;

/// <summary>The order of the elements of a <see cref="SortVector"/>, in which no two are equal.</summary>
/// <param name="descending">Whether ranks and keys descend.</param>
/// <param name="byPlace">What decides when they are equal: the places the elements came in, or else their
/// texts.</param>
internal readonly unsafe struct SortOrder(bool descending, bool byPlace) : ISortOrder<SortItem>
{
    /// <inheritdoc/>
    public int Compare(ref readonly SortItem first, ref readonly SortItem second)
    {
        int difference = first.Rank.CompareTo(second.Rank);
        if (difference == 0)
        {
            difference = CompareKeys(in first, in second);
        }

        if (difference != 0)
        {
            return descending ? -difference : difference;
        }

        difference = byPlace ? 0 : first.TextSpan.SequenceCompareTo(second.TextSpan);
        return difference != 0 ? difference : first.Place.CompareTo(second.Place);
    }

    private static int CompareKeys(in SortItem first, in SortItem second)
    {
        // Many elements may share one long key.
        if (first.Key == second.Key)
        {
            return first.KeyLength - second.KeyLength;
        }

        return first.Key == null ? -1 : second.Key == null ? 1 : first.KeySpan.SequenceCompareTo(second.KeySpan);
    }
}
