namespace KvServer.Server.Persistence;

/// <summary>What the system said when a file could not be read or written.</summary>
internal static class DiskError
{
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
