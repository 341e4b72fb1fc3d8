using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Resp;

/// <summary>Writes replies of every type, spelled for the protocol the client speaks, RESP2 or RESP3.</summary>
/// <remarks>
/// <para>Bytes go straight into the memory of the output, through a cached array and position, so that a small reply
/// costs a bounds check and a copy. They become visible to the output with <see cref="Commit"/>; sending them is the
/// caller's business.</para>
/// <para>One writer per connection. Another client's command may write to it too (pushes, pub/sub, unblocking): the
/// server runs one command at a time, so there is one writer at a time, and no lock here. Steady state allocates
/// nothing.</para>
/// </remarks>
public sealed partial class ReplyWriter : IDisposable
{
    private const int SegmentHintBytes = 512;
    private const int FallbackBytes = 4096;
    private const int InPlaceBulkBytes = 2048;

    private IBufferWriter<byte> _output;
    private byte[] _buffer = [];
    private int _at;
    private int _end;
    private int _start;
    private long _committedBytes;
    private byte[]? _ownBuffer;
    private bool _bufferIsOwn;
    private bool _suppressed;
    private int _protocol = 2;
    private readonly byte[] _lastErrorStart = new byte[32];
    private int _lastErrorStartBytes;

    /// <summary>Makes a writer for one output, usually the writing end of a connection's pipe; an
    /// <see cref="ArrayBufferWriter{T}"/> serves tests.</summary>
    public ReplyWriter(IBufferWriter<byte> output) => _output = output;

    /// <summary>The protocol version replies are spelled in: 2 or 3.</summary>
    public int Protocol
    {
        get => _protocol;
        set
        {
            if (value is not (2 or 3))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The protocol is 2 or 3.");
            }

            _protocol = value;
        }
    }

    /// <summary>All reply bytes so far, committed or not, suppressed ones excluded; bytes of an aggregate with a
    /// deferred length count once it is closed.</summary>
    public long TotalBytesWritten => _committedBytes + (_suppressed || IsDeferring ? 0 : _at - _start);

    /// <summary>Whether replies are thrown away (<c>CLIENT REPLY OFF</c> and <c>SKIP</c>). May not change inside an
    /// aggregate with a deferred length.</summary>
    /// <remarks>Costs the writing methods nothing: they write into an array nobody reads.</remarks>
    public bool Suppressed
    {
        get => _suppressed;
        set
        {
            Debug.Assert(!IsDeferring, "Suppression may not change inside a deferred aggregate.");
            if (_suppressed != value)
            {
                Commit();
                _suppressed = value;
            }
        }
    }

    /// <summary>Whether somebody else may write to the output now: nothing that was written since <see cref="Commit"/>
    /// waits in its memory.</summary>
    /// <remarks>Always so while replies are suppressed. O(1).</remarks>
    public bool IsIdle => _suppressed || (_end == 0 && !IsDeferring);

    /// <summary>Makes everything written so far visible to the output.</summary>
    /// <remarks>Call it before the output is flushed or written to directly. O(1) unless the output's memory is not
    /// array-backed.</remarks>
    public void Commit()
    {
        Debug.Assert(!IsDeferring, "A deferred aggregate is still open.");
        CommitBuffer();
        _buffer = [];
        _start = _at = _end = 0;
    }

    /// <summary>Commits, and writes to <paramref name="output"/> from now on.</summary>
    public void Rebind(IBufferWriter<byte> output)
    {
        Commit();
        _output = output;
    }

    /// <summary>Gives pooled memory back. What was not committed is lost.</summary>
    public void Dispose()
    {
        AbandonDeferred();
        _buffer = [];
        _start = _at = _end = 0;
        if (_ownBuffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_ownBuffer);
            _ownBuffer = null;
        }
    }

    /// <summary>Writes bytes as they are: precomputed replies, or the parts of a bulk string after
    /// <see cref="BulkStringHeader"/>.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= _end - _at)
        {
            bytes.CopyTo(_buffer.AsSpan(_at));
            _at += bytes.Length;
        }
        else
        {
            WriteLong(bytes);
        }
    }

    /// <summary>Room for at least <paramref name="sizeBytes"/> bytes; <see cref="Advance"/> tells how many were used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Room(int sizeBytes)
    {
        if (_end - _at < sizeBytes)
        {
            Refill(sizeBytes);
        }

        return MemoryMarshal.CreateSpan(
            ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_buffer), _at), _end - _at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Advance(int count) => _at += count;

    /// <summary>Writes a type byte, a number and the end of the line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Header(byte type, long value)
    {
        if ((ulong)value < NumberLines.Count)
        {
            ulong line = NumberLines.Get((int)value);
            BinaryPrimitives.WriteUInt64LittleEndian(Room(sizeof(ulong)), line | type);
            _at += NumberLines.LengthOf(line);
        }
        else
        {
            LongHeader(type, value);
        }
    }

    private void LongHeader(byte type, long value)
    {
        Span<byte> room = Room(Numbers.MaxInt64Chars + 3);
        room[0] = type;
        int length = 1 + Numbers.FormatInt64(value, room[1..]);
        room[length++] = (byte)'\r';
        room[length++] = (byte)'\n';
        _at += length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EndLine()
    {
        Span<byte> room = Room(2);
        room[0] = (byte)'\r';
        room[1] = (byte)'\n';
        _at += 2;
    }

    private void WriteLong(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_at == _end)
            {
                Refill(Math.Min(bytes.Length, SegmentHintBytes));
            }

            int count = Math.Min(bytes.Length, _end - _at);
            bytes[..count].CopyTo(_buffer.AsSpan(_at));
            _at += count;
            bytes = bytes[count..];
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refill(int sizeBytes)
    {
        if (IsDeferring && !_suppressed)
        {
            RefillDeferred(sizeBytes);
            return;
        }

        CommitBuffer();
        if (!_suppressed)
        {
            Memory<byte> memory = _output.GetMemory(Math.Max(sizeBytes, SegmentHintBytes));
            if (MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment))
            {
                _buffer = segment.Array!;
                _start = _at = segment.Offset;
                _end = segment.Offset + segment.Count;
                _bufferIsOwn = false;
                return;
            }
        }

        // Output that is not array-backed, or goes nowhere: an array of our own in between.
        if (_ownBuffer is null || _ownBuffer.Length < sizeBytes)
        {
            if (_ownBuffer is not null)
            {
                ArrayPool<byte>.Shared.Return(_ownBuffer);
            }

            _ownBuffer = ArrayPool<byte>.Shared.Rent(Math.Max(sizeBytes, FallbackBytes));
        }

        _buffer = _ownBuffer;
        _start = _at = 0;
        _end = _buffer.Length;
        _bufferIsOwn = true;
    }

    private void CommitBuffer()
    {
        int count = _at - _start;
        if (count == 0)
        {
            return;
        }

        if (!_suppressed)
        {
            _committedBytes += count;
            if (_bufferIsOwn)
            {
                _output.Write(_buffer.AsSpan(_start, count));
            }
            else
            {
                _output.Advance(count);
            }
        }

        _start = _at;
    }
}
