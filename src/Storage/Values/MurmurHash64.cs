using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>MurmurHash2 for 64-bit machines, variant A, by Austin Appleby (public domain).</summary>
/// <remarks>Its values are part of the HyperLogLog format: sketches made here and elsewhere can be merged only because
/// an element has the same hash everywhere. Not for tables, since it does not withstand chosen keys.</remarks>
internal static class MurmurHash64
{
    private const ulong Multiplier = 0xc6a4a7935bd1e995;
    private const int Shift = 47;

    /// <summary>Hashes bytes. O(bytes).</summary>
    public static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong hash = seed ^ unchecked((ulong)bytes.Length * Multiplier);
        ReadOnlySpan<byte> tail = bytes[(bytes.Length & ~7)..];
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            ulong mixed = unchecked((BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word)) * Multiplier);
            mixed ^= mixed >> Shift;
            hash = unchecked((hash ^ unchecked(mixed * Multiplier)) * Multiplier);
        }

        if (!tail.IsEmpty)
        {
            ulong word = 0;
            for (int i = 0; i < tail.Length; i++)
            {
                word |= (ulong)tail[i] << (8 * i);
            }

            hash = unchecked((hash ^ word) * Multiplier);
        }

        hash = unchecked((hash ^ (hash >> Shift)) * Multiplier);
        return hash ^ (hash >> Shift);
    }
}
