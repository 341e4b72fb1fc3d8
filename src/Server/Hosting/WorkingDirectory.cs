namespace KvServer.Server.Hosting;

/// <summary>The directory files without a full path live in.</summary>
internal static class WorkingDirectory
{
    /// <summary>Goes there.</summary>
    /// <returns>Why that is not possible, or <see langword="null"/>.</returns>
    public static string? TryEnter(string path)
    {
        try
        {
            Environment.CurrentDirectory = path;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or System.Security.SecurityException)
        {
            return e switch
            {
                DirectoryNotFoundException => "No such file or directory",
                UnauthorizedAccessException => "Permission denied",
                _ => e.Message,
            };
        }
    }
}
