namespace KvServer.Storage;

/// <summary>Where a member of a sorted set is, so that it can be come back to at once; valid until the set changes.
/// </summary>
public readonly struct SortedSetPlace
{
    internal SortedSetPlace(nint value) => Value = value;

    /// <summary>The address of the member's node, or its position in a packed list.</summary>
    internal nint Value { get; }
}
