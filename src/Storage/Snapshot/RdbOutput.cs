namespace KvServer.Storage;

/// <summary>Bytes on their way into a file or a payload, with their running checksum.</summary>
/// <remarks>
/// With a stream, full buffers go there and <see cref="Flush"/> sends the rest; without one, everything stays in the
/// buffer, which grows, until <see cref="Clear"/>. The stream belongs to the caller. One thread at a time.
/// </remarks>
public sealed class RdbOutput
{
    private const int DefaultBufferBytes = 64 * 1024;

    private readonly Stream? _stream;
    private readonly bool _hasChecksum;
    private byte[] _buffer;
    private int _used;
    private int _summed;
    private long _sent;
    private ulong _crc;

    /// <summary>Makes an empty output.</summary>
    /// <param name="stream">Where the bytes go, or <see langword="null"/> to gather them.</param>
    /// <param name="hasChecksum">Whether to sum up (rdbchecksum); otherwise <see cref="Checksum"/> is 0.</param>
    /// <param name="bufferBytes">Size of the buffer, at least 1 KB.</param>
    public RdbOutput(Stream? stream, bool hasChecksum = true, int bufferBytes = DefaultBufferBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferBytes, 1024);
        _stream = stream;
        _hasChecksum = hasChecksum;
        _buffer = GC.AllocateUninitializedArray<byte>(bufferBytes);
    }

    /// <summary>Bytes written so far, those still in the buffer included.</summary>
    public long LengthBytes => _sent + _used;

    /// <summary>The checksum of all bytes written so far.</summary>
    public ulong Checksum
    {
        get
        {
            SumUp();
            return _crc;
        }
    }

    /// <summary>What is in the buffer; everything, for an output without a stream. Valid until the next write.</summary>
    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(0, _used);

    /// <summary>Writes bytes.</summary>
    /// <exception cref="IOException">The stream refused them; what has been written is lost.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _used)
        {
            if (_stream is not null && bytes.Length >= _buffer.Length)
            {
                WriteThrough(bytes);
                return;
            }

            MakeRoom(bytes.Length);
        }

        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    /// <summary>Writes one byte.</summary>
    /// <inheritdoc cref="Write"/>
    public void WriteByte(byte value)
    {
        if (_used == _buffer.Length)
        {
            MakeRoom(1);
        }

        _buffer[_used++] = value;
    }

    /// <summary>Room for up to so many bytes to be filled in; follow with <see cref="Advance"/>.</summary>
    /// <inheritdoc cref="Write"/>
    public Span<byte> GetSpan(int lengthBytes)
    {
        if (lengthBytes > _buffer.Length - _used)
        {
            MakeRoom(lengthBytes);
        }

        return _buffer.AsSpan(_used, lengthBytes);
    }

    /// <summary>Says how many bytes of the last span have been filled in.</summary>
    public void Advance(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, (uint)(_buffer.Length - _used));
        _used += lengthBytes;
    }

    /// <summary>Hands everything to the stream, which is not flushed itself.</summary>
    /// <inheritdoc cref="Write"/>
    public void Flush()
    {
        if (_stream is null)
        {
            return;
        }

        SumUp();
        _stream.Write(_buffer, 0, _used);
        _sent += _used;
        _used = 0;
        _summed = 0;
    }

    /// <summary>Forgets everything that was gathered, and a buffer that has grown large with it.</summary>
    public void Clear()
    {
        _used = 0;
        _summed = 0;
        _sent = 0;
        _crc = 0;
        if (_buffer.Length > DefaultBufferBytes)
        {
            _buffer = GC.AllocateUninitializedArray<byte>(DefaultBufferBytes);
        }
    }

    private void WriteThrough(ReadOnlySpan<byte> bytes)
    {
        Flush();
        if (_hasChecksum)
        {
            _crc = Crc64.Append(_crc, bytes);
        }

        _stream!.Write(bytes);
        _sent += bytes.Length;
    }

    private void MakeRoom(int lengthBytes)
    {
        Flush();
        if (lengthBytes <= _buffer.Length - _used)
        {
            return;
        }

        long needed = (long)_used + lengthBytes;
        if (needed > Array.MaxLength)
        {
            HeapFailure.ThrowOutOfMemory();
        }

        long doubled = Math.Min(_buffer.Length * 2L, Array.MaxLength);
        byte[] larger = GC.AllocateUninitializedArray<byte>((int)Math.Max(needed, doubled));
        _buffer.AsSpan(0, _used).CopyTo(larger);
        _buffer = larger;
    }

    private void SumUp()
    {
        if (_hasChecksum)
        {
            _crc = Crc64.Append(_crc, _buffer.AsSpan(_summed, _used - _summed));
        }

        _summed = _used;
    }
}
