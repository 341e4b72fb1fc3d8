using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Resp;

/// <content>The reply types.</content>
public sealed partial class ReplyWriter
{
    /// <summary><c>+OK</c></summary>
    public void Ok() => Small("+OK\r\n"u8);

    /// <summary><c>+QUEUED</c></summary>
    public void Queued() => Small("+QUEUED\r\n"u8);

    /// <summary><c>+PONG</c></summary>
    public void Pong() => Small("+PONG\r\n"u8);

    /// <summary>A simple string: text of ours without line ends.</summary>
    public void SimpleString(ReadOnlySpan<byte> text)
    {
        Room(1)[0] = RespType.SimpleString;
        _at++;
        Raw(text);
        EndLine();
    }

    /// <summary>An error; <paramref name="text"/> starts with its code, as in <c>ERR syntax error</c>.</summary>
    /// <remarks>Line ends inside become spaces, at both ends they are dropped, so that bytes of a user can't break out
    /// of the reply.</remarks>
    public void Error(ReadOnlySpan<byte> text) => Error(text, default, default);

    /// <summary>An error whose text is put together from parts, the middle one usually from a user.</summary>
    public void Error(ReadOnlySpan<byte> before, ReadOnlySpan<byte> middle, ReadOnlySpan<byte> after)
    {
        ErrorCount++;
        ReadOnlySpan<byte> first = before.IsEmpty ? middle : before;
        first[..Math.Min(first.Length, _lastErrorStart.Length)].CopyTo(_lastErrorStart);
        _lastErrorStartBytes = Math.Min(first.Length, _lastErrorStart.Length);
        Room(1)[0] = RespType.Error;
        _at++;
        if (before.ContainsAny((byte)'\r', (byte)'\n') || middle.ContainsAny((byte)'\r', (byte)'\n')
            || after.ContainsAny((byte)'\r', (byte)'\n'))
        {
            ErrorText.Write(this, before, middle, after);
        }
        else
        {
            Raw(before);
            Raw(middle);
            Raw(after);
        }

        EndLine();
    }

    /// <summary>Error replies written so far, suppressed ones included.</summary>
    public long ErrorCount { get; private set; }

    /// <summary>The code of the last error reply, its first word: <c>WRONGTYPE</c>. At most 32 bytes; makes a string.</summary>
    public string LastErrorCode
    {
        get
        {
            ReadOnlySpan<byte> start = _lastErrorStart.AsSpan(0, _lastErrorStartBytes);
            int space = start.IndexOf((byte)' ');
            return System.Text.Encoding.Latin1.GetString(space >= 0 ? start[..space] : start);
        }
    }

    /// <summary>An integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Integer(long value) => Header(RespType.Integer, value);

    /// <summary>A bulk string.</summary>
    public void BulkString(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < NumberLines.Count)
        {
            // Header, bytes and line end in one go.
            ulong line = NumberLines.Get(bytes.Length);
            Span<byte> room = Room(sizeof(ulong) + bytes.Length + 2);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(room, line | RespType.BulkString);
            int header = NumberLines.LengthOf(line);
            bytes.CopyTo(room[header..]);
            room[header + bytes.Length] = (byte)'\r';
            room[header + bytes.Length + 1] = (byte)'\n';
            _at += header + bytes.Length + 2;
            return;
        }

