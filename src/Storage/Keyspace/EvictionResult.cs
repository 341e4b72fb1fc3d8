namespace KvServer.Storage;

/// <summary>How an attempt to get below the memory limit has ended.</summary>
public enum EvictionResult
{
    /// <summary>The store is within its limit.</summary>
    Enough,

    /// <summary>There is more to do, but this was all the time there is; it goes on later.</summary>
    Running,

    /// <summary>The store is over its limit and nothing may be removed.</summary>
    Failed,
}
