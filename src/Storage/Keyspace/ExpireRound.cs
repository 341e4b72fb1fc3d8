namespace KvServer.Storage;

/// <summary>What one look at the index of expiry times has seen.</summary>
internal struct ExpireRound
{
    /// <summary>The time to compare with.</summary>
    public long NowMs;

    /// <summary>Keys looked at.</summary>
    public long Sampled;

    /// <summary>Of those, removed.</summary>
    public long Expired;

    /// <summary>Sum of the times the others have left.</summary>
    public long TtlSum;

    /// <summary>How many are in that sum.</summary>
    public long TtlCount;
}
