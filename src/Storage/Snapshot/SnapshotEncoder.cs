using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Turns the records of a snapshot into RDB. Runs on the background thread.</summary>
/// <param name="writer">Writes the file; its header has been written.</param>
/// <param name="keyspace">Tells what an access clock means now.</param>
/// <param name="hints">What to note about the use of keys.</param>
/// <remarks>
/// A long string comes in pieces, and in the file the length of its compressed form stands before it. So it is gathered
/// first; one that is too long for that, or that there is no memory for, goes through piece by piece as it is.
/// </remarks>
public sealed partial class SnapshotEncoder(RdbWriter writer, Keyspace keyspace, AccessHintKind hints)
    : RecordEncoder, IDisposable
{
    private readonly LongStringBuffer _gathered = new();
    private SnapshotRecordKind _open;

    /// <summary>Bytes up to which a string is gathered; tests lower it.</summary>
    internal long MaxGatheredBytes { get; init; } = LongStringBuffer.MaxBytes;

    /// <inheritdoc/>
    public void Dispose() => _gathered.Dispose();

    /// <inheritdoc/>
    protected override void Encode(in SnapshotRecord record, SnapshotChunk chunk)
    {
        switch (record.Kind)
        {
            case SnapshotRecordKind.SelectDatabase:
                writer.SelectDatabase((int)record.Number, record.KeyCount, record.ExpireCount);
                break;
            case SnapshotRecordKind.String:
                writer.WriteStringKey(record.Key, record.ExpireAtMs, HintOf(record), record.Bytes);
                break;
            case SnapshotRecordKind.Integer:
                writer.WriteIntegerKey(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case SnapshotRecordKind.IntSet:
                writer.WriteIntSetKey(
                    record.Key, record.ExpireAtMs, HintOf(record), record.Bytes[..IntSetBytes(record, chunk)]);
                break;
            case SnapshotRecordKind.PackedSet:
                writer.WritePackedSetKey(
                    record.Key, record.ExpireAtMs, HintOf(record), chunk.Writable(record.Bytes));
                break;
            case SnapshotRecordKind.PackedList:
                writer.WritePackedListKey(
                    record.Key, record.ExpireAtMs, HintOf(record), chunk.Writable(record.Bytes));
                break;
            case SnapshotRecordKind.List:
                _open = record.Kind;
                writer.BeginList(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case SnapshotRecordKind.ListNode:
                Invariant.Check(_open == SnapshotRecordKind.List, "nodes follow their list");
                writer.AddListNode(record.Bytes);
                break;
            case SnapshotRecordKind.ListElement:
                Invariant.Check(_open == SnapshotRecordKind.List, "nodes follow their list");
                writer.AddLongElement(record.Bytes);
                break;
            case SnapshotRecordKind.LongListElement:
                Invariant.Check(_open == SnapshotRecordKind.List, "nodes follow their list");
                writer.BeginLongElement(record.Number);
                break;
            case SnapshotRecordKind.Set:
                _open = record.Kind;
                writer.BeginSet(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case SnapshotRecordKind.PackedHash:
                writer.WritePackedHashKey(
                    record.Key, record.ExpireAtMs, HintOf(record), new PackedList(chunk.Writable(record.Bytes)).Bytes);
                break;
            case SnapshotRecordKind.Hash:
                _open = SnapshotRecordKind.Hash;
                writer.BeginHash(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case SnapshotRecordKind.ExpiringHash:
                _open = SnapshotRecordKind.Hash;
                writer.BeginExpiringHash(
                    record.Key, record.ExpireAtMs, HintOf(record), record.Number, record.FieldExpireAtMs);
                break;
            case SnapshotRecordKind.Field:
                Invariant.Check(_open == SnapshotRecordKind.Hash, "fields follow their hash");
                writer.AddField(record.Bytes, record.ValueBytes, record.FieldExpireAtMs);
                break;
            case SnapshotRecordKind.PackedSortedSet:
                writer.WritePackedSortedSetKey(
                    record.Key, record.ExpireAtMs, HintOf(record), chunk.Writable(record.Bytes));
                break;
            case SnapshotRecordKind.SortedSet:
                _open = record.Kind;
                writer.BeginSortedSet(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case SnapshotRecordKind.ScoredMember:
                Invariant.Check(_open == SnapshotRecordKind.SortedSet, "members follow their sorted set");
                writer.AddScoredMember(
                    record.Bytes[sizeof(double)..], BinaryPrimitives.ReadDoubleLittleEndian(record.Bytes));
                break;
            case SnapshotRecordKind.Stream:
                _open = record.Kind;
                writer.BeginStream(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                break;
            case >= SnapshotRecordKind.StreamNode and <= SnapshotRecordKind.StreamConsumer:
                Invariant.Check(_open == SnapshotRecordKind.Stream, "parts follow their stream");
                EncodeStreamPart(record);
                break;
            case SnapshotRecordKind.LongString:
                _open = record.Kind;
                if (!writer.Compresses || record.Number > MaxGatheredBytes || !_gathered.TryBegin(record, HintOf(record)))
                {
                    writer.BeginString(record.Key, record.ExpireAtMs, HintOf(record), record.Number);
                }

                break;
            case SnapshotRecordKind.Member:
                Invariant.Check(_open == SnapshotRecordKind.Set, "members follow their set");
                writer.AddMember(record.Bytes);
                break;
            case SnapshotRecordKind.Piece:
                Invariant.Check(
                    _open is SnapshotRecordKind.LongString or SnapshotRecordKind.List or SnapshotRecordKind.Stream,
                    "pieces follow their string");
                if (_gathered.IsOpen)
                {
                    _gathered.Append(record.Bytes);
                }
                else
                {
                    writer.AppendString(record.Bytes);
                }

                break;
            default:
                _open = default;
                if (_gathered.IsOpen)
                {
                    _gathered.WriteTo(writer);
                }

                break;
        }
    }

    // The room in an entry may be larger than what is in it.
    private static int IntSetBytes(in SnapshotRecord record, SnapshotChunk chunk) =>
        new IntSet(chunk.Writable(record.Bytes)).LengthBytes;

    private AccessHint HintOf(in SnapshotRecord record) => hints switch
    {
        AccessHintKind.IdleSeconds => AccessHint.OfIdleSeconds(keyspace.IdleTimeMs(record.AccessClock) / 1000),
        AccessHintKind.Frequency => AccessHint.OfFrequency(keyspace.DecayedFrequency(record.AccessClock)),
        _ => AccessHint.None,
    };
}
