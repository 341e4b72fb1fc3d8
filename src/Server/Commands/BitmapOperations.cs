using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace KvServer.Server.Commands;

/// <summary>Bit arithmetic on byte strings: counting, searching and combining, many bytes at a time.</summary>
/// <remarks>Bit 0 is the most significant bit of byte 0, as SETBIT numbers them. Pure functions, any thread.</remarks>
internal static class BitmapOperations
{
    /// <summary>Vectors that one step of <see cref="CountOnes(ReadOnlySpan{byte})"/> takes together.</summary>
    private const int CountedTogether = 8;

    /// <summary>Set bits of a string. O(bytes).</summary>
    /// <remarks>
    /// Eight vectors are added up bit column by bit column with carry-save adders (each takes three bits of equal
    /// weight to a sum and a carry), so that only one vector in eight needs its bits really counted.
    /// </remarks>
    public static long CountOnes(ReadOnlySpan<byte> bytes)
    {
        long count = 0;
        ReadOnlySpan<Vector256<ulong>> vectors = MemoryMarshal.Cast<byte, Vector256<ulong>>(bytes);
        int whole = vectors.Length / CountedTogether * CountedTogether;
        if (whole > 0)
        {
            count = CountOnes(vectors[..whole]);
            bytes = bytes[(whole * Vector256<byte>.Count)..];
        }

        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            count += BitOperations.PopCount(word);
        }

        foreach (byte value in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
        {
            count += BitOperations.PopCount(value);
        }

        return count;
    }

    /// <summary>Set bits between two bit positions, both included and inside the string. O(bytes between them).</summary>
    public static long CountOnes(ReadOnlySpan<byte> bytes, long firstBit, long lastBit)
    {
        int firstByte = (int)(firstBit >> 3);
        int lastByte = (int)(lastBit >> 3);
        long count = CountOnes(bytes[firstByte..(lastByte + 1)]);
        int outside = BitOperations.PopCount((uint)(bytes[firstByte] & ~FromBit(firstBit)))
            + BitOperations.PopCount((uint)(bytes[lastByte] & ~UpToBit(lastBit)));
        return count - outside;
    }

    /// <summary>The first bit with a value between two bit positions, both included and inside the string.</summary>
    /// <returns>Its position, or -1. O(bytes up to it).</returns>
    public static long FindBit(ReadOnlySpan<byte> bytes, bool value, long firstBit, long lastBit)
    {
        // A byte that holds nothing but the other value is skipped; flipped, the wanted bit is always a 1.
        byte skipped = value ? (byte)0 : (byte)0xFF;
        int firstByte = (int)(firstBit >> 3);
        int lastByte = (int)(lastBit >> 3);
        int wanted = (bytes[firstByte] ^ skipped) & FromBit(firstBit);
        int index = firstByte;
        if (wanted == 0)
        {
            ReadOnlySpan<byte> rest = bytes[(firstByte + 1)..(lastByte + 1)];
            int found = rest.IndexOfAnyExcept(skipped);
            if (found < 0)
            {
                return -1;
            }

            index = firstByte + 1 + found;
            wanted = bytes[index] ^ skipped;
        }

        long position = ((long)index << 3) + BitOperations.LeadingZeroCount((uint)wanted) - 24;
        return position <= lastBit ? position : -1;
    }

