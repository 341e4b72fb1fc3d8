using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Copies states into chunks. One of them feeds the queue; others hold back what has to wait its turn.</summary>
/// <remarks>
/// <code>
/// record of a key      [kind:1][expireAt:8][clock:4][keyLength:4] key  value
/// value                String, IntSet, Packed...                         [length:4] bytes
///                      Integer, LongString (bytes), List and Stream (nodes),
///                      Set, Hash and SortedSet (elements)                [number:8]
///                      ExpiringHash (fields)                             [number:8][first expireAt:8]
/// Piece, Member, ListNode, ListElement  [kind:1][length:4] bytes
/// LongListElement      [kind:1][number:8]
/// ScoredMember         [kind:1][length:4] score:8 bytes
/// Field                [kind:1][expireAt:8][length:4] name [length:4] value
/// </code>
/// Records never lie across two chunks. Command loop only.
/// </remarks>
internal sealed unsafe partial class SnapshotRecordWriter(SnapshotQueue queue, bool holdsBack)
{
    /// <summary>Bytes of a key's record before the key.</summary>
    internal const int HeaderBytes = 1 + sizeof(long) + sizeof(uint) + sizeof(int);

    // What a record counts for beside its bytes: finding what is in it takes about as long as copying so many.
    private const int RecordWork = 128;

    private readonly List<SnapshotChunk> _held = [];
    private byte[]? _bytes;
    private int _length;
    private int _database = -1;

    /// <summary>Whether everything is thrown away: the snapshot has failed and only its marks are still set right.</summary>
    public bool Discards { get; set; }

    /// <summary>What has been done so far, thrown away or not, in bytes; a record counts for some beside its own.</summary>
    public long Work { get; private set; }

    /// <summary>Bytes that are not in the queue yet.</summary>
    public long HeldBytes { get; private set; }

    public void SelectDatabase(SnapshotDataset dataset)
    {
        if (_database == dataset.Index)
        {
            return;
        }

        _database = dataset.Index;
        Span<byte> record = Reserve(1 + sizeof(int) + (2 * sizeof(long)));
        if (!record.IsEmpty)
        {
            record[0] = (byte)SnapshotRecordKind.SelectDatabase;
            BinaryPrimitives.WriteInt32LittleEndian(record[1..], dataset.Index);
            BinaryPrimitives.WriteInt64LittleEndian(record[5..], dataset.KeyCount);
            BinaryPrimitives.WriteInt64LittleEndian(record[13..], dataset.ExpireCount);
        }
    }

