namespace KvServer.TestSupport;

/// <summary>Where tests find executables and put their files.</summary>
public static class TestPaths
{
    /// <summary>Names the variable that replaces the server under test by another executable.</summary>
    public const string TestBinaryVariable = "KVSERVER_TEST_BINARY";

    /// <summary>True when the run must not skip anything: <c>CI=true</c> in the environment.</summary>
    public static bool IsContinuousIntegration =>
        Environment.GetEnvironmentVariable("CI") is "true" or "1";

    /// <summary>The server under test: <c>KVSERVER_TEST_BINARY</c>, else the <c>kvserver</c> built next to the test.</summary>
    public static string ServerBinary
    {
        get
        {
            string? chosen = Environment.GetEnvironmentVariable(TestBinaryVariable);
            if (!string.IsNullOrEmpty(chosen))
            {
                return Path.IsPathRooted(chosen) ? chosen : FindOnPath(chosen) ?? Path.GetFullPath(chosen);
            }

            string name = OperatingSystem.IsWindows() ? "kvserver.exe" : "kvserver";
            return Path.Combine(AppContext.BaseDirectory, name);
        }
    }

    /// <summary>True when the server under test is a stand-in (redis-server), used to check the tests themselves.</summary>
    public static bool IsStandIn => IsReference(ServerBinary);

    /// <summary>Tells whether an executable is a reference server, judged by its name.</summary>
    public static bool IsReference(string executable) =>
        Path.GetFileName(executable).StartsWith("redis", StringComparison.Ordinal);

    /// <summary>Returns the full path of an executable on PATH, or null.</summary>
    public static string? FindOnPath(string name)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Creates an empty folder of its own for one test or server.</summary>
    public static string CreateTempFolder(string purpose) =>
        Directory.CreateTempSubdirectory($"kvserver-{purpose}-").FullName;

    /// <summary>Removes a folder made by <see cref="CreateTempFolder"/>; what is still open stays and is no failure.</summary>
    public static void DeleteFolder(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // A process that was just killed may still hold a file; the system's temp cleaner gets it.
        }
        catch (UnauthorizedAccessException)
        {
            // As above, on systems where an open file cannot be removed.
        }
    }

    /// <summary>Returns the folder that holds KvServer.sln, found upwards from the test's folder.</summary>
    public static string RepositoryRoot
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "KvServer.sln")))
                {
                    return folder.FullName;
                }
            }

            throw new InvalidOperationException($"No KvServer.sln above {AppContext.BaseDirectory}.");
        }
    }
}
