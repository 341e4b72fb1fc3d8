using System.Buffers.Binary;
using System.Numerics;

namespace KvServer.Storage;

/// <summary>A sketch that tells about how many different elements it has seen, as the bytes of a Redis string.</summary>
/// <remarks>
/// <para>An element's hash chooses one of 16384 registers with its low 14 bits; the number of zeros that the other 50
/// begin with, plus one, is its rank, and the register keeps the largest rank it met. How the ranks are distributed gives
/// the count, with a standard error of 0.81 % (<see cref="HyperLogLogEstimator"/>).</para>
/// <code>
/// | "HYLL": 4 | encoding: 1 | unused: 3 | count: 8, little-endian | registers
///                                           highest bit set: the count is not known
/// dense:   12288 bytes, 6 bits per register         <see cref="HyperLogLogDense"/>
/// sparse:  runs of equal registers                  <see cref="HyperLogLogSparse"/>
/// </code>
/// <para>Clients can write whatever they like into a string. <see cref="IsValid"/> looks at the header, which every caller
/// asks for first; the runs of a sparse sketch are checked by whatever reads them, and a fault is a result. No state:
/// any thread that owns the bytes.</para>
/// </remarks>
public static class HyperLogLog
{
    /// <summary>Bytes before the registers.</summary>
    public const int HeaderBytes = 16;

    /// <summary>How many registers there are.</summary>
    public const int RegisterCount = 1 << IndexBits;

    /// <summary>Bytes of every dense sketch.</summary>
    public const int DenseBytes = HeaderBytes + (RegisterCount * HyperLogLogDense.RegisterBits / 8);

    /// <summary>Bytes of an empty sketch.</summary>
    public const int EmptyBytes = HeaderBytes + 2;

    /// <summary>The most bytes a sound sparse sketch can have: two for each register.</summary>
    public const int MaxSparseBytes = HeaderBytes + (RegisterCount * 2);

    /// <summary>The largest rank: all bits of a hash but the index are zero.</summary>
    public const int MaxRank = 64 - IndexBits + 1;

    private const int IndexBits = 14;
    private const ulong Seed = 0xadc83b19;
    private const int EncodingOffset = 4;
    private const int CountOffset = 8;
    private const byte CountUnknown = 0x80;

    private static ReadOnlySpan<byte> Magic => "HYLL"u8;

    /// <summary>Whether a string has the header of a sketch, and the length of one if it is dense.</summary>
    public static bool IsValid(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes && bytes.StartsWith(Magic) && EncodingOf(bytes) switch
        {
            HyperLogLogEncoding.Dense => bytes.Length == DenseBytes,
            HyperLogLogEncoding.Sparse => true,
            _ => false,
        };

    /// <summary>How the registers are kept.</summary>
    public static HyperLogLogEncoding EncodingOf(ReadOnlySpan<byte> bytes) => (HyperLogLogEncoding)bytes[EncodingOffset];

    /// <summary>Makes the first <see cref="EmptyBytes"/> an empty sketch, which is sparse and knows its count.</summary>
    public static void WriteEmpty(Span<byte> bytes)
    {
        bytes = bytes[..EmptyBytes];
        bytes.Clear();
        Magic.CopyTo(bytes);
        bytes[EncodingOffset] = (byte)HyperLogLogEncoding.Sparse;
        HyperLogLogSparse.WriteZeros(bytes[HeaderBytes..], RegisterCount);
    }

    /// <summary>Where an element belongs and what it puts there. O(bytes of the element).</summary>
    /// <param name="element">Any bytes.</param>
    /// <param name="rank">From 1 to <see cref="MaxRank"/>.</param>
    /// <returns>The index of its register.</returns>
    public static int RegisterOf(ReadOnlySpan<byte> element, out byte rank)
    {
        ulong hash = MurmurHash64.Hash(element, Seed);
        ulong rest = (hash >> IndexBits) | (1UL << (64 - IndexBits));
        rank = (byte)(BitOperations.TrailingZeroCount(rest) + 1);
        return (int)(hash & (RegisterCount - 1));
    }

    /// <summary>The count a sketch remembers from when it was last computed.</summary>
    /// <returns><see langword="false"/> when registers have changed since.</returns>
    public static bool TryGetKnownCount(ReadOnlySpan<byte> bytes, out long count)
    {
        count = BinaryPrimitives.ReadInt64LittleEndian(bytes[CountOffset..]);
        return count >= 0;
    }

    /// <summary>Has a sketch remember its count.</summary>
    public static void SetKnownCount(Span<byte> bytes, long count) =>
        BinaryPrimitives.WriteInt64LittleEndian(bytes[CountOffset..], count);

    /// <summary>Notes that registers have changed. The rest of the old count stays, as in the reference server.</summary>
    public static void ForgetCount(Span<byte> bytes) => bytes[HeaderBytes - 1] |= CountUnknown;

    /// <summary>Computes the count from the registers. O(registers).</summary>
    /// <returns><see langword="false"/> if the sketch is corrupt.</returns>
    public static bool TryCount(ReadOnlySpan<byte> bytes, out long count)
    {
        Span<int> histogram = stackalloc int[HyperLogLogEstimator.HistogramLength];
        histogram.Clear();
        ReadOnlySpan<byte> registers = bytes[HeaderBytes..];
        bool isSound = true;
        if (EncodingOf(bytes) == HyperLogLogEncoding.Dense)
        {
            HyperLogLogDense.AddTo(histogram, registers);
        }
        else
        {
            isSound = HyperLogLogSparse.TryAddTo(histogram, registers);
        }

        count = isSound ? HyperLogLogEstimator.Estimate(histogram) : 0;
        return isSound;
    }

    /// <summary>The count of registers of a byte each, as <see cref="TryMergeInto"/> makes them. O(registers).</summary>
    public static long CountOf(ReadOnlySpan<byte> registers)
    {
        Span<int> histogram = stackalloc int[HyperLogLogEstimator.HistogramLength];
        histogram.Clear();
        foreach (byte rank in registers)
        {
            histogram[rank]++;
        }

        return HyperLogLogEstimator.Estimate(histogram);
    }

    /// <summary>Raises registers of a byte each to those of a sketch: the union of what both have seen. O(registers).</summary>
    /// <param name="registers"><see cref="RegisterCount"/> bytes.</param>
    /// <param name="bytes">The sketch.</param>
    /// <returns><see langword="false"/> if the sketch is corrupt; some registers may have been raised.</returns>
    public static bool TryMergeInto(Span<byte> registers, ReadOnlySpan<byte> bytes)
    {
        if (EncodingOf(bytes) == HyperLogLogEncoding.Sparse)
        {
            return HyperLogLogSparse.TryMergeInto(registers, bytes[HeaderBytes..]);
        }

        HyperLogLogDense.MergeInto(registers, bytes[HeaderBytes..]);
        return true;
    }

    /// <summary>Marks a sketch's header as dense; the caller writes the registers.</summary>
    internal static void MarkDense(Span<byte> bytes) => bytes[EncodingOffset] = (byte)HyperLogLogEncoding.Dense;
}
