namespace KvServer.Storage;

/// <summary>Scores from a lower to an upper bound, each of which belongs to the range or does not.</summary>
/// <param name="Min">The lower bound; no NaN.</param>
/// <param name="Max">The upper bound; no NaN.</param>
/// <param name="IsMinExclusive">Whether the lower bound itself is left out.</param>
/// <param name="IsMaxExclusive">Whether the upper bound itself is left out.</param>
public readonly unsafe record struct ScoreRange(double Min, double Max, bool IsMinExclusive, bool IsMaxExclusive)
    : ISortedRange
{
    /// <inheritdoc/>
    bool ISortedRange.IsAboveMin(byte* node) => IsAboveMin(SortedMemberLayout.ScoreOf(node));

    /// <inheritdoc/>
    bool ISortedRange.IsBelowMax(byte* node) => IsBelowMax(SortedMemberLayout.ScoreOf(node));

    /// <inheritdoc/>
    bool ISortedRange.IsAboveMin(PackedSortedSet set, int position) => IsAboveMin(set.ScoreAt(position));

    /// <inheritdoc/>
    bool ISortedRange.IsBelowMax(PackedSortedSet set, int position) => IsBelowMax(set.ScoreAt(position));

    private bool IsAboveMin(double score) => IsMinExclusive ? score > Min : score >= Min;

    private bool IsBelowMax(double score) => IsMaxExclusive ? score < Max : score <= Max;
}
