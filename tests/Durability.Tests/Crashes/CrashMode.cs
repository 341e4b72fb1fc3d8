namespace KvServer.Durability.Tests.Crashes;

/// <summary>How the server under test keeps its data.</summary>
public enum CrashMode
{
    /// <summary>Snapshots on command alone: what is left is the cut of one of them.</summary>
    Snapshot,

    /// <summary>Append-only file with appendfsync always: nothing that was answered is lost.</summary>
    Always,

    /// <summary>Append-only file with appendfsync everysec: nothing that was answered two seconds before is lost.</summary>
    EverySecond,
}
