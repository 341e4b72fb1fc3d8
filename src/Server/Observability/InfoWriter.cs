using System.Globalization;
using System.Text;

namespace KvServer.Server.Observability;

/// <summary>Writes INFO's text: sections, a blank line between them, a field per line.</summary>
internal sealed class InfoWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>Starts a section.</summary>
    public void Section(string title)
    {
        if (_text.Length > 0)
        {
            _text.Append("\r\n");
        }

        _text.Append("# ").Append(title).Append("\r\n");
    }

    public void Field(string name, string value) => _text.Append(name).Append(':').Append(value).Append("\r\n");

    public void Field(string name, long value) => Field(name, value.ToString(CultureInfo.InvariantCulture));

    public void Field(string name, bool value) => Field(name, value ? "1" : "0");

    /// <summary>A number with a fixed count of decimals.</summary>
    public void Field(string name, double value, int decimals = 2) =>
        Field(name, value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    /// <summary>A share of a whole, <c>98.59%</c>.</summary>
    public void Percent(string name, double part, double whole) =>
        Field(name, (whole == 0 ? 0 : part / whole * 100).ToString("F2", CultureInfo.InvariantCulture) + "%");

    /// <summary>A number of bytes for people, as <c>name_human</c> after the field for programs.</summary>
    public void FieldWithHuman(string name, long bytes)
    {
        Field(name, bytes);
        Field(name + "_human", Human(bytes));
    }

    /// <summary>Bytes with the largest unit that fits and two decimals: <c>1.92M</c>.</summary>
    public static string Human(long bytes)
    {
        const string Units = "BKMGTPE";
        if (Math.Abs(bytes) < 1024)
        {
            return bytes.ToString(CultureInfo.InvariantCulture) + "B";
        }

        double value = bytes;
        int unit = 0;
        while (Math.Abs(value) >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString("F2", CultureInfo.InvariantCulture) + Units[unit];
    }

    public override string ToString() => _text.ToString();
}
