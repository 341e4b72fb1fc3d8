using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Observability;

public sealed class LatencyGraphTests
{
    private const long NowSeconds = 1_900_000_000;

    [Fact]
    public void Columns_stand_for_samples_with_their_age_below()
    {
        LatencySeries series = new();
        (long Ago, long Ms)[] samples = [(200_000, 500), (7200, 100), (180, 200), (15, 300), (3, 450)];
        foreach ((long ago, long ms) in samples)
        {
            series.Add(NowSeconds - ago, ms);
        }

        Assert.Equal(
            "command - high 500 ms, low 100 ms (all time high 500 ms)\n" + new string('-', 80) + "\n"
            + "#   o\n"
            + "|  _|\n"
            + "| _||\n"
            + "|_|||\n"
            + "     \n"
            + "22313\n"
            + "dhm5s\n"
            + "   s \n",
            LatencyGraph.Draw("command", series, NowSeconds));
    }

    [Fact]
    public void One_sample_is_the_lowest()
    {
        LatencySeries series = new();
        series.Add(NowSeconds, 12);
        Assert.EndsWith("-\n \n \n \n_\n \n0\ns\n", LatencyGraph.Draw("command", series, NowSeconds), StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_eighty_samples_go_on_below()
    {
        LatencySeries series = new();
        for (int i = 0; i < 100; i++)
        {
            series.Add(NowSeconds - 100 + i, i + 1);
        }

        string[] lines = LatencyGraph.Draw("x", series, NowSeconds).Split('\n');
        Assert.Equal(80, lines[2].Length);
        Assert.Equal("", lines[10]);
        Assert.Equal(20, lines[11].Length);
        Assert.Equal('#', lines[11][^1]);
    }
}
