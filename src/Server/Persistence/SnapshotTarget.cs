namespace KvServer.Server.Persistence;

/// <summary>What a snapshot is written to.</summary>
/// <param name="Path">The file, which is replaced once the new one is whole; empty for none.</param>
/// <param name="TemporaryPath">Its name until then, in the same folder or at least on the same disk.</param>
/// <param name="IsAofBase">Whether it is the base of an append-only file.</param>
/// <param name="AsCommands">Whether it holds commands instead of the RDB form.</param>
/// <param name="TimestampSeconds">The time of the cut for the head of a file of commands (aof-timestamp-enabled), in seconds
/// since the Unix epoch; null for none.</param>
/// <param name="WritesOut">Whether it goes to disk every few megabytes instead of all at the end.</param>
internal sealed record SnapshotTarget(
    string Path, string TemporaryPath, bool IsAofBase, bool AsCommands, long? TimestampSeconds, bool WritesOut);
