using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace KvServer.Server.Persistence.Aof;

/// <summary>What <c>--check-aof</c> is asked to do.</summary>
/// <param name="Path">A file, a manifest, or the folder of one.</param>
/// <param name="Fixes">Whether to cut a damaged end off, after a question.</param>
/// <param name="LastTimestamp">Requests after this time, in seconds since 1970, are cut off;
/// <see cref="long.MaxValue"/> keeps all.</param>
internal sealed record AofCheckOptions(string Path, bool Fixes = false, long LastTimestamp = long.MaxValue)
{
    /// <summary>The option that asks for a check.</summary>
    public const string Option = "--check-aof";

    private const string Usage =
        $"Usage: kvserver {Option} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof|folder>";

    /// <summary>Whether a time was given.</summary>
    public bool CutsAtTimestamp => LastTimestamp != long.MaxValue;

    /// <summary>Whether a file may be written to.</summary>
    public bool MayCut => Fixes || CutsAtTimestamp;

    /// <summary>Reads the words of the command line behind <see cref="Option"/>.</summary>
    public static bool TryParse(
        ReadOnlySpan<string> words, [NotNullWhen(true)] out AofCheckOptions? options, out string error)
    {
        error = "";
        options = null;
        switch (words)
        {
            case [var path]:
                options = new AofCheckOptions(path);
                return true;
            case ["--fix", var path]:
                options = new AofCheckOptions(path, Fixes: true);
                return true;
            case ["--truncate-to-timestamp", var text, var path]:
                if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long timestamp))
                {
                    error = "Invalid timestamp, aborting...";
                    return false;
                }

                options = new AofCheckOptions(path, LastTimestamp: timestamp == 0 ? long.MaxValue : timestamp);
                return true;
            default:
                error = Usage;
                return false;
        }
    }
}
