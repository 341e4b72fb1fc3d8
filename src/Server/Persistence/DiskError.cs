namespace KvServer.Server.Persistence;

/// <summary>What the system said when a file could not be read or written.</summary>
internal static class DiskError
{
    /// <summary>Whether an exception is one that reading, writing or naming a file ends with.</summary>
    /// <remarks>A write beyond the largest size of a file is an argument out of range to .NET.</remarks>
    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException;

    /// <summary>The system's own words, without the path that .NET puts behind them.</summary>
    public static string TextOf(Exception e)
    {
        if (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return "No such file or directory";
        }

        int path = e.Message.IndexOf(" : '", StringComparison.Ordinal);
        return path < 0 ? e.Message : e.Message[..path];
    }
}
