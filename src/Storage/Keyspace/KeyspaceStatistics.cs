namespace KvServer.Storage;

/// <summary>Counters of a keyspace, as INFO shows them. Command loop only.</summary>
public sealed class KeyspaceStatistics
{
    /// <summary>Reads that found their key.</summary>
    public long Hits { get; set; }

    /// <summary>Reads that found none.</summary>
    public long Misses { get; set; }

    /// <summary>Keys removed because their time had come.</summary>
    public long ExpiredKeys { get; set; }

    /// <summary>Estimated share, in percent, of keys with an expiry time whose time has come but are still there.</summary>
    public double ExpiredStalePercent { get; set; }

    /// <summary>Fields of hashes removed because their time had come.</summary>
    public long ExpiredFields { get; set; }

    /// <summary>Keys removed because memory was short.</summary>
    public long EvictedKeys { get; set; }

    /// <summary>How often the active expire cycle ran out of time.</summary>
    public long ExpiredTimeCapReached { get; set; }

    /// <summary>Microseconds spent in the active expire cycle.</summary>
    public long ExpireCycleMicroseconds { get; set; }

    /// <summary>Starts counting anew (CONFIG RESETSTAT).</summary>
    public void Reset()
    {
        Hits = 0;
        Misses = 0;
        ExpiredKeys = 0;
        ExpiredStalePercent = 0;
        ExpiredFields = 0;
        EvictedKeys = 0;
        ExpiredTimeCapReached = 0;
        ExpireCycleMicroseconds = 0;
    }
}
