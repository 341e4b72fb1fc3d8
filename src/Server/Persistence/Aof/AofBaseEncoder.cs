using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Turns the records of a snapshot into commands: the base file with <c>aof-use-rdb-preamble no</c>.</summary>
/// <remarks>Collections go in requests of at most 64 elements. On the snapshot's thread.</remarks>
/// <param name="output">Where the commands go; the caller flushes it.</param>
internal sealed class AofBaseEncoder(RdbOutput output)
{
    private const int ElementsPerRequest = 64;

    private byte[] _key = [];
    private long _expireAtMs;
    private SnapshotRecordKind _open;
    private long _elementsLeft;
    private int _leftInRequest;

    /// <summary>Encodes all records of a chunk.</summary>
    /// <exception cref="IOException">The output refused the bytes.</exception>
    public void Encode(SnapshotChunk chunk)
    {
        SnapshotRecord record = new(chunk);
        while (record.MoveNext())
        {
            Encode(in record, chunk);
        }
    }

    private void Encode(in SnapshotRecord record, SnapshotChunk chunk)
    {
        switch (record.Kind)
        {
            case SnapshotRecordKind.SelectDatabase:
                Header(2);
                Argument("SELECT"u8);
                Argument(record.Number);
                break;
            case SnapshotRecordKind.String:
                BeginSet(record);
                Argument(record.Bytes);
                Expire(record.Key, record.ExpireAtMs);
                break;
            case SnapshotRecordKind.Integer:
                BeginSet(record);
                Argument(record.Number);
                Expire(record.Key, record.ExpireAtMs);
                break;
            case SnapshotRecordKind.IntSet:
                AddIntegers(new IntSet(chunk.Writable(record.Bytes)), record);
                break;
            case SnapshotRecordKind.PackedSet:
                AddPacked(new PackedList(chunk.Writable(record.Bytes)), record);
                break;
            case SnapshotRecordKind.LongString:
                Open(record);
                BeginSet(record);
                NumberLine((byte)'$', record.Number);
                break;
            case SnapshotRecordKind.Set:
                Open(record);
                _elementsLeft = record.Number;
                break;
            case SnapshotRecordKind.Member:
                AddElement(_key, record.Bytes);
                break;
            case SnapshotRecordKind.Piece:
                output.Write(record.Bytes);
                break;
            default:
                End();
                break;
        }
    }

    private void BeginSet(in SnapshotRecord record)
    {
        Header(3);
        Argument("SET"u8);
        Argument(record.Key);
    }

    private void Open(in SnapshotRecord record)
    {
        _open = record.Kind;
        _key = record.Key.ToArray();
        _expireAtMs = record.ExpireAtMs;
    }

    private void End()
    {
        if (_open == SnapshotRecordKind.LongString)
        {
            output.Write("\r\n"u8);
        }

        Expire(_key, _expireAtMs);
        _open = default;
    }

    private void AddIntegers(IntSet set, in SnapshotRecord record)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        _elementsLeft = set.Count;
        for (int i = 0; i < set.Count; i++)
        {
            AddElement(record.Key, text[..IntegerText.Format(set[i], text)]);
        }

        Expire(record.Key, record.ExpireAtMs);
    }

    private void AddPacked(PackedList list, in SnapshotRecord record)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        _elementsLeft = list.Count;
        for (int position = list.First; position != PackedList.None; position = list.Next(position))
        {
            AddElement(record.Key, list[position].AsText(text));
        }

        Expire(record.Key, record.ExpireAtMs);
    }

    private void AddElement(ReadOnlySpan<byte> key, ReadOnlySpan<byte> element)
    {
        if (_leftInRequest == 0)
        {
            _leftInRequest = (int)Math.Min(_elementsLeft, ElementsPerRequest);
            Header(2 + _leftInRequest);
            Argument("SADD"u8);
            Argument(key);
        }

        Argument(element);
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

    private void Argument(ReadOnlySpan<byte> bytes)
    {
        NumberLine((byte)'$', bytes.Length);
        output.Write(bytes);
        output.Write("\r\n"u8);
    }

    private void NumberLine(byte type, long number)
    {
        Span<byte> line = stackalloc byte[24];
        line[0] = type;
        int length = 1 + Numbers.FormatInt64(number, line[1..]);
        line[length++] = (byte)'\r';
        line[length++] = (byte)'\n';
        output.Write(line[..length]);
    }
}
