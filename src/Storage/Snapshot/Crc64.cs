using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The 64-bit checksum of RDB files and DUMP payloads.</summary>
/// <remarks>
/// The polynomial is Jones' 0xAD93D23594C935A9, bits reflected both ways, starting at 0, nothing inverted at the end:
/// the sum of "123456789" is 0xE9C6D914C4B8D9CA. Eight bytes are taken per step with eight tables (table k holds the
/// sum of a byte that k zero bytes follow), 16 KB in all. Any thread.
/// </remarks>
public static class Crc64
{
    private const ulong ReflectedPolynomial = 0x95AC9329AC4BC9B5;
    private const int Lanes = 8;
    private const int TableLength = 256;

    private static readonly ulong[] Tables = BuildTables();

    /// <summary>Continues a checksum over more bytes.</summary>
    /// <param name="crc">The sum so far; 0 at the start.</param>
    /// <param name="bytes">What comes next.</param>
    /// <remarks>O(bytes).</remarks>
    public static ulong Append(ulong crc, ReadOnlySpan<byte> bytes)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(Tables);
        while (bytes.Length >= Lanes)
        {
            ulong word = crc ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            crc = Unsafe.Add(ref table, (7 * TableLength) + (byte)word)
                ^ Unsafe.Add(ref table, (6 * TableLength) + (byte)(word >> 8))
                ^ Unsafe.Add(ref table, (5 * TableLength) + (byte)(word >> 16))
                ^ Unsafe.Add(ref table, (4 * TableLength) + (byte)(word >> 24))
                ^ Unsafe.Add(ref table, (3 * TableLength) + (byte)(word >> 32))
                ^ Unsafe.Add(ref table, (2 * TableLength) + (byte)(word >> 40))
                ^ Unsafe.Add(ref table, TableLength + (byte)(word >> 48))
                ^ Unsafe.Add(ref table, (byte)(word >> 56));
            bytes = bytes[Lanes..];
        }

        foreach (byte b in bytes)
        {
            crc = Unsafe.Add(ref table, (byte)(crc ^ b)) ^ (crc >> 8);
        }

        return crc;
    }

    private static ulong[] BuildTables()
    {
        var tables = new ulong[Lanes * TableLength];
        for (int i = 0; i < TableLength; i++)
        {
            ulong crc = (ulong)i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * ReflectedPolynomial);
            }

            tables[i] = crc;
        }

        for (int i = TableLength; i < tables.Length; i++)
        {
            ulong previous = tables[i - TableLength];
            tables[i] = tables[(byte)previous] ^ (previous >> 8);
        }

        return tables;
    }
}
