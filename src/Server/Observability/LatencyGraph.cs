using System.Globalization;
using System.Text;

namespace KvServer.Server.Observability;

/// <summary>LATENCY GRAPH: the samples of an event as columns of characters, each with its age written downwards.</summary>
internal static class LatencyGraph
{
    private const int Columns = 80;
    private const int Rows = 4;
    private const string Heights = "_o#";
    private const int Steps = Rows * 3;

    /// <summary>Draws the samples of one event.</summary>
    /// <param name="name">Its name, for the heading.</param>
    /// <param name="series">Its samples.</param>
    /// <param name="nowSeconds">Ages are counted back from here; seconds since the Unix epoch.</param>
    public static string Draw(string name, LatencySeries series, long nowSeconds)
    {
        LatencySample[] samples = [.. series.Samples];
        long lowest = samples.Min(sample => sample.Ms);
        long highest = samples.Max(sample => sample.Ms);
        StringBuilder graph = new();
        graph.Append(
            CultureInfo.InvariantCulture,
            $"{name} - high {highest} ms, low {lowest} ms (all time high {series.MaxMs} ms)\n");
        graph.Append('-', Columns).Append('\n');
        for (int first = 0; first < samples.Length; first += Columns)
        {
            if (first > 0)
            {
                graph.Append('\n');
            }

            ReadOnlySpan<LatencySample> part = samples.AsSpan(first, Math.Min(Columns, samples.Length - first));
            DrawColumns(graph, part, lowest, highest);
            DrawAges(graph, part, nowSeconds);
        }

        return graph.ToString();
    }

    private static void DrawColumns(StringBuilder graph, ReadOnlySpan<LatencySample> samples, long lowest, long highest)
    {
        long range = Math.Max(highest - lowest, 1);
        for (int row = Rows - 1; row >= 0; row--)
        {
            foreach (LatencySample sample in samples)
            {
                int step = (int)Math.Min((double)(sample.Ms - lowest) * Steps / range, Steps - 1);
                int height = step - (row * Heights.Length);
                graph.Append(height < 0 ? ' ' : height < Heights.Length ? Heights[height] : '|');
            }

            graph.Append('\n');
        }
    }

    private static void DrawAges(StringBuilder graph, ReadOnlySpan<LatencySample> samples, long nowSeconds)
    {
        string[] ages = new string[samples.Length];
        for (int i = 0; i < ages.Length; i++)
        {
            ages[i] = AgeOf(nowSeconds - samples[i].AtSeconds);
        }

        graph.Append(' ', ages.Length).Append('\n');
        int height = ages.Max(age => age.Length);
        for (int row = 0; row < height; row++)
        {
            foreach (string age in ages)
            {
                graph.Append(row < age.Length ? age[row] : ' ');
            }

            graph.Append('\n');
        }
    }

    private static string AgeOf(long seconds)
    {
        (long count, char unit) = seconds switch
        {
            < 60 => (seconds, 's'),
            < 3600 => (seconds / 60, 'm'),
            < 86400 => (seconds / 3600, 'h'),
            _ => (seconds / 86400, 'd'),
        };
        return count.ToString(CultureInfo.InvariantCulture) + unit;
    }
}
