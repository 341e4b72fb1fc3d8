using System.Diagnostics;
using KvServer.Storage;
using KvServer.TestSupport.Rdb;

namespace KvServer.Fuzz;

/// <summary>Damages HyperLogLog strings and does with them all that commands do.</summary>
/// <remarks>The oracle: whatever reads registers agrees whether a sketch is sound, and about its registers; a sound one
/// stays sound while registers are raised, and holds what was put into it; bytes behind it are not touched.</remarks>
public sealed class HyperLogLogFuzz(IEnumerable<byte[]> seeds, int randomSeed)
{
    private const int GuardBytes = 16;
    private const byte Guard = 0xA5;

    private readonly List<byte[]> _seeds = [.. seeds];
    private readonly Random _random = new(randomSeed);

    /// <summary>The seeds stored beside the program.</summary>
    public static IEnumerable<byte[]> StoredSeeds() =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "HyperLogLog"))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    /// <summary>Runs for a while.</summary>
    /// <returns>How many inputs were checked.</returns>
    /// <exception cref="FuzzFailureException">An input was read wrongly; it is in the exception.</exception>
    public long Run(TimeSpan duration)
    {
        _seeds.ForEach(Check);
        var watch = Stopwatch.StartNew();
        long count = _seeds.Count;
        for (; watch.Elapsed < duration; count++)
        {
            Check(RdbDamage.Inflict(_random, _seeds));
        }

        return count;
    }

    /// <summary>Checks one string.</summary>
    public void Check(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        try
        {
            CheckSketch(input);
        }
        catch (Exception e) when (e is not FuzzFailureException)
        {
            throw new FuzzFailureException($"A sketch throws: {e}", input);
        }
    }

    private void CheckSketch(byte[] input)
    {
        if (!HyperLogLog.IsValid(input))
        {
            return;
        }

        byte[] registers = new byte[HyperLogLog.RegisterCount];
        bool isDense = HyperLogLog.EncodingOf(input) == HyperLogLogEncoding.Dense;
        bool isSound = isDense || HyperLogLogSparse.IsSound(input.AsSpan(HyperLogLog.HeaderBytes));
        Expect(input, HyperLogLog.TryMergeInto(registers, input) == isSound, "merging disagrees about soundness");
        Expect(input, HyperLogLog.TryCount(input, out long count) == isSound, "counting disagrees about soundness");
        if (!isDense)
        {
            string text = HyperLogLogSparse.Describe(input.AsSpan(HyperLogLog.HeaderBytes));
            Expect(input, text.Length <= HyperLogLog.RegisterCount * 16, "a description is longer than all registers");
        }

        if (!isSound)
        {
            return;
        }

        Expect(input, count == HyperLogLog.CountOf(registers), "the count is not that of the registers");
        byte[] buffer = new byte[HyperLogLogEditor.BufferBytes + GuardBytes];
        buffer.AsSpan(HyperLogLogEditor.BufferBytes).Fill(Guard);
        input.CopyTo(buffer, 0);
        HyperLogLogEditor editor = new(
            buffer.AsSpan(0, HyperLogLogEditor.BufferBytes), input.Length, _random.Next(3) * _random.Next(20_000));
        for (int i = _random.Next(1, 200); i > 0; i--)
        {
            int index = _random.Next(2) == 0 ? _random.Next(64) : _random.Next(HyperLogLog.RegisterCount);
            byte rank = (byte)_random.Next(1, _random.Next(20) == 0 ? HyperLogLog.MaxRank + 1 : 5);
            Expect(input, editor.Raise(index, rank) == registers[index] < rank, "raising a register says the wrong thing");
            registers[index] = Math.Max(registers[index], rank);
        }

        byte[] found = new byte[HyperLogLog.RegisterCount];
        Expect(input, HyperLogLog.TryMergeInto(found, editor.Bytes), "raising registers made a sketch unsound");
        Expect(input, found.AsSpan().SequenceEqual(registers), "registers are not what was put into them");
        Expect(
            input,
            buffer.AsSpan(HyperLogLogEditor.BufferBytes).IndexOfAnyExcept(Guard) < 0,
            "bytes behind the sketch have changed");
    }

    private static void Expect(byte[] input, bool isTrue, string fault)
    {
        if (!isTrue)
        {
            throw new FuzzFailureException(fault, input);
        }
    }
}
