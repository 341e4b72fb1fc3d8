namespace KvServer.Storage;

/// <summary>How large the nodes of a stream become.</summary>
/// <param name="NodeBytes">Bytes of a node (stream-node-max-bytes).</param>
/// <param name="NodeEntries">Entries of a node, deleted ones included (stream-node-max-entries).</param>
public readonly record struct StreamLimits(long NodeBytes, long NodeEntries)
{
    /// <summary>The limits of a server that nobody has configured.</summary>
    public static StreamLimits Default => From(4096, 100);

    /// <summary>Limits from configuration, where 0 stands for none.</summary>
    public static StreamLimits From(long nodeBytes, long nodeEntries) => new(
        nodeBytes is <= 0 or > PackedList.MaxBytes ? PackedList.MaxBytes : nodeBytes,
        nodeEntries <= 0 ? long.MaxValue : nodeEntries);
}
