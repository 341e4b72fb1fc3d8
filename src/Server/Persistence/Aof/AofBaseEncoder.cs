using System.Buffers.Binary;
using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Turns the records of a snapshot into commands: the base file with <c>aof-use-rdb-preamble no</c>.</summary>
/// <remarks>Collections go in requests of at most 64 elements. On the snapshot's thread.</remarks>
/// <param name="output">Where the commands go; the caller flushes it.</param>
internal sealed partial class AofBaseEncoder(RdbOutput output) : RecordEncoder
{
    private const int ElementsPerRequest = 64;

    private byte[] _key = [];
    private long _expireAtMs;
    private byte[] _command = [];
    private int _argumentsPerElement;
    private long _elementsLeft;
    private int _leftInRequest;
    private long _pieceBytesLeft;
    private List<(byte[] Field, long ExpireAtMs)>? _expiringFields;

    private static byte[] SetCommand { get; } = "SADD"u8.ToArray();

    private static byte[] HashCommand { get; } = "HMSET"u8.ToArray();

    private static byte[] ListCommand { get; } = "RPUSH"u8.ToArray();

    private static byte[] SortedSetCommand { get; } = "ZADD"u8.ToArray();

    /// <summary>Notes the time for those who cut a file off at a moment.</summary>
    /// <param name="seconds">Since the Unix epoch.</param>
    public void Annotate(long seconds) => output.Write(Encoding.ASCII.GetBytes($"#TS:{seconds}\r\n"));

    /// <inheritdoc/>
    protected override void Encode(in SnapshotRecord record, SnapshotChunk chunk)
    {
        switch (record.Kind)
        {
            case SnapshotRecordKind.SelectDatabase:
                Header(2);
                Argument("SELECT"u8);
                Argument(record.Number);
                break;
            case SnapshotRecordKind.String:
                BeginString(record.Key);
                Argument(record.Bytes);
                Expire(record.Key, record.ExpireAtMs);
                break;
            case SnapshotRecordKind.Integer:
                BeginString(record.Key);
                Argument(record.Number);
                Expire(record.Key, record.ExpireAtMs);
                break;
            case SnapshotRecordKind.LongString:
                Open(record);
                BeginString(record.Key);
                BeginPieces(record.Number);
                break;
            case SnapshotRecordKind.IntSet:
                AddIntegers(new IntSet(chunk.Writable(record.Bytes)), record);
                break;
            case SnapshotRecordKind.PackedSet:
                AddPacked(SetCommand, argumentsPerElement: 1, chunk, record);
                break;
            case SnapshotRecordKind.PackedHash:
                AddPacked(HashCommand, argumentsPerElement: 2, chunk, record);
                break;
            case SnapshotRecordKind.PackedList:
                AddPacked(ListCommand, argumentsPerElement: 1, chunk, record);
                break;
            case SnapshotRecordKind.PackedSortedSet:
                AddScoredMembers(new PackedList(chunk.Writable(record.Bytes)), record);
                break;
            case SnapshotRecordKind.Set:
                Open(record);
                BeginElements(SetCommand, argumentsPerElement: 1, record.Number);
                break;
            case SnapshotRecordKind.Hash or SnapshotRecordKind.ExpiringHash:
                Open(record);
                BeginElements(HashCommand, argumentsPerElement: 2, record.Number);
                break;
            case SnapshotRecordKind.List:
                Open(record);
                break;
            case SnapshotRecordKind.Stream:
                Open(record);
                break;
            case >= SnapshotRecordKind.StreamNode and <= SnapshotRecordKind.StreamConsumer:
                EncodeStreamPart(record, chunk);
                break;
            case SnapshotRecordKind.SortedSet:
                Open(record);
                BeginElements(SortedSetCommand, argumentsPerElement: 2, record.Number);
                break;
            case SnapshotRecordKind.Member:
                BeginElement(_key);
                Argument(record.Bytes);
                break;
            case SnapshotRecordKind.Field:
                BeginElement(_key);
                Argument(record.Bytes);
                Argument(record.ValueBytes);
                NoteExpiry(record.Bytes, record.FieldExpireAtMs);
                break;
            case SnapshotRecordKind.ScoredMember:
                BeginElement(_key);
                Score(BinaryPrimitives.ReadDoubleLittleEndian(record.Bytes));
                Argument(record.Bytes[sizeof(double)..]);
                break;
            case SnapshotRecordKind.ListNode:
                AddElements(ListCommand, argumentsPerElement: 1, _key, new PackedList(chunk.Writable(record.Bytes)));
                break;
            case SnapshotRecordKind.ListElement:
                BeginElements(ListCommand, argumentsPerElement: 1, count: 1);
                BeginElement(_key);
                Argument(record.Bytes);
                break;
            case SnapshotRecordKind.LongListElement:
                BeginElements(ListCommand, argumentsPerElement: 1, count: 1);
                BeginElement(_key);
                BeginPieces(record.Number);
                break;
            case SnapshotRecordKind.Piece when _isNodeOpen:
                AddNodePiece(record.Bytes);
                break;
            case SnapshotRecordKind.Piece:
                AddPiece(record.Bytes);
                break;
            case SnapshotRecordKind.End:
                End();
                break;
            default:
                Invariant.Check(false, "every record of a snapshot is a command");
                break;
        }
    }

