using System.Buffers.Binary;

namespace KvServer.Storage;

/// <content>The parts of streams.</content>
public ref partial struct SnapshotRecord
{
    private void TakeStreamPart()
    {
        switch (Kind)
        {
            case SnapshotRecordKind.StreamNode:
                StreamId = TakeId();
                TakeBytes();
                break;
            case SnapshotRecordKind.LongStreamNode:
                StreamId = TakeId();
                Number = TakeNumber();
                break;
            case SnapshotRecordKind.StreamCounters:
                Counters = new StreamCounters(TakeNumber(), TakeId(), TakeId(), TakeId(), TakeNumber(), TakeNumber());
                break;
            case SnapshotRecordKind.StreamGroup:
                StreamId = TakeId();
                EntriesRead = TakeNumber();
                Number = TakeNumber();
                TakeBytes();
                break;
            case SnapshotRecordKind.StreamPending:
                Pending = new StreamPending(TakeId(), TakeNumber(), TakeNumber(), TakeNumber());
                break;
            case SnapshotRecordKind.StreamConsumers:
                Number = TakeNumber();
                break;
            default:
                SeenMs = TakeNumber();
                ActiveMs = TakeNumber();
                Number = TakeNumber();
                TakeBytes();
                break;
        }
    }

    private StreamId TakeId() => new((ulong)TakeNumber(), (ulong)TakeNumber());

    private long TakeNumber() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));
}