    public void Value(SnapshotRecordKind kind, ReadOnlySpan<byte> key, long expireAtMs, uint clock, ReadOnlySpan<byte> value)
    {
        Span<byte> rest = Header(kind, key, expireAtMs, clock, sizeof(int) + value.Length);
        if (!rest.IsEmpty)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, value.Length);
            value.CopyTo(rest[sizeof(int)..]);
        }
    }

    public void Number(SnapshotRecordKind kind, ReadOnlySpan<byte> key, long expireAtMs, uint clock, long number)
    {
        Span<byte> rest = Header(kind, key, expireAtMs, clock, sizeof(long));
        if (!rest.IsEmpty)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, number);
        }
    }

    /// <summary>A member or a piece.</summary>
    public void Part(SnapshotRecordKind kind, ReadOnlySpan<byte> bytes)
    {
        Span<byte> record = Reserve(1 + sizeof(int) + bytes.Length);
        if (!record.IsEmpty)
        {
            record[0] = (byte)kind;
            BinaryPrimitives.WriteInt32LittleEndian(record[1..], bytes.Length);
            bytes.CopyTo(record[(1 + sizeof(int))..]);
        }
    }

    /// <summary>A field of a hash.</summary>
    public void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, long expireAtMs)
    {
        int valueAt = 1 + sizeof(long) + sizeof(int) + name.Length;
        Span<byte> record = Reserve(checked(valueAt + sizeof(int) + value.Length));
        if (!record.IsEmpty)
        {
            record[0] = (byte)SnapshotRecordKind.Field;
            BinaryPrimitives.WriteInt64LittleEndian(record[1..], expireAtMs);
            BinaryPrimitives.WriteInt32LittleEndian(record[(1 + sizeof(long))..], name.Length);
            name.CopyTo(record[(1 + sizeof(long) + sizeof(int))..]);
            BinaryPrimitives.WriteInt32LittleEndian(record[valueAt..], value.Length);
            value.CopyTo(record[(valueAt + sizeof(int))..]);
        }
    }

    /// <summary>A key with a hash of which some fields expire.</summary>
    public void ExpiringHash(ReadOnlySpan<byte> key, long expireAtMs, uint clock, long count, long firstExpiryMs)
    {
        Span<byte> rest = Header(SnapshotRecordKind.ExpiringHash, key, expireAtMs, clock, 2 * sizeof(long));
        if (!rest.IsEmpty)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, count);
            BinaryPrimitives.WriteInt64LittleEndian(rest[sizeof(long)..], firstExpiryMs);
        }
    }

    /// <summary>The length of something whose pieces follow, inside a value.</summary>
    public void Length(SnapshotRecordKind kind, long bytes)
    {
        Span<byte> record = Reserve(1 + sizeof(long));
        if (!record.IsEmpty)
        {
            record[0] = (byte)kind;
            BinaryPrimitives.WriteInt64LittleEndian(record[1..], bytes);
        }
    }

    /// <summary>A member of a sorted set.</summary>
    public void ScoredMember(double score, ReadOnlySpan<byte> member)
    {
        Span<byte> record = Reserve(checked(1 + sizeof(int) + sizeof(double) + member.Length));
        if (!record.IsEmpty)
        {
            record[0] = (byte)SnapshotRecordKind.ScoredMember;
            BinaryPrimitives.WriteInt32LittleEndian(record[1..], sizeof(double) + member.Length);
            BinaryPrimitives.WriteDoubleLittleEndian(record[(1 + sizeof(int))..], score);
            member.CopyTo(record[(1 + sizeof(int) + sizeof(double))..]);
        }
    }

    public void End()
    {
        Span<byte> record = Reserve(1);
        if (!record.IsEmpty)
        {
            record[0] = (byte)SnapshotRecordKind.End;
        }
    }

    /// <summary>Passes on a chunk that is not full yet.</summary>
    public void Flush()
    {
        if (_bytes is null)
        {
            return;
        }

        SnapshotChunk chunk = new(_bytes, _length);
        _bytes = null;
        _length = 0;
        if (holdsBack)
        {
            _held.Add(chunk);
            HeldBytes += chunk.Bytes.Length;
        }
        else
        {
            queue.Add(chunk);
        }
    }

    /// <summary>Puts what was held back behind what another writer has written.</summary>
    public void ReleaseTo(SnapshotRecordWriter other)
    {
        Flush();
        if (_held.Count == 0)
        {
            return;
        }

        other.Flush();
        foreach (SnapshotChunk chunk in _held)
        {
            queue.Add(chunk);
        }

        if (_database >= 0)
        {
            other._database = _database; // Of members alone there is none.
        }

        _held.Clear();
        _database = -1;
        HeldBytes = 0;
    }

    private Span<byte> Header(SnapshotRecordKind kind, ReadOnlySpan<byte> key, long expireAtMs, uint clock, int restBytes)
    {
        int keyEnd = HeaderBytes + key.Length;
        Span<byte> record = Reserve(checked(keyEnd + restBytes));
        if (record.IsEmpty)
        {
            return default;
        }

        record[0] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(record[1..], expireAtMs);
        BinaryPrimitives.WriteUInt32LittleEndian(record[9..], clock);
        BinaryPrimitives.WriteInt32LittleEndian(record[13..], key.Length);
        key.CopyTo(record[HeaderBytes..]);
        return record[keyEnd..];
    }

    private Span<byte> Reserve(int bytes)
    {
        Work += bytes + RecordWork;
        if (Discards)
        {
            return default;
        }

        if (_bytes is null || _bytes.Length - _length < bytes)
        {
            try
            {
                Flush();
                _bytes = queue.Rent(bytes);
            }
            catch (OutOfMemoryException)
            {
                // Without this record those around it would be taken for something else: the file must not be written.
                Discards = true;
                queue.AbortWithoutMemory();
                return default;
            }
        }

        Span<byte> span = _bytes.AsSpan(_length, bytes);
        _length += bytes;
        return span;
    }
}
