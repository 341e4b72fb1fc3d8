using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KvServer.TestSupport;

/// <summary>Finds the reference server that our replies are compared with: redis-server 7.0 or later, below 8.</summary>
public static partial class ReferenceServer
{
    private static readonly Lazy<(string? Path, string Reason)> Found = new(Find);

    /// <summary>The executable, or null; <see cref="MissingReason"/> then says why.</summary>
    public static string? Binary => Found.Value.Path;

    /// <summary>Why there is no reference server; empty when there is one.</summary>
    public static string MissingReason => Found.Value.Reason;

    [GeneratedRegex(@"v=(?<major>\d+)\.", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionPattern { get; }

    private static (string? Path, string Reason) Find()
    {
        string? path = TestPaths.FindOnPath("redis-server");
        if (path is null)
        {
            return (null, "redis-server is not on PATH (Debian: apt-get install redis-server)");
        }

        using Process process = Process.Start(new ProcessStartInfo(path, "--version")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        string version = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return VersionPattern.Match(version) is { Success: true } match && match.Groups["major"].Value == "7"
            ? (path, "")
            : (null, $"the reference must be redis-server 7.x, {path} says: {version}");
    }
}
