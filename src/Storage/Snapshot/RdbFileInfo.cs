namespace KvServer.Storage;

/// <summary>What the first fields of a file say about it.</summary>
/// <param name="CreatedAtSeconds">Seconds since 1970.</param>
/// <param name="UsedMemoryBytes">Memory of the server that wrote it.</param>
/// <param name="IsAofBase">Whether it is the base of an append-only file.</param>
/// <param name="HasExpiringFields">Whether there are hashes whose fields expire, which older servers cannot read.</param>
public readonly record struct RdbFileInfo(
    long CreatedAtSeconds, long UsedMemoryBytes, bool IsAofBase, bool HasExpiringFields = false);
