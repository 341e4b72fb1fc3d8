using System.Buffers.Binary;

namespace KvServer.Storage;

/// <content>Streams, in the second of their three forms, as redis-server 7.0 writes them (<see cref="RdbStreams"/>).</content>
public sealed partial class RdbWriter
{
    private const int IdBytes = 16;

    /// <summary>Begins a key that holds a stream; its nodes follow, then <see cref="AddStreamCounters"/>.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="nodeCount">How many nodes will follow: exactly so many.</param>
    public void BeginStream(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long nodeCount)
    {
        BeginKey(key, expireAtMs, hint, RdbType.Stream2);
        WriteLength((ulong)nodeCount);
    }

    /// <summary>Writes the next node of a stream.</summary>
    /// <param name="id">The id that its entries are told as differences to.</param>
    /// <param name="list">The bytes of its packed list.</param>
    public void AddStreamNode(StreamId id, ReadOnlySpan<byte> list)
    {
        WriteLength(IdBytes);
        WriteRawId(id);
        WriteString(list);
    }

    /// <summary>Begins a node of a stream whose bytes <see cref="AppendString"/> gets, uncompressed.</summary>
    public void BeginLongStreamNode(StreamId id, long lengthBytes)
    {
        WriteLength(IdBytes);
        WriteRawId(id);
        WriteLength((ulong)lengthBytes);
        _promised = lengthBytes;
    }

    /// <summary>Writes what a stream says of itself; its consumer groups follow.</summary>
    public void AddStreamCounters(in StreamCounters counters)
    {
        WriteLength((ulong)counters.Length);
        WriteId(counters.LastId);
        WriteId(counters.FirstId);
        WriteId(counters.MaxDeletedId);
        WriteLength((ulong)counters.EntriesAdded);
        WriteLength((ulong)counters.GroupCount);
    }

    /// <summary>Begins a consumer group; its pending entries follow, then <see cref="BeginStreamConsumers"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="lastId">The last entry that was delivered.</param>
    /// <param name="entriesRead">How many entries it has read, or -1 when nobody knows.</param>
    /// <param name="pendingCount">How many pending entries will follow: exactly so many.</param>
    public void BeginStreamGroup(ReadOnlySpan<byte> name, StreamId lastId, long entriesRead, long pendingCount)
    {
        WriteString(name);
        WriteId(lastId);
        WriteLength((ulong)entriesRead);
        WriteLength((ulong)pendingCount);
    }

    /// <summary>Writes the next pending entry of a group.</summary>
    public void AddStreamPending(in StreamPending pending)
    {
        WriteRawId(pending.Id);
        WriteTime(pending.DeliveredMs);
        WriteLength((ulong)pending.Deliveries);
    }

    /// <summary>Says how many consumers of the group follow.</summary>
    public void BeginStreamConsumers(long count) => WriteLength((ulong)count);

    /// <summary>Begins a consumer; the ids of its pending entries follow.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="seenMs">When it was last named in a command.</param>
    /// <param name="pendingCount">How many ids <see cref="AddStreamConsumerPending"/> will get: exactly so many.</param>
    public void BeginStreamConsumer(ReadOnlySpan<byte> name, long seenMs, long pendingCount)
    {
        WriteString(name);
        WriteTime(seenMs);
        WriteLength((ulong)pendingCount);
    }

    /// <summary>Writes the id of the next pending entry of a consumer.</summary>
    public void AddStreamConsumerPending(StreamId id) => WriteRawId(id);

    private void WriteStream(StreamValue stream)
    {
        WriteLength((ulong)stream.NodeCount);
        StreamNodeEnumerator nodes = stream.Nodes();
        while (nodes.MoveNext())
        {
            AddStreamNode(nodes.Id, nodes.Bytes);
        }

        AddStreamCounters(stream.Counters);
        foreach (StreamGroup group in stream.Groups())
        {
            WriteGroup(group);
        }
    }

    private void WriteGroup(StreamGroup group)
    {
        BeginStreamGroup(group.Name, group.LastId, group.EntriesRead, group.PendingCount);
        foreach (StreamPending pending in group.Pending(StreamId.Min))
        {
            AddStreamPending(pending);
        }

        BeginStreamConsumers(group.ConsumerCount);
        foreach (StreamConsumer consumer in group.AllConsumers())
        {
            BeginStreamConsumer(consumer.Name, consumer.SeenMs, consumer.PendingCount);
            foreach (StreamPending pending in group.PendingOf(consumer.Number, StreamId.Min))
            {
                AddStreamConsumerPending(pending.Id);
            }
        }
    }

    private void WriteId(StreamId id)
    {
        WriteLength(id.Ms);
        WriteLength(id.Sequence);
    }

    private void WriteRawId(StreamId id)
    {
        Span<byte> bytes = Output.GetSpan(IdBytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.Ms);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[sizeof(ulong)..], id.Sequence);
        Output.Advance(IdBytes);
    }

    private void WriteTime(long ms)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Output.GetSpan(sizeof(long)), ms);
        Output.Advance(sizeof(long));
    }
}
