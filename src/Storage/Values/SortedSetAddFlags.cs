namespace KvServer.Storage;

/// <summary>What restricts or changes the adding of a member to a sorted set.</summary>
[Flags]
public enum SortedSetAddFlags
{
    /// <summary>Add the member, or give it the score.</summary>
    None = 0,

    /// <summary>Only add; a member that exists stays as it is (NX).</summary>
    OnlyNew = 1,

    /// <summary>Only change; a member that does not exist is not added (XX).</summary>
    OnlyExisting = 2,

    /// <summary>Change a score only to a greater one (GT).</summary>
    OnlyGreater = 4,

    /// <summary>Change a score only to a lower one (LT).</summary>
    OnlyLess = 8,

    /// <summary>Add to the score (INCR).</summary>
    Increment = 16,
}
