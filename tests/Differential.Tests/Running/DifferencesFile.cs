using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>The headings of DIFFERENCES.md, which marks in scripts and tests point to.</summary>
public static class DifferencesFile
{
    /// <summary>Reads the second-level headings.</summary>
    public static HashSet<string> Headings()
    {
        string path = Path.Combine(TestPaths.RepositoryRoot, "DIFFERENCES.md");
        return [.. File.ReadLines(path)
            .Where(line => line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => line[3..].Trim())];
    }
}
