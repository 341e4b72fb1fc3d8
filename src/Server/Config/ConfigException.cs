namespace KvServer.Server.Config;

/// <summary>Start-up can't go on with this configuration. The message is complete: print it and exit with 1.</summary>
public sealed class ConfigException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public ConfigException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong, and what it comes from.</summary>
    public ConfigException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>A configuration error without more to say.</summary>
    public ConfigException()
        : base("bad configuration")
    {
    }

    /// <summary>One line with where it stands, the line, and the reason.</summary>
    internal static ConfigException At(ConfigPlace place, string line, string reason) => new(
        $"\n*** FATAL CONFIG FILE ERROR (KvServer {ServerVersion.Text}) ***\n{place}\n>>> '{Shown(line)}'\n{reason}");

    // A line may be megabytes of anything: what goes to the terminal is short and printable.
    private static string Shown(string line)
    {
        const int MaxShown = 300;
        string text = ConfigText.TryDecode(line, out string decoded) ? decoded : line;
        text = string.Concat(text.Take(MaxShown).Select(c => char.IsControl(c) && c != '\t' ? '?' : c));
        return line.Length > MaxShown ? text + "..." : text;
    }
}
