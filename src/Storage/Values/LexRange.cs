namespace KvServer.Storage;

/// <summary>Members from a lower to an upper bound, compared by their bytes.</summary>
/// <remarks>Means something only while all members have the same score. Valid as long as the bytes of its bounds.
/// </remarks>
public readonly unsafe ref struct LexRange : ISortedRange
{
    private readonly LexBound _min;
    private readonly LexBound _max;

    /// <summary>Makes a range of two bounds.</summary>
    public LexRange(LexBound min, LexBound max)
    {
        _min = min;
        _max = max;
    }

    /// <inheritdoc/>
    bool ISortedRange.IsAboveMin(byte* node) => _min.IsBelow(SortedMemberLayout.BytesOf(node));

    /// <inheritdoc/>
    bool ISortedRange.IsBelowMax(byte* node) => _max.IsAbove(SortedMemberLayout.BytesOf(node));

    /// <inheritdoc/>
    bool ISortedRange.IsAboveMin(PackedSortedSet set, int position) =>
        _min.IsBelow(set.MemberAt(position).AsText(stackalloc byte[IntegerText.MaxLength]));

    /// <inheritdoc/>
    bool ISortedRange.IsBelowMax(PackedSortedSet set, int position) =>
        _max.IsAbove(set.MemberAt(position).AsText(stackalloc byte[IntegerText.MaxLength]));
}
