namespace KvServer.Storage;

/// <summary>What adding a member to a sorted set has done.</summary>
public enum SortedSetChange
{
    /// <summary>The flags forbade it.</summary>
    Refused,

    /// <summary>The member has that score already.</summary>
    Same,

    /// <summary>The member is new.</summary>
    Added,

    /// <summary>The member has another score now.</summary>
    Updated,

    /// <summary>Nothing has changed: the score would not be a number.</summary>
    NotANumber,
}
