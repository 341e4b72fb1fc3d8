using System.Buffers.Binary;
using System.Globalization;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What PFSELFTEST checks: registers keep what is put into them, and estimates are as good as they should be.</summary>
internal static class HyperLogLogSelfTest
{
    private const int Rounds = 20;
    private const int Elements = 100_000;
    private const long SparseMaxBytes = 3000;

    /// <summary>Sketches of so many registers have this standard error.</summary>
    private static readonly double StandardError = 1.04 / Math.Sqrt(HyperLogLog.RegisterCount);

    /// <summary>Runs all checks.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Run() => CheckRegisters() ?? CheckEstimates();

    private static string? CheckRegisters()
    {
        Random random = new(1);
        byte[] expected = new byte[HyperLogLog.RegisterCount];
        byte[] registers = new byte[HyperLogLog.DenseBytes - HyperLogLog.HeaderBytes];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < expected.Length; i++)
            {
                byte rank = (byte)random.Next(64);
                HyperLogLogDense.Raise(registers, i, rank);
                expected[i] = Math.Max(expected[i], rank);
            }

            for (int i = 0; i < expected.Length; i++)
            {
                byte found = HyperLogLogDense.Get(registers, i);
                if (found != expected[i])
                {
                    return string.Create(
                        CultureInfo.InvariantCulture, $"Register {i} should be {expected[i]} but is {found}");
                }
            }
        }

        return null;
    }

    private static string? CheckEstimates()
    {
        byte[] sparseBuffer = new byte[HyperLogLogEditor.BufferBytes];
        byte[] denseBuffer = new byte[HyperLogLogEditor.BufferBytes];
        HyperLogLog.WriteEmpty(sparseBuffer);
        HyperLogLog.WriteEmpty(denseBuffer);
        HyperLogLogEditor sparse = new(sparseBuffer, HyperLogLog.EmptyBytes, SparseMaxBytes);
        HyperLogLogEditor dense = new(denseBuffer, HyperLogLog.EmptyBytes, SparseMaxBytes);
        dense.MakeDense();
        Span<byte> element = stackalloc byte[sizeof(long)];
        int checkpoint = 1;
        for (int count = 1; count <= Elements; count++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(element, count);
            int index = HyperLogLog.RegisterOf(element, out byte rank);
            if (sparse.Raise(index, rank) != dense.Raise(index, rank))
            {
                return "A sparse and a dense sketch disagree about an element";
            }

            if (count != checkpoint)
            {
                continue;
            }

            checkpoint *= 10;
            if (!HyperLogLog.TryCount(sparse.Bytes, out long ofSparse) || !HyperLogLog.TryCount(dense.Bytes, out long ofDense))
            {
                return "A sketch is corrupt";
            }

            // Six standard errors, so that the check does not depend on luck.
            long most = (long)Math.Ceiling(StandardError * 6 * count);
            if (ofSparse != ofDense || Math.Abs(ofDense - count) > most)
            {
                return string.Create(
                    CultureInfo.InvariantCulture, $"{count} elements count as {ofSparse} (sparse) and {ofDense} (dense)");
            }
        }

        return null;
    }
}
