namespace KvServer.Storage;

/// <summary>Estimates how many different elements gave a HyperLogLog its registers.</summary>
/// <remarks>
/// Otmar Ertl's improved raw estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017). It needs
/// no tables and no switch between formulas for small and large counts; only how many registers have each value counts:
/// <code>
/// estimate = m^2 / (2 ln 2) / (m sigma(C[0] / m) + sum of C[k] / 2^k + m tau(1 - C[q+1] / m) / 2^q)
/// </code>
/// <para>m is the number of registers, q the bits of a hash that make a rank. The order of the operations is part of the
/// result, since counts have to equal the reference server's to the last digit.</para>
/// </remarks>
internal static class HyperLogLogEstimator
{
    /// <summary>Values a register can have.</summary>
    public const int HistogramLength = 1 << HyperLogLogDense.RegisterBits;

    private const double Registers = HyperLogLog.RegisterCount;
    private const int LastRank = HyperLogLog.MaxRank;

    /// <summary>1 / (2 ln 2).</summary>
    private const double Alpha = 0.721347520444481703680;

    /// <summary>Above this no 64-bit integer holds the estimate.</summary>
    private const double TooMany = 9223372036854775808.0;

    /// <summary>Estimates the count.</summary>
    /// <param name="histogram">For each value a register can have, how many have it.</param>
    /// <returns>The count; <see cref="long.MinValue"/>, as the reference server says on x86-64, where registers that no
    /// elements can have made give a count beyond 64 bits.</returns>
    public static long Estimate(ReadOnlySpan<int> histogram)
    {
        double sum = Registers * Tau((Registers - histogram[LastRank]) / Registers);
        for (int rank = LastRank - 1; rank >= 1; rank--)
        {
            sum = (sum + histogram[rank]) * 0.5;
        }

        sum += Registers * Sigma(histogram[0] / Registers);
        double estimate = Math.Round(Alpha * Registers * Registers / sum, MidpointRounding.AwayFromZero);
        return estimate < TooMany ? (long)estimate : long.MinValue;
    }

    /// <summary>x + the sum of x^(2^k) 2^(k-1) for k from 1 on: the weight of registers that are still zero.</summary>
    private static double Sigma(double x)
    {
        if (x == 1)
        {
            return double.PositiveInfinity;
        }

        double sum = x;
        double weight = 1;
        double last;
        do
        {
            x *= x;
            last = sum;
            sum += x * weight;
            weight += weight;
        }
        while (sum != last);
        return sum;
    }

    /// <summary>(1 - x - the sum of (1 - x^(2^-k))^2 2^-k for k from 1 on) / 3: the weight of registers that are full.</summary>
    private static double Tau(double x)
    {
        if (x is 0 or 1)
        {
            return 0;
        }

        double sum = 1 - x;
        double weight = 1;
        double last;
        do
        {
            x = Math.Sqrt(x);
            last = sum;
            weight *= 0.5;
            double rest = 1 - x;
            sum -= rest * rest * weight;
        }
        while (sum != last);
        return sum / 3;
    }
}
