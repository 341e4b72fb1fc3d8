using KvServer.Storage;

namespace KvServer.Server.Persistence.Aof;

/// <content>Streams: the requests that redis-server writes for them, in the same order.</content>
/// <remarks>
/// <code>
/// XADD key id field value ...                                     each entry; XADD key MAXLEN 0 0-1 x y when there is none
/// XSETID key last ENTRIESADDED n MAXDELETEDID id
/// XGROUP CREATE key group last ENTRIESREAD n                      each group
/// XGROUP CREATECONSUMER key group consumer                        each consumer that has nothing pending
/// XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n JUSTID FORCE    each pending entry, by consumers
/// </code>
/// </remarks>
internal sealed partial class AofBaseEncoder
{
    private byte[] _group = [];
    private byte[] _consumer = [];
    private bool _isInConsumer;
    private bool _isNodeOpen;
    private StreamId _nodeId;
    private byte[] _node = [];
    private int _nodeLength;
    private int _nodeFilled;

    private void EncodeStreamPart(in SnapshotRecord record, SnapshotChunk chunk)
    {
        switch (record.Kind)
        {
            case SnapshotRecordKind.StreamNode:
                AddEntries(chunk.Writable(record.Bytes), record.StreamId);
                break;
            case SnapshotRecordKind.LongStreamNode:
                BeginNode(record.StreamId, (int)record.Number);
                break;
            case SnapshotRecordKind.StreamCounters:
                AddCounters(record.Counters);
                break;
            case SnapshotRecordKind.StreamGroup:
                _isInConsumer = false;
                _group = record.Bytes.ToArray();
                AddGroup(record.StreamId, record.EntriesRead);
                break;
            case SnapshotRecordKind.StreamConsumers:
                _isInConsumer = true;
                break;
            case SnapshotRecordKind.StreamConsumer when record.Number == 0:
                AddIdleConsumer(record.Bytes);
                break;
            case SnapshotRecordKind.StreamConsumer:
                _consumer = record.Bytes.ToArray();
                break;
            case SnapshotRecordKind.StreamPending when _isInConsumer:
                AddPending(record.Pending);
                break;
            default:
                break; // What is pending comes once more with its consumer.
        }
    }

    // A long node is gathered, because what belongs to a request has to be seen before the request is written.
    private void BeginNode(StreamId id, int bytes)
    {
        _isNodeOpen = true;
        _nodeId = id;
        _nodeLength = bytes;
        _nodeFilled = 0;
        if (_node.Length < bytes)
        {
            _node = GC.AllocateUninitializedArray<byte>(bytes);
        }
    }

    private void AddNodePiece(ReadOnlySpan<byte> piece)
    {
        piece.CopyTo(_node.AsSpan(_nodeFilled, _nodeLength - _nodeFilled));
        _nodeFilled += piece.Length;
        if (_nodeFilled == _nodeLength)
        {
            _isNodeOpen = false;
            AddEntries(_node.AsSpan(0, _nodeLength), _nodeId);
        }
    }

    private void AddEntries(Span<byte> list, StreamId id)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        foreach (StreamEntry entry in new StreamNodeEntries(list, id))
        {
            Header(3 + (2 * entry.FieldCount));
            Argument("XADD"u8);
            Argument(_key);
            Argument(entry.Id);
            foreach (StreamField field in entry)
            {
                Argument(field.Name.AsText(text));
                Argument(field.Value.AsText(text));
            }
        }
    }

    private void AddCounters(in StreamCounters counters)
    {
        if (counters.Length == 0)
        {
            Header(7);
            Argument("XADD"u8);
            Argument(_key);
            Argument("MAXLEN"u8);
            Argument("0"u8);
            Argument(new StreamId(0, 1));
            Argument("x"u8);
            Argument("y"u8);
        }

        // XSETID can go back behind an entry that was deleted, but not while it is told of that one.
        bool isBehind = counters.LastId < counters.MaxDeletedId;
        Header(7);
        Argument("XSETID"u8);
        Argument(_key);
        Argument(isBehind ? counters.MaxDeletedId : counters.LastId);
        Argument("ENTRIESADDED"u8);
        Argument(StreamCount.ForCommand(counters.EntriesAdded));
        Argument("MAXDELETEDID"u8);
        Argument(counters.MaxDeletedId);
        if (isBehind)
        {
            Header(3);
            Argument("XSETID"u8);
            Argument(_key);
            Argument(counters.LastId);
        }
    }

    private void AddGroup(StreamId lastId, long entriesRead)
    {
        Header(7);
        Argument("XGROUP"u8);
        Argument("CREATE"u8);
        Argument(_key);
        Argument(_group);
        Argument(lastId);
        Argument("ENTRIESREAD"u8);
        Argument(StreamCount.ForCommand(entriesRead, least: -1));
    }

    private void AddIdleConsumer(ReadOnlySpan<byte> name)
    {
        Header(5);
        Argument("XGROUP"u8);
        Argument("CREATECONSUMER"u8);
        Argument(_key);
        Argument(_group);
        Argument(name);
    }

    private void AddPending(in StreamPending pending)
    {
        Header(12);
        Argument("XCLAIM"u8);
        Argument(_key);
        Argument(_group);
        Argument(_consumer);
        Argument("0"u8);
        Argument(pending.Id);
        Argument("TIME"u8);
        Argument(pending.DeliveredMs);
        Argument("RETRYCOUNT"u8);
        Argument(StreamCount.ForCommand(pending.Deliveries));
        Argument("JUSTID"u8);
        Argument("FORCE"u8);
    }

    private void Argument(StreamId id)
    {
        Span<byte> text = stackalloc byte[StreamId.MaxTextLength];
        Argument(text[..id.Format(text)]);
    }
}
