using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace KvServer.TestSupport.Rdb;

/// <summary>Puts RDB files and payloads together byte by byte, in every form that servers have ever written.</summary>
/// <remarks>Written from the format and independent of the code under test. Checksums are left out (0) or added by the
/// caller, who has the code for them.</remarks>
public sealed class RdbBytes
{
    private readonly MemoryStream _bytes = new();

    /// <summary>What has been put together.</summary>
    public byte[] ToArray() => _bytes.ToArray();

    /// <summary>A file's magic and version.</summary>
    public RdbBytes Header(int version) =>
        Raw(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"REDIS{version:D4}")));

    /// <summary>The end of a file, with a checksum of 0, which means none.</summary>
    public RdbBytes End() => Raw(0xFF).Raw(new byte[8]);

    /// <summary>Bytes as they are.</summary>
    public RdbBytes Raw(params byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>A length in its shortest form.</summary>
    public RdbBytes Length(ulong length)
    {
        Span<byte> bytes = stackalloc byte[9];
        if (length < 64)
        {
            return Raw((byte)length);
        }

        if (length < 16384)
        {
            return Raw((byte)(0x40 | (length >> 8)), (byte)length);
        }

        if (length <= uint.MaxValue)
        {
            bytes[0] = 0x80;
            BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], (uint)length);
            return Raw(bytes[..5].ToArray());
        }

        bytes[0] = 0x81;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], length);
        return Raw(bytes.ToArray());
    }

    /// <summary>A string, uncompressed; one char per byte.</summary>
    public RdbBytes String(string text) => String(Encoding.Latin1.GetBytes(text));

    /// <summary>A string, uncompressed.</summary>
    public RdbBytes String(byte[] bytes) => Length((ulong)bytes.Length).Raw(bytes);

    /// <summary>A number of 8 bytes, little-endian.</summary>
    public RdbBytes Int64(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(bytes.ToArray());
    }

    /// <summary>A score of 8 bytes.</summary>
    public RdbBytes Score(double value) => Int64(BitConverter.DoubleToInt64Bits(value));

    /// <summary>A type byte and a key.</summary>
    public RdbBytes Key(int type, string key) => Raw((byte)type).String(key);

    /// <summary>A ziplist of strings, and of integers where an item is one.</summary>
    public static byte[] ZipList(params object[] items)
    {
        ArgumentNullException.ThrowIfNull(items);
        MemoryStream entries = new();
        int previous = 0;
        int last = 10;
        foreach (object item in items)
        {
            var start = (int)entries.Length;
            last = 10 + start;
            WritePrevious(entries, previous);
            if (item is string text)
            {
                WriteZipString(entries, Encoding.Latin1.GetBytes(text));
            }
            else
            {
                WriteZipInteger(entries, Convert.ToInt64(item, CultureInfo.InvariantCulture));
            }

            previous = (int)entries.Length - start;
        }

        return
        [
            .. UInt32((uint)entries.Length + 11), .. UInt32((uint)last), .. UInt16(items.Length), .. entries.ToArray(), 0xFF,
        ];
    }

    /// <summary>A listpack of strings, and of integers where an item is one.</summary>
    public static byte[] ListPack(params object[] items)
    {
        ArgumentNullException.ThrowIfNull(items);
        MemoryStream entries = new();
        foreach (object item in items)
        {
            byte[] entry = item is string text
                ? PackString(Encoding.Latin1.GetBytes(text))
                : PackInteger(Convert.ToInt64(item, CultureInfo.InvariantCulture));
            entries.Write(entry);
            entries.Write(BackLength(entry.Length));
        }

        return [.. UInt32((uint)entries.Length + 7), .. UInt16(items.Length), .. entries.ToArray(), 0xFF];
    }

    /// <summary>A zipmap; its values have a free byte behind them.</summary>
    public static byte[] ZipMap(params string[] fieldsAndValues)
    {
        ArgumentNullException.ThrowIfNull(fieldsAndValues);
        MemoryStream map = new();
        map.WriteByte((byte)(fieldsAndValues.Length / 2));
        for (int i = 0; i < fieldsAndValues.Length; i++)
        {
            byte[] bytes = Encoding.Latin1.GetBytes(fieldsAndValues[i]);
            map.Write(bytes.Length < 254 ? [(byte)bytes.Length] : [0xFE, .. UInt32((uint)bytes.Length)]);
            bool isValue = (i & 1) == 1;
            map.Write(isValue ? [1, .. bytes, 0] : bytes);
        }

        map.WriteByte(0xFF);
        return map.ToArray();
    }

    /// <summary>An intset of members that are in order already.</summary>
    public static byte[] IntSet(int width, params long[] members)
    {
        ArgumentNullException.ThrowIfNull(members);
        MemoryStream bytes = new();
        bytes.Write(UInt32((uint)width));
        bytes.Write(UInt32((uint)members.Length));
        foreach (long member in members)
        {
            bytes.Write(BitConverter.GetBytes(member).AsSpan(0, width));
        }

        return bytes.ToArray();
    }

    private static byte[] UInt32(uint value) => BitConverter.GetBytes(value);

    private static byte[] UInt16(int value) => BitConverter.GetBytes((ushort)Math.Min(value, ushort.MaxValue));

    private static void WritePrevious(MemoryStream entries, int length) =>
        entries.Write(length < 254 ? [(byte)length] : [0xFE, .. UInt32((uint)length)]);

    private static void WriteZipString(MemoryStream entries, byte[] bytes)
    {
        entries.Write(bytes.Length switch
        {
            < 64 => [(byte)bytes.Length],
            < 16384 => [(byte)(0x40 | (bytes.Length >> 8)), (byte)bytes.Length],
            _ => [0x80, .. UInt32(BinaryPrimitives.ReverseEndianness((uint)bytes.Length))],
        });
        entries.Write(bytes);
    }

    private static void WriteZipInteger(MemoryStream entries, long value)
    {
        byte[] bytes = BitConverter.GetBytes(value);
        entries.Write(value switch
        {
            >= 0 and <= 12 => [(byte)(0xF1 + value)],
            >= sbyte.MinValue and <= sbyte.MaxValue => [0xFE, bytes[0]],
            >= short.MinValue and <= short.MaxValue => [0xC0, .. bytes[..2]],
            >= -(1 << 23) and < 1 << 23 => [0xF0, .. bytes[..3]],
            >= int.MinValue and <= int.MaxValue => [0xD0, .. bytes[..4]],
            _ => [0xE0, .. bytes],
        });
    }

    private static byte[] PackString(byte[] bytes) => bytes.Length switch
    {
        < 64 => [(byte)(0x80 | bytes.Length), .. bytes],
        < 4096 => [(byte)(0xE0 | (bytes.Length >> 8)), (byte)bytes.Length, .. bytes],
        _ => [0xF0, .. UInt32((uint)bytes.Length), .. bytes],
    };

    private static byte[] PackInteger(long value)
    {
        byte[] bytes = BitConverter.GetBytes(value);
        return value switch
        {
            >= 0 and <= 127 => [bytes[0]],
            >= -4096 and <= 4095 => [(byte)(0xC0 | ((value >> 8) & 0x1F)), bytes[0]],
            >= short.MinValue and <= short.MaxValue => [0xF1, .. bytes[..2]],
            >= -(1 << 23) and < 1 << 23 => [0xF2, .. bytes[..3]],
            >= int.MinValue and <= int.MaxValue => [0xF3, .. bytes[..4]],
            _ => [0xF4, .. bytes],
        };
    }

    private static byte[] BackLength(int length)
    {
        // Most significant group first; all but the first have the high bit set.
        List<byte> groups = [];
        for (; length > 127; length >>= 7)
        {
            groups.Insert(0, (byte)((length & 127) | 128));
        }

        groups.Insert(0, (byte)length);
        return [.. groups];
    }
}
