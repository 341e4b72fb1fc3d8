namespace KvServer.Server.Config;

/// <summary>Snapshots and the append-only file.</summary>
public sealed partial class ServerConfig
{
    /// <summary>When to save; empty for never.</summary>
    public SavePoint[] Save = [new(3600, 1), new(300, 100), new(60, 10000)];

    /// <summary>File name of the snapshot, inside <see cref="Dir"/>.</summary>
    public string DbFileName = "dump.rdb";

    /// <summary>Compress strings in the snapshot.</summary>
    public bool RdbCompression = true;

    /// <summary>Put a checksum at the end of the snapshot.</summary>
    public bool RdbChecksum = true;

    /// <summary>Delete snapshots that were only made for replication.</summary>
    public bool RdbDelSyncFiles;

    /// <summary>Force the snapshot to disk every few megabytes.</summary>
    public bool RdbSaveIncrementalFsync = true;

    /// <summary>Refuse writes after a failed save.</summary>
    public bool StopWritesOnBgsaveError = true;

    /// <summary>Microseconds to wait per saved key (tests).</summary>
    public int RdbKeySaveDelayMicros;

    /// <summary>Microseconds to wait per loaded key (tests).</summary>
    public int KeyLoadDelayMicros;

    /// <summary>Bytes loaded between two looks at the clients.</summary>
    public long LoadingProcessEventsIntervalBytes = 2 * 1024 * 1024;

    /// <summary>Keep an append-only file.</summary>
    public bool AppendOnly;

    /// <summary>Base name of the append-only files.</summary>
    public string AppendFileName = "appendonly.aof";

    /// <summary>Folder of the append-only files, inside <see cref="Dir"/>.</summary>
    public string AppendDirName = "appendonlydir";

    /// <summary>When the append-only file is forced to disk.</summary>
    public AppendFsync AppendFsync;

    /// <summary>Do not force to disk while a snapshot or rewrite runs.</summary>
    public bool NoAppendFsyncOnRewrite;

    /// <summary>Growth in percent that starts a rewrite; 0 never.</summary>
    public int AutoAofRewritePercentage = 100;

    /// <summary>Size below which no rewrite starts by itself.</summary>
    public long AutoAofRewriteMinSizeBytes = 64L * 1024 * 1024;

    /// <summary>Force the rewritten file to disk every few megabytes.</summary>
    public bool AofRewriteIncrementalFsync = true;

    /// <summary>Load a file whose end is missing.</summary>
    public bool AofLoadTruncated = true;

    /// <summary>Write the base file in the snapshot format.</summary>
    public bool AofUseRdbPreamble = true;

    /// <summary>Put the time into the append-only file.</summary>
    public bool AofTimestampEnabled;

    /// <summary>Keep append-only files nobody needs any more.</summary>
    public bool AofDisableAutoGc;
}
