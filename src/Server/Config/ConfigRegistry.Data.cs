namespace KvServer.Server.Config;

/// <summary>Memory, encodings and persistence.</summary>
public static partial class ConfigRegistry
{
    private static ConfigOption[] MemoryOptions() =>
    [
        new MemoryOrPercentOption("maxmemory", null, None, c => ref c.MaxMemory)
        {
            Refusal = "argument must be a memory value",
            MinPercent = 1,
        },
        Choice("maxmemory-policy", None, c => ref c.MaxMemoryPolicy,
            ("volatile-lru", MaxMemoryPolicy.VolatileLru), ("volatile-lfu", MaxMemoryPolicy.VolatileLfu),
            ("volatile-random", MaxMemoryPolicy.VolatileRandom), ("volatile-ttl", MaxMemoryPolicy.VolatileTtl),
            ("allkeys-lru", MaxMemoryPolicy.AllKeysLru), ("allkeys-lfu", MaxMemoryPolicy.AllKeysLfu),
            ("allkeys-random", MaxMemoryPolicy.AllKeysRandom), ("noeviction", MaxMemoryPolicy.NoEviction)),
        Int("maxmemory-samples", None, 1, int.MaxValue, c => ref c.MaxMemorySamples),
        Int("maxmemory-eviction-tenacity", None, 0, 100, c => ref c.MaxMemoryEvictionTenacity),
        Int("lfu-log-factor", None, 0, int.MaxValue, c => ref c.LfuLogFactor),
        Int("lfu-decay-time", None, 0, int.MaxValue, c => ref c.LfuDecayTimeMinutes),
        Int("active-expire-effort", None, 1, 10, c => ref c.ActiveExpireEffort),
        Bool("lazyfree-lazy-eviction", None, c => ref c.LazyFreeLazyEviction),
        Bool("lazyfree-lazy-expire", None, c => ref c.LazyFreeLazyExpire),
        Bool("lazyfree-lazy-server-del", None, c => ref c.LazyFreeLazyServerDel),
        Bool("lazyfree-lazy-user-del", None, c => ref c.LazyFreeLazyUserDel),
        Bool("lazyfree-lazy-user-flush", None, c => ref c.LazyFreeLazyUserFlush),
        Bool("activerehashing", None, c => ref c.ActiveRehashing),
        Bool("activedefrag", None, c => ref c.ActiveDefrag),
        Int("active-defrag-cycle-min", None, 1, 99, c => ref c.ActiveDefragCycleMin),
        Int("active-defrag-cycle-max", None, 1, 99, c => ref c.ActiveDefragCycleMax),
        Int("active-defrag-threshold-lower", None, 0, 1000, c => ref c.ActiveDefragThresholdLower),
        Int("active-defrag-threshold-upper", None, 0, 1000, c => ref c.ActiveDefragThresholdUpper),
        Memory("active-defrag-ignore-bytes", None, 1, c => ref c.ActiveDefragIgnoreBytes),
        Long("active-defrag-max-scan-fields", NotYet, 1, long.MaxValue, c => ref c.ActiveDefragMaxScanFields),
        Bool("jemalloc-bg-thread", NotYet, c => ref c.JemallocBgThread),
    ];

    private static ConfigOption[] EncodingOptions() =>
    [
        Long("hash-max-listpack-entries", None, 0, long.MaxValue, c => ref c.HashMaxListpackEntries,
            "hash-max-ziplist-entries"),
        Memory("hash-max-listpack-value", None, 0, c => ref c.HashMaxListpackValueBytes, "hash-max-ziplist-value"),
        Int("list-max-listpack-size", None, int.MinValue, int.MaxValue, c => ref c.ListMaxListpackSize,
            "list-max-ziplist-size"),
        Int("list-compress-depth", None, 0, int.MaxValue, c => ref c.ListCompressDepth),
        Long("set-max-intset-entries", None, 0, long.MaxValue, c => ref c.SetMaxIntsetEntries),
        Long("set-max-listpack-entries", None, 0, long.MaxValue, c => ref c.SetMaxListpackEntries),
        Memory("set-max-listpack-value", None, 0, c => ref c.SetMaxListpackValueBytes),
        Long("zset-max-listpack-entries", None, 0, long.MaxValue, c => ref c.ZsetMaxListpackEntries,
            "zset-max-ziplist-entries"),
        Memory("zset-max-listpack-value", None, 0, c => ref c.ZsetMaxListpackValueBytes, "zset-max-ziplist-value"),
        Memory("hll-sparse-max-bytes", None, 0, c => ref c.HllSparseMaxBytes),
        Memory("stream-node-max-bytes", None, 0, c => ref c.StreamNodeMaxBytes),
        Long("stream-node-max-entries", None, 0, long.MaxValue, c => ref c.StreamNodeMaxEntries),
        Choice("sanitize-dump-payload", NotYet, c => ref c.SanitizeDumpPayload,
            ("no", SanitizeDump.No), ("yes", SanitizeDump.Yes), ("clients", SanitizeDump.Clients)),
    ];

    private static ConfigOption[] PersistenceOptions() =>
    [
        new SaveOption("save", None, c => ref c.Save) { NeutralValue = "" },
        Text("dbfilename", Protected, c => ref c.DbFileName, FileName("dbfilename")),
        Bool("rdbcompression", None, c => ref c.RdbCompression),
        Bool("rdbchecksum", Immutable, c => ref c.RdbChecksum),
        Bool("rdb-del-sync-files", NotYet, c => ref c.RdbDelSyncFiles),
        Bool("rdb-save-incremental-fsync", None, c => ref c.RdbSaveIncrementalFsync),
        Bool("stop-writes-on-bgsave-error", None, c => ref c.StopWritesOnBgsaveError),
        Int("rdb-key-save-delay", Hidden, int.MinValue, int.MaxValue, c => ref c.RdbKeySaveDelayMicros),
        Int("key-load-delay", Hidden, int.MinValue, int.MaxValue, c => ref c.KeyLoadDelayMicros),
        Long("loading-process-events-interval-bytes", Hidden | NotYet, 1024, int.MaxValue,
            c => ref c.LoadingProcessEventsIntervalBytes),
        Bool("appendonly", NotWhileLoading, c => ref c.AppendOnly),
        Text("appendfilename", Immutable, c => ref c.AppendFileName, FileName("appendfilename")),
        Text("appenddirname", Immutable, c => ref c.AppendDirName, FileName("appenddirname")),
        Choice("appendfsync", None, c => ref c.AppendFsync,
            ("everysec", AppendFsync.EverySecond), ("always", AppendFsync.Always), ("no", AppendFsync.No)),
        Bool("no-appendfsync-on-rewrite", None, c => ref c.NoAppendFsyncOnRewrite),
        Int("auto-aof-rewrite-percentage", None, 0, int.MaxValue, c => ref c.AutoAofRewritePercentage),
        Memory("auto-aof-rewrite-min-size", None, 0, c => ref c.AutoAofRewriteMinSizeBytes),
        Bool("aof-rewrite-incremental-fsync", None, c => ref c.AofRewriteIncrementalFsync),
        Bool("aof-load-truncated", None, c => ref c.AofLoadTruncated),
        Bool("aof-use-rdb-preamble", None, c => ref c.AofUseRdbPreamble),
        Bool("aof-timestamp-enabled", None, c => ref c.AofTimestampEnabled),
        Bool("aof-disable-auto-gc", None, c => ref c.AofDisableAutoGc),
    ];
}
