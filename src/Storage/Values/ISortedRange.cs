namespace KvServer.Storage;

/// <summary>Two bounds on the members of a sorted set: by score, or by the members themselves.</summary>
/// <remarks>Members in order are first below, then inside, then above the range.</remarks>
internal unsafe interface ISortedRange
{
    /// <summary>Whether the lower bound lets a node of a skip list in.</summary>
    bool IsAboveMin(byte* node);

    /// <summary>Whether the upper bound lets a node of a skip list in.</summary>
    bool IsBelowMax(byte* node);

    /// <summary>Whether the lower bound lets the member at a position of a packed set in.</summary>
    bool IsAboveMin(PackedSortedSet set, int position);

    /// <summary>Whether the upper bound lets the member at a position of a packed set in.</summary>
    bool IsBelowMax(PackedSortedSet set, int position);
}
