using System.Numerics;

namespace KvServer.Benchmarks.Load;

/// <summary>Counts durations in buckets 1/32 apart, from a nanosecond up; adding takes no memory and little time.</summary>
internal sealed class Histogram
{
    private const int SubBucketBits = 5;
    private readonly long[] _counts = new long[64 << SubBucketBits];

    /// <summary>How many durations were added.</summary>
    public long Count { get; private set; }

    /// <summary>The longest one in nanoseconds, exact.</summary>
    public long MaxNs { get; private set; }

    /// <summary>Adds one duration.</summary>
    public void Add(long ns)
    {
        _counts[IndexOf(ns)]++;
        Count++;
        MaxNs = Math.Max(MaxNs, ns);
    }

    /// <summary>Adds all of another histogram.</summary>
    public void Add(Histogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        MaxNs = Math.Max(MaxNs, other.MaxNs);
    }

    /// <summary>The duration that this percentage of all do not exceed, at most 3 % too long.</summary>
    public double PercentileMs(double percent)
    {
        long wanted = (long)Math.Ceiling(Count * percent / 100);
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && seen > 0)
            {
                return Math.Min(UpperBound(i), MaxNs) / 1e6;
            }
        }

        return 0;
    }

    private static int IndexOf(long ns)
    {
        ulong value = (ulong)Math.Max(ns, 1);
        int exponent = BitOperations.Log2(value);
        int shift = Math.Max(exponent - SubBucketBits, 0);
        int sub = (int)(value >> shift) & ((1 << SubBucketBits) - 1);
        return (exponent << SubBucketBits) | sub;
    }

    private static long UpperBound(int index)
    {
        int exponent = index >> SubBucketBits;
        int shift = Math.Max(exponent - SubBucketBits, 0);
        long sub = (index & ((1 << SubBucketBits) - 1)) | (exponent >= SubBucketBits ? 1 << SubBucketBits : 0);
        return ((sub + 1) << shift) - 1;
    }
}
