namespace KvServer.Storage;

/// <summary>A piece of a snapshot on its way to the background thread: whole records, one after the other.</summary>
/// <param name="Bytes">The buffer; given back with <see cref="SnapshotQueue.Return"/>.</param>
/// <param name="Length">Bytes of it that are filled.</param>
public readonly record struct SnapshotChunk(byte[] Bytes, int Length)
{
    /// <summary>The records.</summary>
    public ReadOnlySpan<byte> Records => Bytes.AsSpan(0, Length);
}
