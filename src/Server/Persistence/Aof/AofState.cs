namespace KvServer.Server.Persistence.Aof;

/// <summary>Whether commands are written to the append-only file.</summary>
internal enum AofState
{
    /// <summary>No.</summary>
    Off,

    /// <summary>They are kept for a file that counts only once a first base file is there: it was switched on at run
    /// time.</summary>
    WaitsForRewrite,

    /// <summary>Yes.</summary>
    On,
}