    /// <summary>Combines a source into a target of at least its length, in place. O(target bytes).</summary>
    /// <remarks>Beyond its end the source counts as zeros.</remarks>
    public static void Combine(BitmapOperator op, Span<byte> target, ReadOnlySpan<byte> source)
    {
        Span<byte> common = target[..source.Length];
        switch (op)
        {
            case BitmapOperator.And:
                And(common, source);
                target[source.Length..].Clear();
                break;
            case BitmapOperator.Or:
                Or(common, source);
                break;
            case BitmapOperator.Xor:
                Xor(common, source);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(op), op, "Only the operators of two operands combine.");
        }
    }

    /// <summary>Flips every bit in place. O(bytes).</summary>
    public static void Not(Span<byte> target)
    {
        Span<Vector<byte>> vectors = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        foreach (ref Vector<byte> vector in vectors)
        {
            vector = ~vector;
        }

        foreach (ref byte value in target[(vectors.Length * Vector<byte>.Count)..])
        {
            value = (byte)~value;
        }
    }

    private static void And(Span<byte> target, ReadOnlySpan<byte> source)
    {
        Span<Vector<byte>> left = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        ReadOnlySpan<Vector<byte>> right = MemoryMarshal.Cast<byte, Vector<byte>>(source);
        for (int i = 0; i < left.Length; i++)
        {
            left[i] &= right[i];
        }

        for (int i = left.Length * Vector<byte>.Count; i < target.Length; i++)
        {
            target[i] &= source[i];
        }
    }

    private static void Or(Span<byte> target, ReadOnlySpan<byte> source)
    {
        Span<Vector<byte>> left = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        ReadOnlySpan<Vector<byte>> right = MemoryMarshal.Cast<byte, Vector<byte>>(source);
        for (int i = 0; i < left.Length; i++)
        {
            left[i] |= right[i];
        }

        for (int i = left.Length * Vector<byte>.Count; i < target.Length; i++)
        {
            target[i] |= source[i];
        }
    }

    private static void Xor(Span<byte> target, ReadOnlySpan<byte> source)
    {
        Span<Vector<byte>> left = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        ReadOnlySpan<Vector<byte>> right = MemoryMarshal.Cast<byte, Vector<byte>>(source);
        for (int i = 0; i < left.Length; i++)
        {
            left[i] ^= right[i];
        }

        for (int i = left.Length * Vector<byte>.Count; i < target.Length; i++)
        {
            target[i] ^= source[i];
        }
    }

    private static long CountOnes(ReadOnlySpan<Vector256<ulong>> vectors)
    {
        Vector256<ulong> ones = default;
        Vector256<ulong> twos = default;
        Vector256<ulong> fours = default;
        long eights = 0;
        for (int i = 0; i < vectors.Length; i += CountedTogether)
        {
            ReadOnlySpan<Vector256<ulong>> v = vectors.Slice(i, CountedTogether);
            Vector256<ulong> twosA = Add(ref ones, v[0], v[1]);
            Vector256<ulong> twosB = Add(ref ones, v[2], v[3]);
            Vector256<ulong> foursA = Add(ref twos, twosA, twosB);
            twosA = Add(ref ones, v[4], v[5]);
            twosB = Add(ref ones, v[6], v[7]);
            Vector256<ulong> foursB = Add(ref twos, twosA, twosB);
            eights += PopCount(Add(ref fours, foursA, foursB));
        }

        return (8 * eights) + (4 * PopCount(fours)) + (2 * PopCount(twos)) + PopCount(ones);
    }

    /// <summary>Adds two bits to a sum in every bit column; the carry is the result.</summary>
    private static Vector256<ulong> Add(ref Vector256<ulong> sum, Vector256<ulong> b, Vector256<ulong> c)
    {
        Vector256<ulong> either = sum ^ b;
        Vector256<ulong> carry = (sum & b) | (either & c);
        sum = either ^ c;
        return carry;
    }

    private static long PopCount(Vector256<ulong> vector) =>
        BitOperations.PopCount(vector.GetElement(0))
        + BitOperations.PopCount(vector.GetElement(1))
        + BitOperations.PopCount(vector.GetElement(2))
        + BitOperations.PopCount(vector.GetElement(3));

    /// <summary>The bits of its byte from a position on.</summary>
    private static int FromBit(long position) => 0xFF >> (int)(position & 7);

    /// <summary>The bits of its byte up to a position.</summary>
    private static int UpToBit(long position) => 0xFF << (7 - (int)(position & 7)) & 0xFF;
}
