namespace KvServer.Storage;

/// <summary>One run of equal registers in a sparse HyperLogLog.</summary>
/// <param name="Length">How many registers, at least 1.</param>
/// <param name="Rank">What is in each of them; 0 for runs of zeros.</param>
/// <param name="Bytes">Bytes the run takes: 2 for a long form of zeros, otherwise 1.</param>
public readonly record struct HyperLogLogRun(int Length, byte Rank, int Bytes);