        LongHeader(RespType.BulkString, bytes.Length);
        Raw(bytes);
        EndLine();
    }

    /// <summary>An integer as the bulk string of its decimal digits.</summary>
    public void BulkString(long value)
    {
        Span<byte> digits = stackalloc byte[Numbers.MaxInt64Chars];
        BulkString(digits[..Numbers.FormatInt64(value, digits)]);
    }

    /// <summary>The header of a bulk string of <paramref name="lengthBytes"/> bytes, to be followed by exactly those
    /// bytes through <see cref="Raw"/> and by <see cref="BulkStringEnd"/>.</summary>
    public void BulkStringHeader(int lengthBytes) => Header(RespType.BulkString, lengthBytes);

    /// <summary>Ends a bulk string begun with <see cref="BulkStringHeader"/>.</summary>
    public void BulkStringEnd() => EndLine();

    /// <summary>Null: <c>$-1</c>, in RESP3 <c>_</c>.</summary>
    public void Null() => Small(_protocol == 2 ? "$-1\r\n"u8 : "_\r\n"u8);

    /// <summary>Null in the place of an array: <c>*-1</c>, in RESP3 <c>_</c>.</summary>
    public void NullArray() => Small(_protocol == 2 ? "*-1\r\n"u8 : "_\r\n"u8);

    /// <summary>An array without elements.</summary>
    public void EmptyArray() => Small("*0\r\n"u8);

    /// <summary>The header of an array; <paramref name="count"/> replies follow.</summary>
    public void Array(long count) => Header(RespType.Array, count);

    /// <summary>The header of a map; <paramref name="count"/> pairs follow. In RESP2 an array of twice as many.</summary>
    public void Map(long count)
    {
        if (_protocol == 2)
        {
            Header(RespType.Array, count * 2);
        }
        else
        {
            Header(RespType.Map, count);
        }
    }

    /// <summary>The header of a set; <paramref name="count"/> replies follow. In RESP2 an array.</summary>
    public void Set(long count) => Header(_protocol == 2 ? RespType.Array : RespType.Set, count);

    /// <summary>The header of a push message; <paramref name="count"/> replies follow. In RESP2 an array.</summary>
    public void Push(long count) => Header(_protocol == 2 ? RespType.Array : RespType.Push, count);

    /// <summary>The header of attributes; <paramref name="count"/> pairs follow, then the reply they belong to. RESP3
    /// only: RESP2 has nothing like it, so the caller leaves the pairs out.</summary>
    public void Attribute(long count)
    {
        Debug.Assert(_protocol == 3, "RESP2 has no attributes.");
        Header(RespType.Attribute, count);
    }

    /// <summary>A boolean: <c>:1</c> or <c>:0</c>, in RESP3 <c>#t</c> or <c>#f</c>.</summary>
    public void Boolean(bool value) => Small(_protocol == 2
        ? (value ? ":1\r\n"u8 : ":0\r\n"u8)
        : (value ? "#t\r\n"u8 : "#f\r\n"u8));

    /// <summary>A double with 17 significant digits: a bulk string, in RESP3 <c>,1.5</c>.</summary>
    public void Double(double value)
    {
        Span<byte> text = stackalloc byte[Numbers.MaxDoubleChars];
        DoubleText(text[..Numbers.FormatDouble(value, text)]);
    }

    /// <summary>A double whose digits the caller has made: a bulk string, in RESP3 <c>,1.5</c>.</summary>
    public void DoubleText(ReadOnlySpan<byte> text) => Line(RespType.Double, text);

    /// <summary>An integer of any length, given by its digits: a bulk string, in RESP3 <c>(123</c>.</summary>
    public void BigNumber(ReadOnlySpan<byte> digits) => Line(RespType.BigNumber, digits);

    /// <summary>Text for people: a bulk string, in RESP3 with a <paramref name="format"/> of three letters such as
    /// <c>txt</c>, cut or filled with spaces to three.</summary>
    public void Verbatim(ReadOnlySpan<byte> text, ReadOnlySpan<byte> format)
    {
        if (_protocol == 2)
        {
            BulkString(text);
            return;
        }

        Header(RespType.Verbatim, text.Length + 4);
        Span<byte> room = Room(4);
        for (int i = 0; i < 3; i++)
        {
            room[i] = i < format.Length ? format[i] : (byte)' ';
        }

        room[3] = (byte)':';
        _at += 4;
        Raw(text);
        EndLine();
    }

    private void Line(byte type, ReadOnlySpan<byte> text)
    {
        if (_protocol == 2)
        {
            BulkString(text);
            return;
        }

        Room(1)[0] = type;
        _at++;
        Raw(text);
        EndLine();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Small(ReadOnlySpan<byte> reply)
    {
        reply.CopyTo(Room(reply.Length));
        _at += reply.Length;
    }
}
