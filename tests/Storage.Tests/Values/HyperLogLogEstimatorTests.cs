namespace KvServer.Storage.Tests.Values;

public sealed class HyperLogLogEstimatorTests
{
    [Fact]
    public void Nothing_counts_as_nothing_and_impossible_registers_as_the_reference_server_has_it()
    {
        int[] histogram = new int[HyperLogLogEstimator.HistogramLength];
        histogram[0] = HyperLogLog.RegisterCount;
        Assert.Equal(0, HyperLogLogEstimator.Estimate(histogram));
        histogram[0] = 0;
        histogram[63] = HyperLogLog.RegisterCount;
        Assert.Equal(long.MinValue, HyperLogLogEstimator.Estimate(histogram));
        histogram[63] = 0;
        histogram[40] = HyperLogLog.RegisterCount;
        Assert.Equal(12_994_641_697_113_596, HyperLogLogEstimator.Estimate(histogram));
        histogram[40] = 0;
        histogram[1] = HyperLogLog.RegisterCount;
        Assert.Equal(23_637, HyperLogLogEstimator.Estimate(histogram));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Estimates_are_those_of_the_formula_written_out(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 300; round++)
        {
            int[] histogram = new int[HyperLogLogEstimator.HistogramLength];
            int center = random.Next(45);
            for (int i = 0; i < HyperLogLog.RegisterCount; i++)
            {
                histogram[Math.Min(HyperLogLog.MaxRank, center + random.Next(8))]++;
            }

            double expected = WrittenOut(histogram);
            Assert.InRange(HyperLogLogEstimator.Estimate(histogram), (expected * (1 - 1e-9)) - 1, (expected * (1 + 1e-9)) + 1);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(40_000)]
    [InlineData(1_000_000)]
    public void Estimates_lie_within_a_few_standard_errors_of_what_was_added(int elements)
    {
        byte[] registers = new byte[HyperLogLog.RegisterCount];
        for (int i = 0; i < elements; i++)
        {
            int index = HyperLogLog.RegisterOf(BitConverter.GetBytes(i), out byte rank);
            registers[index] = Math.Max(registers[index], rank);
        }

        double most = Math.Ceiling(elements * 4 * 1.04 / Math.Sqrt(HyperLogLog.RegisterCount));
        Assert.InRange(HyperLogLog.CountOf(registers), elements - most, elements + most);
    }

    /// <summary>Ertl's formula, term by term.</summary>
    private static double WrittenOut(int[] histogram)
    {
        const double M = HyperLogLog.RegisterCount;
        const int Q = HyperLogLog.MaxRank - 1;
        double x = histogram[0] / M;
        double sigma = x == 1 ? double.PositiveInfinity : x;
        for (int k = 1; k < 60 && x < 1; k++)
        {
            sigma += Math.Pow(x, Math.Pow(2, k)) * Math.Pow(2, k - 1);
        }

        x = 1 - (histogram[Q + 1] / M);
        double tau = x is 0 or 1 ? 0 : 1 - x;
        for (int k = 1; k < 60 && x is > 0 and < 1; k++)
        {
            tau -= Math.Pow(1 - Math.Pow(x, Math.Pow(2, -k)), 2) * Math.Pow(2, -k);
        }

        double sum = (M * sigma) + (M * tau / 3 * Math.Pow(2, -Q));
        for (int k = 1; k <= Q; k++)
        {
            sum += histogram[k] * Math.Pow(2, -k);
        }

        return M * M / (2 * Math.Log(2)) / sum;
    }
}
