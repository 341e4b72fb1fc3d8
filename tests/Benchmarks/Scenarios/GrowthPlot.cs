using System.Globalization;
using System.Text;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Draws the slowest requests over the number of keys as a small SVG with a logarithmic time axis.</summary>
internal static class GrowthPlot
{
    private const int Width = 720;
    private const int Height = 300;
    private const int Left = 64;
    private const int Bottom = 44;
    private const int Top = 34;
    private const int Right = 16;
    private const int Columns = 200;
    private const double LowestMs = 1;
    private const double HighestMs = 10_000;
    private static readonly string[] Colours = ["#0a7d4f", "#c0392b", "#7d7d7d"];

    /// <summary>Returns the SVG text.</summary>
    public static string Draw(IReadOnlyList<GrowthCurve> curves, long keys)
    {
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"11\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/>\n");
        DrawAxes(svg, keys);
        for (int i = 0; i < curves.Count; i++)
        {
            string colour = Colours[i % Colours.Length];
            int x = Left + (i * 150);
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x}\" cy=\"14\" r=\"4\" fill=\"{colour}\"/><text x=\"{x + 8}\" y=\"18\">{curves[i].Name}</text>\n");

            // One dot for the worst of each stretch of keys; the many lesser ones would hide each other.
            foreach (IGrouping<long, (long Keys, double Ms)> column in curves[i].Slow.GroupBy(point => point.Keys * Columns / keys))
            {
                (long at, double ms) = column.MaxBy(point => point.Ms);
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(at, keys):F1}\" cy=\"{Y(ms):F1}\" r=\"2.5\" fill=\"{colour}\" fill-opacity=\"0.7\"/>\n");
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawAxes(StringBuilder svg, long keys)
    {
        for (double ms = LowestMs; ms <= HighestMs; ms *= 10)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(ms):F1}\" y2=\"{Y(ms):F1}\" stroke=\"#dddddd\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(ms) + 4:F1}\" text-anchor=\"end\">{ms:0} ms</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(5):F1}\" y2=\"{Y(5):F1}\" stroke=\"#999999\" stroke-dasharray=\"4 3\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"{Y(5) - 3:F1}\" text-anchor=\"end\" fill=\"#666666\">5 ms</text>\n");
        for (int i = 0; i <= 4; i++)
        {
            long at = keys * i / 4;
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(at, keys):F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{at / 1e6:0.#}M</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Width + Left) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">keys in the keyspace; each dot is the slowest request of its stretch, from 1 ms</text>\n");
    }

    private static double X(long at, long keys) => Left + ((double)at / keys * (Width - Left - Right));

    private static double Y(double ms)
    {
        double share = Math.Log10(Math.Clamp(ms, LowestMs, HighestMs) / LowestMs) / Math.Log10(HighestMs / LowestMs);
        return Height - Bottom - (share * (Height - Bottom - Top));
    }
}
