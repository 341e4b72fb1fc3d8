namespace KvServer.Storage;

/// <summary>Turns the records of a snapshot into a form of file. Runs on the background thread.</summary>
public abstract class RecordEncoder
{
    private long _keysEncoded;

    /// <summary>Keys whose encoding has begun so far. Any thread.</summary>
    public long KeysEncoded => Volatile.Read(ref _keysEncoded);

    /// <summary>Encodes all records of a chunk.</summary>
    /// <exception cref="IOException">The output refused the bytes.</exception>
    public void Encode(SnapshotChunk chunk)
    {
        SnapshotRecord record = new(chunk);
        while (record.MoveNext())
        {
            Encode(in record, chunk);
        }

        Volatile.Write(ref _keysEncoded, _keysEncoded + record.KeysMet);
    }

    /// <summary>Encodes one record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="chunk">Where it lies.</param>
    protected abstract void Encode(in SnapshotRecord record, SnapshotChunk chunk);
}
