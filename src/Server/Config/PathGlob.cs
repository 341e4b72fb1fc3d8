using System.Text;
using KvServer.Server.Text;

namespace KvServer.Server.Config;

/// <summary>Expands the wildcards of an <c>include</c> path.</summary>
internal static class PathGlob
{
    /// <summary>The files a path stands for, sorted; without wildcards the path itself, existing or not.</summary>
    /// <param name="pattern">A path, in which <c>* ? [</c> match within one part and never a leading dot.</param>
    /// <param name="directory">Where relative paths start.</param>
    public static IReadOnlyList<string> Expand(string pattern, string directory)
    {
        string full = Path.Combine(directory, pattern);
        if (full.AsSpan().IndexOfAny("*?[") < 0)
        {
            return [full];
        }

        string root = Path.GetPathRoot(full) ?? "";
        List<string> found = [root];
        foreach (string part in full[root.Length..].Split(
            [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries))
        {
            found = part.AsSpan().IndexOfAny("*?[") < 0
                ? [.. found.Select(f => Path.Combine(f, part)).Where(Path.Exists)]
                : [.. found.SelectMany(f => Matches(f, part))];
        }

        return found;
    }

    private static IEnumerable<string> Matches(string directory, string pattern)
    {
        if (!Directory.Exists(directory))
        {
            return [];
        }

        byte[] wanted = Encoding.UTF8.GetBytes(pattern);
        return Directory.EnumerateFileSystemEntries(directory)
            .Where(path => IsMatch(wanted, Path.GetFileName(path)))
            .Order(StringComparer.Ordinal);
    }

    private static bool IsMatch(byte[] pattern, string name) =>
        (name[0] != '.' || pattern[0] == '.') && Glob.IsMatch(pattern, Encoding.UTF8.GetBytes(name));
}
