namespace KvServer.Server.Config;

/// <summary>Memory, expiry and the encodings of values.</summary>
public sealed partial class ServerConfig
{
    /// <summary>How much memory the dataset may use; 0 for no limit.</summary>
    public MemoryAmount MaxMemory;

    /// <summary>The same in bytes; a percentage is one of what machine and container allow.</summary>
    public long MaxMemoryBytes => MaxMemory.ToBytes(MachineMemory.LimitBytes);

    /// <summary>What is evicted when <see cref="MaxMemoryBytes"/> is reached.</summary>
    public MaxMemoryPolicy MaxMemoryPolicy = MaxMemoryPolicy.NoEviction;

    /// <summary>Keys sampled to find one to evict.</summary>
    public int MaxMemorySamples = 5;

    /// <summary>How long eviction may hold up commands, from 0 to 100.</summary>
    public int MaxMemoryEvictionTenacity = 10;

    /// <summary>How slowly the access counter of a key grows.</summary>
    public int LfuLogFactor = 10;

    /// <summary>Minutes after which the access counter of a key falls by one.</summary>
    public int LfuDecayTimeMinutes = 1;

    /// <summary>How hard expired keys are looked for, from 1 to 10.</summary>
    public int ActiveExpireEffort = 1;

    /// <summary>Free evicted values in the background.</summary>
    public bool LazyFreeLazyEviction;

    /// <summary>Free expired values in the background.</summary>
    public bool LazyFreeLazyExpire;

    /// <summary>Free values that commands replace in the background.</summary>
    public bool LazyFreeLazyServerDel;

    /// <summary>DEL frees in the background, as UNLINK does.</summary>
    public bool LazyFreeLazyUserDel;

    /// <summary>FLUSHALL, FLUSHDB and SCRIPT FLUSH are ASYNC unless told otherwise.</summary>
    public bool LazyFreeLazyUserFlush;

    /// <summary>Let the cron move idle dicts to their new table.</summary>
    public bool ActiveRehashing = true;

    /// <summary>Move values to less fragmented memory while running.</summary>
    public bool ActiveDefrag;

    /// <summary>Least CPU percentage of defragmentation.</summary>
    public int ActiveDefragCycleMin = 1;

    /// <summary>Largest CPU percentage of defragmentation.</summary>
    public int ActiveDefragCycleMax = 25;

    /// <summary>Percentage of fragmentation at which defragmentation starts.</summary>
    public int ActiveDefragThresholdLower = 10;

    /// <summary>Percentage of fragmentation at which it works hardest.</summary>
    public int ActiveDefragThresholdUpper = 100;

    /// <summary>Bytes of fragmentation that are let be.</summary>
    public long ActiveDefragIgnoreBytes = 100L * 1024 * 1024;

    /// <summary>Elements of one value that are looked at in one go.</summary>
    public long ActiveDefragMaxScanFields = 1000;

    /// <summary>Let the allocator purge in a thread of its own.</summary>
    public bool JemallocBgThread = true;

    /// <summary>Fields of the largest hash kept as listpack.</summary>
    public long HashMaxListpackEntries = 512;

    /// <summary>Bytes of the longest field or value in a hash kept as listpack.</summary>
    public long HashMaxListpackValueBytes = 64;

    /// <summary>Size of a quicklist node: elements when positive, -1 to -5 for 4 to 64 KB.</summary>
    public int ListMaxListpackSize = -2;

    /// <summary>Quicklist nodes at each end that are never compressed; 0 compresses none.</summary>
    public int ListCompressDepth;

    /// <summary>Members of the largest set of integers kept as intset.</summary>
    public long SetMaxIntsetEntries = 512;

    /// <summary>Members of the largest set kept as listpack.</summary>
    public long SetMaxListpackEntries = 128;

    /// <summary>Bytes of the longest member in a set kept as listpack.</summary>
    public long SetMaxListpackValueBytes = 64;

    /// <summary>Members of the largest sorted set kept as listpack.</summary>
    public long ZsetMaxListpackEntries = 128;

    /// <summary>Bytes of the longest member in a sorted set kept as listpack.</summary>
    public long ZsetMaxListpackValueBytes = 64;

    /// <summary>Bytes of the largest HyperLogLog kept in its sparse form.</summary>
    public long HllSparseMaxBytes = 3000;

    /// <summary>Bytes of a stream node; 0 for no limit.</summary>
    public long StreamNodeMaxBytes = 4096;

    /// <summary>Entries of a stream node; 0 for no limit.</summary>
    public long StreamNodeMaxEntries = 100;

    /// <summary>Which payloads are checked in depth.</summary>
    public SanitizeDump SanitizeDumpPayload = SanitizeDump.Yes;
}
