using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Observability;

public sealed class LatencySeriesTests
{
    [Fact]
    public void Of_one_second_the_longest_time_stays()
    {
        LatencySeries series = new();
        series.Add(1, 5);
        series.Add(2, 10);
        series.Add(2, 30);
        series.Add(2, 20);
        Assert.Equal([new LatencySample(1, 5), new LatencySample(2, 30)], series.Samples);
        Assert.Equal(new LatencySample(2, 30), series.Latest);
    }

    [Fact]
    public void The_oldest_samples_go_but_not_the_longest_time_ever()
    {
        LatencySeries series = new();
        series.Add(1, 1000);
        for (int i = 0; i < 200; i++)
        {
            series.Add(2 + i, 10);
        }

        Assert.Equal(160, series.Samples.Count);
        Assert.Equal(42, series.Samples.First().AtSeconds);
        Assert.Equal(1000, series.MaxMs);
    }
}
