using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Observability;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(255, 255, 255)]
    [InlineData(256, 256, 257)]
    [InlineData(1000, 1000, 1003)]
    [InlineData(7000, 6976, 7007)]
    [InlineData(60_000, 59_904, 60_159)]
    [InlineData(10_200_000, 10_158_080, 10_223_615)]
    [InlineData(2_000_000_000, 998_244_352, 1_002_438_655)]
    public void A_time_lies_in_a_bucket_of_two_digits(long nanos, long lowest, long highest)
    {
        LatencyHistogram histogram = new();
        histogram.Record(nanos, 1);
        Assert.Equal(lowest, histogram.PercentileNanos(0));
        Assert.Equal(highest, histogram.PercentileNanos(50));
        Assert.Equal(highest, histogram.PercentileNanos(100));
    }

    [Fact]
    public void Percentiles_count_calls()
    {
        LatencyHistogram histogram = new();
        histogram.Record(7000, 4);
        histogram.Record(9000, 1);
        Assert.Equal(5, histogram.Count);
        Assert.Equal(7007, histogram.PercentileNanos(50));
        Assert.Equal(7007, histogram.PercentileNanos(80));
        Assert.Equal(9023, histogram.PercentileNanos(99));
    }

    [Fact]
    public void The_distribution_adds_up_in_steps_of_two()
    {
        LatencyHistogram histogram = new();
        histogram.Record(500, 1);
        histogram.Record(1000, 2);
        histogram.Record(7000, 4);
        histogram.Record(9000, 1);
        histogram.Record(50_000, 1);
        histogram.Record(10_200_000, 1);
        histogram.Record(2_000_000_000, 1);
        Assert.Equal(
            [(1, 3), (8, 7), (16, 8), (66, 9), (16_908, 10), (1_073_741, 11)],
            histogram.Distribution());
    }

    [Fact]
    public void Every_time_falls_into_the_bucket_that_holds_it()
    {
        for (long nanos = 1; nanos <= LatencyHistogram.MaxNanos; nanos += 1 + (nanos / 50))
        {
            LatencyHistogram histogram = new();
            histogram.Record(nanos, 1);
            Assert.InRange(nanos, histogram.PercentileNanos(0), histogram.PercentileNanos(100));
            Assert.True(histogram.PercentileNanos(100) - histogram.PercentileNanos(0) <= nanos / 100, $"{nanos}");
        }
    }
}
