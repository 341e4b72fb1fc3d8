using System.Globalization;

namespace KvServer.Benchmarks;

/// <summary>Collects rows and prints them as a Markdown table with aligned columns.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row; numbers get as many digits as are worth reading.</summary>
    public void Add(params object[] cells) => _rows.Add([.. cells.Select(Write)]);

    /// <summary>Prints the table under a title.</summary>
    public void Print(string title)
    {
        Console.WriteLine($"\n### {title}\n");
        int[] widths = [.. headings.Select((heading, i) => Math.Max(heading.Length, _rows.Select(r => r[i].Length).DefaultIfEmpty().Max()))];
        Print(headings, widths);
        Console.WriteLine("|" + string.Join('|', widths.Select((width, i) => new string('-', width + 1) + (i == 0 ? "-" : ":"))) + "|");
        _rows.ForEach(row => Print(row, widths));
        Console.WriteLine();
    }

    private static void Print(string[] cells, int[] widths) =>
        Console.WriteLine("| " + string.Join(" | ", cells.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))) + " |");

    private static string Write(object cell) => cell switch
    {
        double.NaN => "",
        double d when Math.Abs(d) >= 1000 => d.ToString("#,0", CultureInfo.InvariantCulture),
        double d when Math.Abs(d) >= 100 => d.ToString("0", CultureInfo.InvariantCulture),
        double d => d.ToString("0.00", CultureInfo.InvariantCulture),
        IFormattable f and (int or long) => f.ToString("#,0", CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };
}
