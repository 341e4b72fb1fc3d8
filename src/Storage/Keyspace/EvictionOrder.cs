namespace KvServer.Storage;

/// <summary>Which keys go first when memory is short.</summary>
public enum EvictionOrder
{
    /// <summary>None: what grows the store is refused.</summary>
    Nothing,

    /// <summary>Those that have not been used for the longest time (LRU).</summary>
    LeastRecent,

    /// <summary>Those that are used least often (LFU).</summary>
    LeastFrequent,

    /// <summary>Those whose time comes soonest.</summary>
    SoonestExpiry,

    /// <summary>Any.</summary>
    Random,
}
