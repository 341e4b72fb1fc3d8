namespace KvServer.Storage;

/// <summary>A piece of a snapshot on its way to the background thread: whole records, one after the other.</summary>
/// <param name="Bytes">The buffer; given back with <see cref="SnapshotQueue.Return"/>.</param>
/// <param name="Length">Bytes of it that are filled.</param>
public readonly record struct SnapshotChunk(byte[] Bytes, int Length)
{
    /// <summary>The records.</summary>
    public ReadOnlySpan<byte> Records => Bytes.AsSpan(0, Length);

    /// <summary>A part of this chunk's records as the encodings' readers want it.</summary>
    public Span<byte> Writable(ReadOnlySpan<byte> part)
    {
        bool lies = Records.Overlaps(part, out int offset);
        Invariant.Check(lies, "the record lies in this chunk");
        return Bytes.AsSpan(offset, part.Length);
    }
}
