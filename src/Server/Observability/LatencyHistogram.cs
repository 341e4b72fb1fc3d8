using System.Numerics;
using System.Runtime.CompilerServices;

namespace KvServer.Server.Observability;

/// <summary>How long the calls of one command took: counts by time, with two significant digits.</summary>
/// <remarks>
/// <para>The form of a high dynamic range histogram from 1 ns to 1 s. Up to 255 every value has a bucket of its own; above,
/// each power of two is cut into 128 buckets of equal width:</para>
/// <code>
///   chunk   0        1          2          3           ...  23
///   ns      0..127   128..255   256..511   512..1023        ..1.07e9
///   width   1        1          2          4                2^22
/// </code>
/// <para>A chunk is 1 KB and made when something falls into it, so a command costs a few KB. Command loop only.</para>
/// </remarks>
internal sealed class LatencyHistogram
{
    /// <summary>Longer times count as this one.</summary>
    public const long MaxNanos = 1_000_000_000;

    private const int ChunkBits = 7;
    private const int ChunkLength = 1 << ChunkBits;
    private const int ChunkCount = 24;
    private const int FirstLevelBits = 10;
    private const int LastLevelBits = 30;

    private readonly long[]?[] _chunks = new long[ChunkCount][];

    /// <summary>Calls counted.</summary>
    public long Count { get; private set; }

    /// <summary>Counts calls that took the same time. O(1).</summary>
    /// <param name="nanos">The time of each of them.</param>
    /// <param name="calls">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Record(long nanos, long calls)
    {
        int index = IndexOf(Math.Clamp(nanos, 1, MaxNanos));
        long[] chunk = _chunks[index >> ChunkBits] ?? AddChunk(index >> ChunkBits);
        chunk[index & (ChunkLength - 1)] += calls;
        Count += calls;
    }

    /// <summary>The time that this share of the calls did not exceed; the shortest for 0.</summary>
    /// <param name="percent">From 0 to 100.</param>
    /// <returns>In nanoseconds: the upper end of the bucket, for 0 its lower end.</returns>
    public long PercentileNanos(double percent)
    {
        long wanted = Math.Max(1, (long)((percent / 100 * Count) + 0.5));
        long seen = 0;
        for (int i = 0; i < ChunkCount * ChunkLength; i++)
        {
            seen += CountAt(i);
            if (seen >= wanted)
            {
                return percent == 0 ? LowestOf(i) : HighestOf(i);
            }
        }

        return 0;
    }

    /// <summary>How many calls took no longer than about 1, 2, 4, 8 ... microseconds; steps that add none are left out.</summary>
    /// <returns>The upper end of each step in microseconds, and the calls up to it.</returns>
    public IReadOnlyList<(long Micros, long Calls)> Distribution()
    {
        List<(long Micros, long Calls)> steps = [];
        long calls = 0;
        int next = 0;
        for (int bits = FirstLevelBits; bits <= LastLevelBits; bits++)
        {
            int last = bits < LastLevelBits ? IndexOf(1L << bits) : (ChunkCount * ChunkLength) - 1;
            long before = calls;
            while (next <= last)
            {
                calls += CountAt(next++);
            }

            if (calls > before)
            {
                steps.Add((HighestOf(last) / 1000, calls));
            }
        }

        return steps;
    }

    private static int IndexOf(long nanos)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)nanos) - ChunkBits);
        return (shift << ChunkBits) + (int)(nanos >> shift);
    }

    private static int ShiftOf(int index) => Math.Max(0, (index >> ChunkBits) - 1);

    private static long LowestOf(int index) => (long)(index - (ShiftOf(index) << ChunkBits)) << ShiftOf(index);

    private static long HighestOf(int index) => LowestOf(index) + (1L << ShiftOf(index)) - 1;

    private long CountAt(int index) => _chunks[index >> ChunkBits]?[index & (ChunkLength - 1)] ?? 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long[] AddChunk(int index) => _chunks[index] = new long[ChunkLength];
}