    private void Open(in SnapshotRecord record)
    {
        _key = record.Key.ToArray();
        _expireAtMs = record.ExpireAtMs;
    }

    // Fields expire once all are there: a request in between would break a request that is not whole yet.
    private void End()
    {
        if (_expiringFields is not null)
        {
            foreach ((byte[] field, long expireAtMs) in _expiringFields)
            {
                Header(6);
                Argument("HPEXPIREAT"u8);
                Argument(_key);
                Argument(expireAtMs);
                Argument("FIELDS"u8);
                Argument("1"u8);
                Argument(field);
            }

            _expiringFields = null;
        }

        Expire(_key, _expireAtMs);
    }

    private void NoteExpiry(ReadOnlySpan<byte> field, long expireAtMs)
    {
        if (expireAtMs != Database.NoExpiry)
        {
            _expiringFields ??= [];
            _expiringFields.Add((field.ToArray(), expireAtMs));
        }
    }

    private void BeginString(ReadOnlySpan<byte> key)
    {
        Header(3);
        Argument("SET"u8);
        Argument(key);
    }

    private void BeginPieces(long bytes)
    {
        NumberLine((byte)'$', bytes);
        _pieceBytesLeft = bytes;
    }

    private void AddPiece(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _pieceBytesLeft -= bytes.Length;
        if (_pieceBytesLeft == 0)
        {
            output.Write("\r\n"u8);
        }
    }

    private void AddIntegers(IntSet set, in SnapshotRecord record)
    {
        BeginElements(SetCommand, argumentsPerElement: 1, set.Count);
        for (int i = 0; i < set.Count; i++)
        {
            BeginElement(record.Key);
            Argument(set[i]);
        }

        Expire(record.Key, record.ExpireAtMs);
    }

    private void AddPacked(byte[] command, int argumentsPerElement, SnapshotChunk chunk, in SnapshotRecord record)
    {
        AddElements(command, argumentsPerElement, record.Key, new PackedList(chunk.Writable(record.Bytes)));
        Expire(record.Key, record.ExpireAtMs);
    }

    private void AddElements(byte[] command, int argumentsPerElement, ReadOnlySpan<byte> key, PackedList list)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        BeginElements(command, argumentsPerElement, list.Count / argumentsPerElement);
        int argument = 0;
        for (int position = list.First; position != PackedList.None; position = list.Next(position))
        {
            if (argument++ % argumentsPerElement == 0)
            {
                BeginElement(key);
            }

            Argument(list[position].AsText(text));
        }
    }

    // In the list the member comes first, in the request its score.
    private void AddScoredMembers(PackedList list, in SnapshotRecord record)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        BeginElements(SortedSetCommand, argumentsPerElement: 2, list.Count / 2);
        for (int member = list.First, score; member != PackedList.None; member = list.Next(score))
        {
            score = list.Next(member);
            BeginElement(record.Key);
            Score(list[score]);
            Argument(list[member].AsText(text));
        }

        Expire(record.Key, record.ExpireAtMs);
    }

    private void BeginElements(byte[] command, int argumentsPerElement, long count)
    {
        _command = command;
        _argumentsPerElement = argumentsPerElement;
        _elementsLeft = count;
        _leftInRequest = 0;
    }

    // The arguments of the element follow.
    private void BeginElement(ReadOnlySpan<byte> key)
    {
        if (_leftInRequest == 0)
        {
            _leftInRequest = (int)Math.Min(_elementsLeft, ElementsPerRequest);
            Header(2 + (_leftInRequest * _argumentsPerElement));
            Argument(_command);
            Argument(key);
        }

        _leftInRequest--;
        _elementsLeft--;
    }

    private void Expire(ReadOnlySpan<byte> key, long expireAtMs)
    {
        if (expireAtMs != Database.NoExpiry)
        {
            Header(3);
            Argument("PEXPIREAT"u8);
            Argument(key);
            Argument(expireAtMs);
        }
    }

    private void Header(int argumentCount) => NumberLine((byte)'*', argumentCount);

    private void Argument(long number)
    {
        Span<byte> text = stackalloc byte[20];
        Argument(text[..Numbers.FormatInt64(number, text)]);
    }

    // Text is read and written anew: what came from a file may be longer, or in a form that ZADD does not take.
    private void Score(PackedElement score)
    {
        if (score.IsInteger)
        {
            Argument(score.Integer);
            return;
        }

        Invariant.Check(ScoreText.TryParse(score.Bytes, out double number), "a packed sorted set holds scores");
        Score(number);
    }

    private void Score(double score)
    {
        Span<byte> text = stackalloc byte[ScoreText.MaxLength];
        Argument(text[..ScoreText.Format(score, text)]);
    }

    private void Argument(ReadOnlySpan<byte> bytes)
    {
        NumberLine((byte)'$', bytes.Length);
        output.Write(bytes);
        output.Write("\r\n"u8);
    }

    private void NumberLine(byte type, long number)
    {
        Span<byte> line = stackalloc byte[Numbers.MaxLineBytes];
        output.Write(line[..Numbers.FormatLine(type, number, line)]);
    }
}
