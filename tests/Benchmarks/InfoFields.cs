using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Benchmarks;

/// <summary>The lines of an INFO reply by name.</summary>
internal sealed class InfoFields
{
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    /// <summary>All names.</summary>
    public IEnumerable<string> Names => _fields.Keys;

    /// <summary>Asks for one section, or <c>everything</c>.</summary>
    public static InfoFields Read(RespClient client, string section)
    {
        InfoFields info = new();
        foreach (string line in client.Execute("INFO", section).AsString.Split("\r\n"))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                info._fields[line[..colon]] = line[(colon + 1)..];
            }
        }

        return info;
    }

    /// <summary>A field as text; null when there is none.</summary>
    public string? Text(string name) => _fields.GetValueOrDefault(name);

    /// <summary>A field as an integer; -1 when there is none.</summary>
    public long Integer(string name) =>
        long.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : -1;

    /// <summary>A number inside a field of the form <c>a=1,b=2</c>; -1 when there is none.</summary>
    public long Part(string name, string part)
    {
        string? pair = Text(name)?.Split(',').FirstOrDefault(p => p.StartsWith(part + "=", StringComparison.Ordinal));
        return pair is not null
            && long.TryParse(pair[(part.Length + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : -1;
    }
}
