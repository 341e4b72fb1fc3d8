using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Reads the records of a chunk. Any thread; spans are valid until the chunk is given back.</summary>
public ref struct SnapshotRecord
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Stands before the first record of a chunk.</summary>
    public SnapshotRecord(SnapshotChunk chunk) => _rest = chunk.Records;

    /// <summary>What this record says.</summary>
    public SnapshotRecordKind Kind { get; private set; }

    /// <summary>The key, for the kinds that have one.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    /// <summary>When the key expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    public long ExpireAtMs { get; private set; }

    /// <summary>The 24 bits that note accesses to the key.</summary>
    public uint AccessClock { get; private set; }

    /// <summary>The string, packed value, member (of a sorted set: behind its score), field's name, node of a list or
    /// piece.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a field whose name is <see cref="Bytes"/>.</summary>
    public ReadOnlySpan<byte> ValueBytes { get; private set; }

    /// <summary>When a field expires, or the first field of a hash, in milliseconds since 1970, or
    /// <see cref="Database.NoExpiry"/>.</summary>
    public long FieldExpireAtMs { get; private set; }

    /// <summary>The integer, number of elements or of a list's nodes, bytes of the long string or element, or database
    /// index.</summary>
    public long Number { get; private set; }

    /// <summary>Keys of the database at the cut.</summary>
    public long KeyCount { get; private set; }

    /// <summary>Of these: keys with an expiry time.</summary>
    public long ExpireCount { get; private set; }

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
