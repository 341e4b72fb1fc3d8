using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KvServer.Storage;

/// <summary>The registers of a sparse HyperLogLog: runs of equal ones, in order.</summary>
/// <remarks>
/// <code>
/// 00llllll              zeros, l + 1 of them: 1 to 64          shown as z:length
/// 01llllll llllllll     zeros, l + 1 of them: 1 to 16384       shown as Z:length
/// 1vvvvvll              l + 1 registers (1 to 4) of v + 1      shown as v:value,length
/// </code>
/// <para>Sound are runs that hold 16384 registers together, with nothing after them. Spans are the runs alone, without the
/// header.</para>
/// </remarks>
public static class HyperLogLogSparse
{
    /// <summary>The largest rank a run can hold; a larger one makes the sketch dense.</summary>
    public const int MaxRank = 32;

    /// <summary>The longest run of registers that are not zero.</summary>
    internal const int MaxValueRun = 4;

    private const int MaxShortZeros = 64;
    private const byte LongZeros = 0x40;
    private const byte Value = 0x80;

    /// <summary>Whether the runs hold all registers and nothing more. O(runs), at most O(registers).</summary>
    public static bool IsSound(ReadOnlySpan<byte> runs)
    {
        int covered = 0;
        int at = 0;
        while (TryRead(runs, at, covered, out HyperLogLogRun run))
        {
            at += run.Bytes;
            covered += run.Length;
        }

        return IsWhole(runs, at, covered);
    }

    /// <summary>Reads the run at a place.</summary>
    /// <param name="runs">All runs.</param>
    /// <param name="at">Where in them.</param>
    /// <param name="covered">Registers in the runs before.</param>
    /// <param name="run">The run.</param>
    /// <returns><see langword="false"/> at the end, and for a run that is cut or reaches beyond the last register.</returns>
    public static bool TryRead(ReadOnlySpan<byte> runs, int at, int covered, out HyperLogLogRun run)
    {
        run = default;
        if (at >= runs.Length)
        {
            return false;
        }

        byte first = runs[at];
        if ((first & Value) != 0)
        {
            run = new HyperLogLogRun((first & 3) + 1, (byte)(((first >> 2) & 31) + 1), 1);
        }
        else if ((first & LongZeros) == 0)
        {
            run = new HyperLogLogRun(first + 1, 0, 1);
        }
        else if (at + 1 < runs.Length)
        {
            run = new HyperLogLogRun((((first & 63) << 8) | runs[at + 1]) + 1, 0, 2);
        }

        return run.Length != 0 && covered + run.Length <= HyperLogLog.RegisterCount;
    }

    /// <summary>The runs as text, as in <c>Z:8436 v:1,1 z:12</c>. O(runs).</summary>
    public static string Describe(ReadOnlySpan<byte> runs)
    {
        StringBuilder text = new();
        int covered = 0;
        for (int at = 0; TryRead(runs, at, covered, out HyperLogLogRun run); at += run.Bytes)
        {
            text.Append(covered == 0 ? "" : " ");
            covered += run.Length;
            if (run.Rank != 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"v:{run.Rank},{run.Length}");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"{(run.Bytes == 2 ? 'Z' : 'z')}:{run.Length}");
            }
        }

        return text.ToString();
    }

    /// <summary>Counts how many registers have each value.</summary>
    /// <returns><see langword="false"/> if the runs are not sound.</returns>
    internal static bool TryAddTo(Span<int> histogram, ReadOnlySpan<byte> runs)
    {
        int covered = 0;
        int at = 0;
        while (TryRead(runs, at, covered, out HyperLogLogRun run))
        {
            histogram[run.Rank] += run.Length;
            at += run.Bytes;
            covered += run.Length;
        }

        return IsWhole(runs, at, covered);
    }

    /// <summary>Raises registers of a byte each to these.</summary>
    /// <returns><see langword="false"/> if the runs are not sound; some registers may have been raised.</returns>
    internal static bool TryMergeInto(Span<byte> ranks, ReadOnlySpan<byte> runs)
    {
        int covered = 0;
        int at = 0;
        while (TryRead(runs, at, covered, out HyperLogLogRun run))
        {
            if (run.Rank != 0)
            {
                foreach (ref byte rank in ranks.Slice(covered, run.Length))
                {
                    rank = Math.Max(rank, run.Rank);
                }
            }

            at += run.Bytes;
            covered += run.Length;
        }

        return IsWhole(runs, at, covered);
    }

    /// <summary>Whether a byte is a run of registers that are not zero.</summary>
    internal static bool IsValue(byte run) => (run & Value) != 0;

    /// <summary>Writes a run of zeros in its shorter form.</summary>
    /// <returns>Bytes written: 0 for no zeros, 1 or 2.</returns>
    internal static int WriteZeros(Span<byte> target, int length)
    {
        Debug.Assert(length is >= 0 and <= HyperLogLog.RegisterCount, "No run is longer than there are registers.");
        if (length == 0)
        {
            return 0;
        }

        if (length <= MaxShortZeros)
        {
            target[0] = (byte)(length - 1);
            return 1;
        }

        target[0] = (byte)(LongZeros | ((length - 1) >> 8));
        target[1] = (byte)(length - 1);
        return 2;
    }

    /// <summary>Writes a run of registers that are not zero.</summary>
    /// <returns>Bytes written: 0 for no registers, otherwise 1.</returns>
    internal static int WriteValue(Span<byte> target, int rank, int length)
    {
        Debug.Assert(rank is >= 1 and <= MaxRank, "Five bits hold the rank.");
        Debug.Assert(length is >= 0 and <= MaxValueRun, "Two bits hold the length.");
        if (length == 0)
        {
            return 0;
        }

        target[0] = (byte)(Value | ((rank - 1) << 2) | (length - 1));
        return 1;
    }

    private static bool IsWhole(ReadOnlySpan<byte> runs, int at, int covered) =>
        at == runs.Length && covered == HyperLogLog.RegisterCount;
}
