namespace KvServer.Storage;

/// <content>The parts of streams.</content>
public sealed partial class SnapshotEncoder
{
    private bool _isInConsumer;

    private void EncodeStreamPart(in SnapshotRecord record)
    {
        switch (record.Kind)
        {
            case SnapshotRecordKind.StreamNode:
                writer.AddStreamNode(record.StreamId, record.Bytes);
                break;
            case SnapshotRecordKind.LongStreamNode:
                writer.BeginLongStreamNode(record.StreamId, record.Number);
                break;
            case SnapshotRecordKind.StreamCounters:
                writer.AddStreamCounters(record.Counters);
                break;
            case SnapshotRecordKind.StreamGroup:
                _isInConsumer = false;
                writer.BeginStreamGroup(record.Bytes, record.StreamId, record.EntriesRead, record.Number);
                break;
            case SnapshotRecordKind.StreamPending when _isInConsumer:
                writer.AddStreamConsumerPending(record.Pending.Id);
                break;
            case SnapshotRecordKind.StreamPending:
                writer.AddStreamPending(record.Pending);
                break;
            case SnapshotRecordKind.StreamConsumers:
                _isInConsumer = true;
                writer.BeginStreamConsumers(record.Number);
                break;
            default:
                writer.BeginStreamConsumer(record.Bytes, record.SeenMs, record.Number);
                break;
        }
    }
}
