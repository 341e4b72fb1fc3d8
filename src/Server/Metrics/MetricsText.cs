using System.Globalization;
using System.Text;

namespace KvServer.Server.Metrics;

/// <summary>Gathers samples and writes them in the text format of Prometheus, version 0.0.4.</summary>
/// <remarks>The format wants all samples of a metric in a row, so they are kept by metric until the end, in the order in which
/// metrics came first. One thread.</remarks>
internal sealed class MetricsText
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, StringBuilder> _samples = new(StringComparer.Ordinal);

    /// <summary>Names a metric; nothing happens when that has been done already.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>summary</c>.</param>
    /// <param name="help">One line without backslashes.</param>
    public void Metric(string name, string type, string help)
    {
        if (!_samples.ContainsKey(name))
        {
            _order.Add(name);
            _samples.Add(name, new StringBuilder($"# HELP {name} {help}\n# TYPE {name} {type}\n"));
        }
    }

    /// <summary>Adds a sample to a metric that has been named.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="value">A number in the invariant culture's form.</param>
    /// <param name="suffix">What follows the metric's name in a sample of a summary.</param>
    /// <param name="labels">Names and values; values may hold anything.</param>
    public void Sample(
        string metric, string value, string suffix = "", params ReadOnlySpan<(string Name, string Value)> labels)
    {
        StringBuilder text = _samples[metric].Append(metric).Append(suffix);
        for (int i = 0; i < labels.Length; i++)
        {
            text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            AppendEscaped(text, labels[i].Value);
            text.Append('"');
        }

        text.Append(labels.IsEmpty ? " " : "} ").Append(value).Append('\n');
    }

    /// <summary>The whole text, UTF-8.</summary>
    public byte[] ToBytes()
    {
        StringBuilder all = new();
        foreach (string name in _order)
        {
            all.Append(_samples[name]);
        }

        return Encoding.UTF8.GetBytes(all.ToString());
    }

    /// <summary>A number in the form samples have.</summary>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static void AppendEscaped(StringBuilder text, string value)
    {
        foreach (char c in value)
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append("\\n"),
                _ => text.Append(c),
            };
        }
    }
}
