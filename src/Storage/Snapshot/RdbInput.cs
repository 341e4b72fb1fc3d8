using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The bytes of a file or payload, read one after the other, with offset and running checksum.</summary>
/// <remarks>
/// Two sources: a stream through a buffer of its own, or a payload in memory that is read where it lies. Spans it
/// returns are valid until the next read. No length that is read costs memory before the bytes behind it are known to
/// exist: a stream of known length answers that at once, another one by delivering them. Every fault is an
/// <see cref="RdbFormatException"/>. One thread at a time.
/// </remarks>
internal sealed unsafe class RdbInput
{
    private const int BufferBytes = 256 * 1024;

    // From a stream of unknown length, long strings grow by doubling from here on as their bytes arrive.
    private const int FirstScratchBytes = 1024 * 1024;

    private readonly Stream? _stream;
    private readonly byte* _start;
    private readonly int _capacity;
    private readonly long _lengthBytes;
    private readonly byte[]? _buffer;
    private byte[] _scratch = [];
    private byte[] _restored = [];
    private int _position;
    private int _end;
    private int _summed;
    private long _bufferOffset;
    private ulong _crc;

    /// <summary>Reads a stream.</summary>
    /// <param name="stream">The bytes; stays the caller's.</param>
    /// <param name="lengthBytes">How many there are, or -1 when nobody knows.</param>
    public RdbInput(Stream stream, long lengthBytes)
    {
        _stream = stream;
        _lengthBytes = lengthBytes;
        _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        _start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_buffer));
        _capacity = BufferBytes;
    }

    /// <summary>Reads bytes in memory, which must stay where they are while this object is used.</summary>
    public RdbInput(byte* bytes, int lengthBytes)
    {
        _start = bytes;
        _end = lengthBytes;
        _capacity = lengthBytes;
        _lengthBytes = lengthBytes;
    }

    /// <summary>Bytes read so far.</summary>
    public long Offset => _bufferOffset + _position;

    /// <summary>Bytes that can still come; very many when nobody knows.</summary>
    public long Remaining => _lengthBytes < 0 ? long.MaxValue : Math.Max(_lengthBytes - Offset, 0);

    /// <summary>Bytes that are sure to come: what announced numbers may cost memory for.</summary>
    public long SureBytes => _lengthBytes < 0 ? _end - _position : Remaining;

    /// <summary>Whether <see cref="Remaining"/> is more than a guess.</summary>
    public bool HasKnownLength => _lengthBytes >= 0;

    /// <summary>The checksum of everything read so far.</summary>
    public ulong Checksum
    {
        get
        {
            SumUp();
            return _crc;
        }
    }

    /// <summary>Throws; the fault is where reading stands.</summary>
    [DoesNotReturn]
    public void Fail(string reason) => throw new RdbFormatException(Offset, reason);

    /// <summary>Reads a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte ReadByte()
    {
        if (_position == _end)
        {
            Fill(1);
        }

        return _start[_position++];
    }

    /// <summary>Reads so many bytes, at most as the buffer holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Take(int lengthBytes)
    {
        if (lengthBytes > _end - _position)
        {
            Fill(lengthBytes);
        }

        var span = new Span<byte>(_start + _position, lengthBytes);
        _position += lengthBytes;
        return span;
    }

    /// <summary>Reads 8 bytes as a number.</summary>
    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    /// <summary>Reads bytes into a place of the caller's.</summary>
    public void ReadExactly(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            if (_position == _end)
            {
                Fill(1);
            }

            int count = Math.Min(target.Length, _end - _position);
            new ReadOnlySpan<byte>(_start + _position, count).CopyTo(target);
            _position += count;
            target = target[count..];
        }
    }

    /// <summary>Passes bytes by.</summary>
    public void Skip(long lengthBytes)
    {
        CheckRemaining(lengthBytes);
        while (lengthBytes > 0)
        {
            if (_position == _end)
            {
                Fill(1);
            }

            var count = (int)Math.Min(lengthBytes, _end - _position);
            _position += count;
            lengthBytes -= count;
        }
    }

    /// <summary>Reads a length.</summary>
    public long ReadLength()
    {
        long length = ReadLengthOrEncoding(out bool isEncoded);
        if (isEncoded)
        {
            Fail("A length is expected, a specially encoded string found");
        }

        return length;
    }

    /// <summary>Reads a number that uses the form of lengths but may be any of 64 bits (ids, numbers of modules).</summary>
    public ulong ReadUnsigned()
    {
        byte first = ReadByte();
        return (first >> 6) switch
        {
            RdbFormat.Length6 => (ulong)(first & 0x3F),
            RdbFormat.Length14 => ((ulong)(first & 0x3F) << 8) | ReadByte(),
            _ => ReadLongNumber(first),
        };
    }

    /// <summary>Reads a number of elements that follow, each of which takes at least one byte.</summary>
    public long ReadCount()
    {
        long count = ReadLength();
        if (count > Remaining)
        {
            Fail($"{count} elements are announced, but only {Remaining} bytes are left");
        }

        return count;
    }

    /// <summary>Begins a string.</summary>
    /// <returns>How it is stored; <see cref="ReadString(RdbStringHead)"/> or another method reads on.</returns>
    public RdbStringHead ReadStringHead()
    {
        long length = ReadLengthOrEncoding(out bool isEncoded);
        if (!isEncoded)
        {
            CheckStringLength(length);
            return new RdbStringHead(RdbStringForm.Plain, (int)length, (int)length, 0);
        }

        switch ((byte)length)
        {
            case RdbFormat.EncodedInt8:
                return RdbStringHead.OfInteger((sbyte)ReadByte());
            case RdbFormat.EncodedInt16:
                return RdbStringHead.OfInteger(BinaryPrimitives.ReadInt16LittleEndian(Take(sizeof(short))));
            case RdbFormat.EncodedInt32:
                return RdbStringHead.OfInteger(BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int))));
            case RdbFormat.EncodedLzf:
                long compressed = ReadLength();
                long restored = ReadLength();
                CheckStringLength(compressed);
                if (restored > Array.MaxLength || compressed == 0 || restored == 0)
                {
                    Fail("A compressed string has an impossible length");
                }

                return new RdbStringHead(RdbStringForm.Compressed, (int)compressed, (int)restored, 0);
            default:
                Fail("A string has an unknown encoding");
                return default;
        }
    }

    /// <summary>Reads a string, whatever its form; an integer comes as text.</summary>
    public Span<byte> ReadString() => ReadString(ReadStringHead());

    /// <summary>Reads what belongs to a head.</summary>
    public Span<byte> ReadString(RdbStringHead head)
    {
        switch (head.Form)
        {
            case RdbStringForm.Integer:
                Reserve(ref _restored, IntegerText.MaxLength);
                return _restored.AsSpan(0, IntegerText.Format(head.Integer, _restored));
            case RdbStringForm.Plain:
                return ReadPlain(head.StoredBytes);
            default:
                ReadOnlySpan<byte> compressed = ReadCompressed(head);
                Reserve(ref _restored, head.LengthBytes);
                Span<byte> text = _restored.AsSpan(0, head.LengthBytes);
                Decompress(compressed, text);
                return text;
        }
    }

    /// <summary>Reads the bytes of a compressed string and checks that they stand for as many as they should.</summary>
    public ReadOnlySpan<byte> ReadCompressed(RdbStringHead head)
    {
        ReadOnlySpan<byte> compressed = ReadPlain(head.StoredBytes);
        if (Lzf.MeasureLength(compressed) != head.LengthBytes)
        {
            Fail("A compressed string does not have the length it announces");
        }

        return compressed;
    }

    /// <summary>Restores a compressed string.</summary>
    public void Decompress(ReadOnlySpan<byte> compressed, Span<byte> target)
    {
        if (!Lzf.TryDecompress(compressed, target))
        {
            Fail("A compressed string is damaged");
        }
    }

    /// <summary>Passes a string by. A compressed one is not restored.</summary>
    public void SkipString()
    {
        RdbStringHead head = ReadStringHead();
        Skip(head.StoredBytes);
    }

    private Span<byte> ReadPlain(int lengthBytes)
    {
        if (lengthBytes <= _capacity)
        {
            return Take(lengthBytes);
        }

        if (_lengthBytes >= 0)
        {
            Reserve(ref _scratch, lengthBytes);
            ReadExactly(_scratch.AsSpan(0, lengthBytes));
            return _scratch.AsSpan(0, lengthBytes);
        }

        int read = 0;
        while (read < lengthBytes)
        {
            int room = Math.Min(lengthBytes, Math.Max(FirstScratchBytes, read * 2));
            if (room > _scratch.Length)
            {
                Array.Resize(ref _scratch, room);
            }

            int upTo = Math.Min(lengthBytes, _scratch.Length);
            ReadExactly(_scratch.AsSpan(read, upTo - read));
            read = upTo;
        }

        return _scratch.AsSpan(0, lengthBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long ReadLengthOrEncoding(out bool isEncoded)
    {
        byte first = ReadByte();
        isEncoded = false;
        switch (first >> 6)
        {
            case RdbFormat.Length6:
                return first & 0x3F;
            case RdbFormat.Length14:
                return ((first & 0x3F) << 8) | ReadByte();
            case RdbFormat.Encoded:
                isEncoded = true;
                return first;
            default:
                ulong length = ReadLongNumber(first);
                if (length > long.MaxValue)
                {
                    Fail("A length is beyond all bounds");
                }

                return (long)length;
        }
    }

    private ulong ReadLongNumber(byte first)
    {
        switch (first)
        {
            case RdbFormat.Length32:
                return BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));
            case RdbFormat.Length64:
                return BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));
            default:
                Fail($"A length begins with the unknown byte {first}");
                return 0;
        }
    }

    private void CheckStringLength(long lengthBytes)
    {
        CheckRemaining(lengthBytes);
        if (lengthBytes > Array.MaxLength)
        {
            Fail($"A string of {lengthBytes} bytes is longer than any string can be");
        }
    }

    private void CheckRemaining(long lengthBytes)
    {
        if (lengthBytes > Remaining)
        {
            throw new RdbFormatException(
                Offset, $"{lengthBytes} bytes are announced, but only {Remaining} are left", isCutShort: true);
        }
    }

    private static void Reserve(ref byte[] array, int lengthBytes)
    {
        if (array.Length < lengthBytes)
        {
            // Short ones in powers of two, so that strings that grow little by little do not each take a new array.
            array = GC.AllocateUninitializedArray<byte>(
                lengthBytes < FirstScratchBytes
                    ? (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(lengthBytes, IntegerText.MaxLength))
                    : lengthBytes);
        }
    }

    // Makes sure that so many bytes can be read from the buffer.
    private void Fill(int lengthBytes)
    {
        if (_stream is null)
        {
            throw CutShort();
        }

        SumUp();
        int unread = _end - _position;
        Buffer.MemoryCopy(_start + _position, _start, _capacity, unread);
        _bufferOffset += _position;
        _position = 0;
        _summed = 0;
        _end = unread;
        while (_end < lengthBytes)
        {
            int read = _stream.Read(_buffer!, _end, _capacity - _end);
            if (read == 0)
            {
                throw CutShort();
            }

            _end += read;
        }
    }

    private RdbFormatException CutShort() =>
        new(_bufferOffset + _end, "The data ends too early", isCutShort: true);

    private void SumUp()
    {
        _crc = Crc64.Append(_crc, new ReadOnlySpan<byte>(_start + _summed, _position - _summed));
        _summed = _position;
    }
}
