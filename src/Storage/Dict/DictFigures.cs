namespace KvServer.Storage;

/// <summary>What a dict looks like at one moment.</summary>
/// <param name="BucketCount0">Buckets of table 0.</param>
/// <param name="Used0">Entries in table 0.</param>
/// <param name="BucketCount1">Buckets of table 1; zero while no rehash is under way.</param>
/// <param name="Used1">Entries in table 1.</param>
/// <param name="RehashIndex">The next bucket of table 0 to move, or -1.</param>
/// <param name="Statistics">What the dict has done so far.</param>
public readonly record struct DictFigures(
    long BucketCount0,
    long Used0,
    long BucketCount1,
    long Used1,
    long RehashIndex,
    DictStatistics Statistics)
{
    /// <summary>Bytes of the bucket arrays.</summary>
    public long TableBytes => (BucketCount0 + BucketCount1) * IntPtr.Size;

    /// <summary>Entries per bucket of the table that entries are added to.</summary>
    public double LoadFactor
    {
        get
        {
            long buckets = Math.Max(BucketCount0, BucketCount1);
            return buckets == 0 ? 0 : (double)(Used0 + Used1) / buckets;
        }
    }
}
