using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <content>How an element is written: its first byte tells what it is and how long, and its length stands behind it again.</content>
public readonly ref partial struct PackedList
{
    private const byte String32 = 0xF0;
    private const byte Integer16 = 0xF1;
    private const byte Integer24 = 0xF2;
    private const byte Integer32 = 0xF3;
    private const byte Integer64 = 0xF4;

    private static PackedElement Decode(ReadOnlySpan<byte> from)
    {
        byte encoding = from[0];
        return encoding switch
        {
            < 0x80 => PackedElement.OfInteger(encoding),
            < 0xC0 => PackedElement.OfString(from.Slice(1, encoding & 0x3F)),
            < 0xE0 => PackedElement.OfInteger(DecodeInteger(from)),
            < 0xF0 => PackedElement.OfString(from.Slice(2, ((encoding & 0x0F) << 8) | from[1])),
            String32 => PackedElement.OfString(from.Slice(5, BinaryPrimitives.ReadInt32LittleEndian(from[1..]))),
            _ => PackedElement.OfInteger(DecodeInteger(from)),
        };
    }

    private static long DecodeInteger(ReadOnlySpan<byte> from) => from[0] switch
    {
        Integer16 => BinaryPrimitives.ReadInt16LittleEndian(from[1..]),
        Integer24 => (from[1] | (from[2] << 8) | (from[3] << 16)) << 8 >> 8,
        Integer32 => BinaryPrimitives.ReadInt32LittleEndian(from[1..]),
        Integer64 => BinaryPrimitives.ReadInt64LittleEndian(from[1..]),
        < 0x80 and var small => small,
        var high => (((high & 0x1F) << 8) | from[1]) << 19 >> 19,
    };

    /// <summary>Writes an element and returns its bytes, the back length included.</summary>
    internal static int Encode(PackedElement value, Span<byte> to)
    {
        int size = value.IsInteger ? EncodeInteger(value.Integer, to) : EncodeString(value.Bytes, to);
        return size + EncodeBackLength(size, to[size..]);
    }

    private static int EncodeInteger(long value, Span<byte> to)
    {
        int size = IntegerBytes(value);
        switch (size)
        {
            case 1:
                to[0] = (byte)value;
                break;
            case 2:
                to[0] = (byte)(0xC0 | ((value >> 8) & 0x1F));
                to[1] = (byte)value;
                break;
            case 3:
                to[0] = Integer16;
                BinaryPrimitives.WriteInt16LittleEndian(to[1..], (short)value);
                break;
            case 4:
                to[0] = Integer24;
                BinaryPrimitives.WriteInt16LittleEndian(to[1..], (short)value);
                to[3] = (byte)(value >> 16);
                break;
            case 5:
                to[0] = Integer32;
                BinaryPrimitives.WriteInt32LittleEndian(to[1..], (int)value);
                break;
            default:
                to[0] = Integer64;
                BinaryPrimitives.WriteInt64LittleEndian(to[1..], value);
                break;
        }

        return size;
    }

    private static int EncodeString(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        int header = StringHeaderBytes(bytes.Length);
        switch (header)
        {
            case 1:
                to[0] = (byte)(0x80 | bytes.Length);
                break;
            case 2:
                to[0] = (byte)(0xE0 | (bytes.Length >> 8));
                to[1] = (byte)bytes.Length;
                break;
            default:
                to[0] = String32;
                BinaryPrimitives.WriteInt32LittleEndian(to[1..], bytes.Length);
                break;
        }

        bytes.CopyTo(to[header..]);
        return header + bytes.Length;
    }

    private static int EncodeBackLength(int size, Span<byte> to)
    {
        if (size <= 127)
        {
            to[0] = (byte)size;
            return 1;
        }

        int count = BackLengthBytes(size);
        for (int i = count - 1; i >= 0; i--)
        {
            to[i] = (byte)((size & 0x7F) | (i > 0 ? 0x80 : 0));
            size >>= 7;
        }

        return count;
    }

    private static int IntegerBytes(long value) => value switch
    {
        >= 0 and <= 127 => 1,
        >= -4096 and <= 4095 => 2,
        >= short.MinValue and <= short.MaxValue => 3,
        >= -8388608 and <= 8388607 => 4,
        >= int.MinValue and <= int.MaxValue => 5,
        _ => 9,
    };

    private static int StringHeaderBytes(int length) => length < 64 ? 1 : length < 4096 ? 2 : 5;

    /// <summary>Bytes of the back length for an element's size. The limits are those of the format, which leaves the
    /// largest number of each length to the next one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BackLengthBytes(int size) =>
        size <= 127 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : size < 268435455 ? 4 : 5;

    /// <summary>Bytes of an element without its back length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int EncodedBytes(ref byte element)
    {
        byte encoding = element;
        if (encoding < 0x80)
        {
            return 1;
        }

        return encoding < 0xC0 ? 1 + (encoding & 0x3F) : EncodedBytesOfOthers(ref element);
    }

    private static int EncodedBytesOfOthers(ref byte element) => element switch
    {
        < 0xE0 => 2,
        < 0xF0 => 2 + (((element & 0x0F) << 8) | Unsafe.Add(ref element, 1)),
        String32 => 5 + Unsafe.ReadUnaligned<int>(ref Unsafe.Add(ref element, 1)),
        Integer16 => 3,
        Integer24 => 4,
        Integer32 => 5,
        _ => 9,
    };

    /// <summary>Measures an element of a list that nobody has checked yet.</summary>
    /// <param name="rest">The list from this element up to the end mark.</param>
    /// <param name="size">The element's bytes with its back length.</param>
    private static bool TryMeasure(ReadOnlySpan<byte> rest, out int size)
    {
        size = 0;
        byte encoding = rest[0];
        int headerBytes = encoding switch
        {
            < 0xC0 => 1,
            < 0xF0 => 2,
            String32 => 5,
            <= Integer64 => 1,
            _ => 0,
        };
        if (headerBytes == 0 || headerBytes > rest.Length)
        {
            return false;
        }

        if (encoding == String32 && BinaryPrimitives.ReadUInt32LittleEndian(rest[1..]) > (uint)(rest.Length - headerBytes))
        {
            return false;
        }

        int encoded = EncodedBytes(ref MemoryMarshal.GetReference(rest));
        int backBytes = BackLengthBytes(encoded);
        if ((long)encoded + backBytes > rest.Length)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[5];
        EncodeBackLength(encoded, expected);
        size = encoded + backBytes;
        return rest.Slice(encoded, backBytes).SequenceEqual(expected[..backBytes]);
    }
}
