using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Reads the records of a chunk. Any thread; spans are valid until the chunk is given back.</summary>
public ref partial struct SnapshotRecord
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Stands before the first record of a chunk.</summary>
    public SnapshotRecord(SnapshotChunk chunk) => _rest = chunk.Records;

    /// <summary>What this record says.</summary>
    public SnapshotRecordKind Kind { get; private set; }

    /// <summary>Keys that have begun up to here, in this chunk.</summary>
    public int KeysMet { get; private set; }

    /// <summary>The key, for the kinds that have one.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    /// <summary>When the key expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    public long ExpireAtMs { get; private set; }

    /// <summary>The 24 bits that note accesses to the key.</summary>
    public uint AccessClock { get; private set; }

    /// <summary>The string, packed value, member (of a sorted set: behind its score), field's name, node of a list or
    /// stream, name of a group or consumer, or piece.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a field whose name is <see cref="Bytes"/>.</summary>
    public ReadOnlySpan<byte> ValueBytes { get; private set; }

    /// <summary>When a field expires, or the first field of a hash, in milliseconds since 1970, or
    /// <see cref="Database.NoExpiry"/>.</summary>
    public long FieldExpireAtMs { get; private set; }

    /// <summary>The integer, number of elements, nodes, consumers or (of a group or consumer) pending entries, bytes of the
    /// long string, element or node, or database index.</summary>
    public long Number { get; private set; }

    /// <summary>Keys of the database at the cut.</summary>
    public long KeyCount { get; private set; }

    /// <summary>Of these: keys with an expiry time.</summary>
    public long ExpireCount { get; private set; }

    /// <summary>What the entries of a stream's node are told as differences to, or what a group delivered last.</summary>
    public StreamId StreamId { get; private set; }

    /// <summary>What a stream says of itself.</summary>
    public StreamCounters Counters { get; private set; }

    /// <summary>How many entries a group has read, or -1 when nobody knows.</summary>
    public long EntriesRead { get; private set; }

    /// <summary>A pending entry: of a group, and behind <see cref="SnapshotRecordKind.StreamConsumers"/> of a consumer.
    /// </summary>
    public StreamPending Pending { get; private set; }

    /// <summary>When a consumer was last named in a command.</summary>
    public long SeenMs { get; private set; }

    /// <summary>When a consumer last got entries, or -1.</summary>
    public long ActiveMs { get; private set; }

    /// <summary>Goes to the next record.</summary>
    /// <returns><see langword="false"/> behind the last one.</returns>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        Kind = (SnapshotRecordKind)_rest[0];
        _rest = _rest[1..];
        switch (Kind)
        {
            case SnapshotRecordKind.SelectDatabase:
                Number = BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));
                KeyCount = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                ExpireCount = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                break;
            case SnapshotRecordKind.LongListElement:
                Number = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                break;
            case SnapshotRecordKind.Member or SnapshotRecordKind.Piece or SnapshotRecordKind.ListNode
                or SnapshotRecordKind.ListElement or SnapshotRecordKind.ScoredMember:
                TakeBytes();
                break;
            case SnapshotRecordKind.Field:
                FieldExpireAtMs = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                TakeBytes();
                ReadOnlySpan<byte> name = Bytes;
                TakeBytes();
                ValueBytes = Bytes;
                Bytes = name;
                break;
            case >= SnapshotRecordKind.StreamNode and <= SnapshotRecordKind.StreamConsumer:
                TakeStreamPart();
                break;
            case SnapshotRecordKind.End:
                break;
            case SnapshotRecordKind.ExpiringHash:
                TakeHeader();
                Number = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                FieldExpireAtMs = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                break;
            case SnapshotRecordKind.String
                or SnapshotRecordKind.IntSet
                or SnapshotRecordKind.PackedSet
                or SnapshotRecordKind.PackedHash
                or SnapshotRecordKind.PackedList
                or SnapshotRecordKind.PackedSortedSet:
                TakeHeader();
                TakeBytes();
                break;
            default:
                TakeHeader();
                Number = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
                break;
        }

        return true;
    }

    private void TakeHeader()
    {
        KeysMet++;
        ExpireAtMs = BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
        AccessClock = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
        Key = Take(BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int))));
    }

    private void TakeBytes() => Bytes = Take(BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int))));

    private ReadOnlySpan<byte> Take(int length)
    {
        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
