using System.Buffers.Binary;

namespace KvServer.Storage;

/// <content>The parts of streams.</content>
/// <remarks>
/// <code>
/// StreamNode       [kind:1] id:16 [length:4] packed list
/// LongStreamNode   [kind:1] id:16 bytes:8
/// StreamCounters   [kind:1] length:8 last:16 first:16 largest deleted:16 added:8 groups:8
/// StreamGroup      [kind:1] last id:16 entries read:8 pending:8 [length:4] name
/// StreamPending    [kind:1] id:16 delivered:8 deliveries:8 consumer:8
/// StreamConsumers  [kind:1][number:8]
/// StreamConsumer   [kind:1] seen:8 active:8 pending:8 [length:4] name
/// </code>
/// </remarks>
internal sealed unsafe partial class SnapshotRecordWriter
{
    private const int IdBytes = 2 * sizeof(ulong);

    /// <summary>A node of a stream.</summary>
    public void StreamNode(StreamId id, ReadOnlySpan<byte> list)
    {
        Span<byte> rest = Begin(SnapshotRecordKind.StreamNode, checked(IdBytes + sizeof(int) + list.Length));
        if (!rest.IsEmpty)
        {
            Put(ref rest, id);
            Put(rest, list);
        }
    }

    /// <summary>A node of a stream so long that its pieces follow.</summary>
    public void LongStreamNode(StreamId id, long bytes)
    {
        Span<byte> rest = Begin(SnapshotRecordKind.LongStreamNode, IdBytes + sizeof(long));
        if (!rest.IsEmpty)
        {
            Put(ref rest, id);
            Put(ref rest, bytes);
        }
    }

    /// <summary>What a stream says of itself.</summary>
    public void StreamCounters(in StreamCounters counters)
    {
        Span<byte> rest = Begin(SnapshotRecordKind.StreamCounters, (3 * sizeof(long)) + (3 * IdBytes));
        if (!rest.IsEmpty)
        {
            Put(ref rest, counters.Length);
            Put(ref rest, counters.LastId);
            Put(ref rest, counters.FirstId);
            Put(ref rest, counters.MaxDeletedId);
            Put(ref rest, counters.EntriesAdded);
            Put(ref rest, counters.GroupCount);
        }
    }

    /// <summary>A consumer group.</summary>
    public void StreamGroup(ReadOnlySpan<byte> name, StreamId lastId, long entriesRead, long pendingCount)
    {
        int bytes = checked(IdBytes + (2 * sizeof(long)) + sizeof(int) + name.Length);
        Span<byte> rest = Begin(SnapshotRecordKind.StreamGroup, bytes);
        if (!rest.IsEmpty)
        {
            Put(ref rest, lastId);
            Put(ref rest, entriesRead);
            Put(ref rest, pendingCount);
            Put(rest, name);
        }
    }

    /// <summary>A pending entry, of a group or once more of a consumer.</summary>
    public void StreamPending(StreamPendingSlot* pending)
    {
        Span<byte> rest = Begin(SnapshotRecordKind.StreamPending, IdBytes + (3 * sizeof(long)));
        if (!rest.IsEmpty)
        {
            Put(ref rest, pending->Id);
            Put(ref rest, pending->DeliveredMs);
            Put(ref rest, pending->Deliveries);
            Put(ref rest, pending->Consumer);
        }
    }

    /// <summary>A consumer.</summary>
    public void StreamConsumer(ReadOnlySpan<byte> name, long seenMs, long activeMs, long pendingCount)
    {
        int bytes = checked((3 * sizeof(long)) + sizeof(int) + name.Length);
        Span<byte> rest = Begin(SnapshotRecordKind.StreamConsumer, bytes);
        if (!rest.IsEmpty)
        {
            Put(ref rest, seenMs);
            Put(ref rest, activeMs);
            Put(ref rest, pendingCount);
            Put(rest, name);
        }
    }

    private static void Put(ref Span<byte> rest, StreamId id)
    {
        Put(ref rest, (long)id.Ms);
        Put(ref rest, (long)id.Sequence);
    }

    private static void Put(ref Span<byte> rest, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(rest, number);
        rest = rest[sizeof(long)..];
    }

    private static void Put(Span<byte> rest, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rest, bytes.Length);
        bytes.CopyTo(rest[sizeof(int)..]);
    }

    // A record without a key; returns the room behind its kind.
    private Span<byte> Begin(SnapshotRecordKind kind, int bytes)
    {
        Span<byte> record = Reserve(checked(1 + bytes));
        if (record.IsEmpty)
        {
            return default;
        }

        record[0] = (byte)kind;
        return record[1..];
    }
}
