using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>The registers of a dense HyperLogLog: six bits each, the lowest bits of a byte first.</summary>
/// <remarks>
/// <code>
/// byte 0      byte 1      byte 2
/// |1 1 0 0 0 0 0 0|2 2 2 2 1 1 1 1|3 3 3 3 3 3 2 2|   highest bit of each byte on the left
/// </code>
/// <para>So four registers are 24 bits of a little-endian number. Spans are the registers alone, without the header.
/// </para>
/// </remarks>
public static class HyperLogLogDense
{
    /// <summary>Bits of a register.</summary>
    public const int RegisterBits = 6;

    private const int Mask = (1 << RegisterBits) - 1;
    private const int GroupBytes = 3;
    private const int GroupRegisters = 4;

    /// <summary>Reads a register. O(1).</summary>
    public static byte Get(ReadOnlySpan<byte> registers, int index)
    {
        int bits = ReadGroup(registers.Slice(GroupOf(index), GroupBytes));
        return (byte)((bits >> ShiftOf(index)) & Mask);
    }

    /// <summary>Raises a register to a rank. O(1).</summary>
    /// <returns>Whether it was lower.</returns>
    public static bool Raise(Span<byte> registers, int index, int rank)
    {
        Debug.Assert(rank <= Mask, "A rank fits a register.");
        Span<byte> group = registers.Slice(GroupOf(index), GroupBytes);
        int shift = ShiftOf(index);
        int bits = ReadGroup(group);
        if (((bits >> shift) & Mask) >= rank)
        {
            return false;
        }

        WriteGroup(group, (bits & ~(Mask << shift)) | (rank << shift));
        return true;
    }

    /// <summary>Writes all registers from a byte each.</summary>
    internal static void Pack(ReadOnlySpan<byte> ranks, Span<byte> registers)
    {
        for (int i = 0; i < HyperLogLog.RegisterCount; i += GroupRegisters)
        {
            int bits = ranks[i]
                | (ranks[i + 1] << RegisterBits)
                | (ranks[i + 2] << (2 * RegisterBits))
                | (ranks[i + 3] << (3 * RegisterBits));
            WriteGroup(registers.Slice(GroupOf(i), GroupBytes), bits);
        }
    }

    /// <summary>Counts how many registers have each value.</summary>
    internal static void AddTo(Span<int> histogram, ReadOnlySpan<byte> registers)
    {
        for (; registers.Length >= GroupBytes; registers = registers[GroupBytes..])
        {
            int bits = ReadGroup(registers);
            histogram[bits & Mask]++;
            histogram[(bits >> RegisterBits) & Mask]++;
            histogram[(bits >> (2 * RegisterBits)) & Mask]++;
            histogram[bits >> (3 * RegisterBits)]++;
        }
    }

    /// <summary>Raises registers of a byte each to these.</summary>
    internal static void MergeInto(Span<byte> ranks, ReadOnlySpan<byte> registers)
    {
        for (int i = 0; i < HyperLogLog.RegisterCount; i += GroupRegisters)
        {
            int bits = ReadGroup(registers.Slice(GroupOf(i), GroupBytes));
            for (int j = i; j < i + GroupRegisters; j++)
            {
                ranks[j] = Math.Max(ranks[j], (byte)(bits & Mask));
                bits >>= RegisterBits;
            }
        }
    }

    private static int GroupOf(int index) => index / GroupRegisters * GroupBytes;

    private static int ShiftOf(int index) => index % GroupRegisters * RegisterBits;

    private static int ReadGroup(ReadOnlySpan<byte> group) => group[0] | (group[1] << 8) | (group[2] << 16);

    private static void WriteGroup(Span<byte> group, int bits)
    {
        group[0] = (byte)bits;
        group[1] = (byte)(bits >> 8);
        group[2] = (byte)(bits >> 16);
    }
}
