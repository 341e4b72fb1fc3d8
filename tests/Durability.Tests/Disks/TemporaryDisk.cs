using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Disks;

/// <summary>A small file system in memory that can be full or read-only. Needs Linux and root.</summary>
internal sealed class TemporaryDisk : IDisposable
{
    private readonly string _filler;

    private TemporaryDisk(string folder)
    {
        Folder = folder;
        _filler = Path.Combine(folder, "filler");
    }

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    /// <summary>Mounts an empty one; skips the test where that is not possible.</summary>
    public static TemporaryDisk Mount(int megabytes)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounting a small disk needs Linux and root");
        string folder = TestPaths.CreateTempFolder("disk");
        ToolRun mount = Run(
            "mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m"), "none", folder);
        if (mount.ExitCode != 0)
        {
            TestPaths.DeleteFolder(folder);
            Assert.Skip($"a small disk cannot be mounted here: {mount.All.Trim()}");
        }

        return new TemporaryDisk(folder);
    }

    /// <summary>Takes all the room there is.</summary>
    public void Fill()
    {
        byte[] block = new byte[4096];
        using FileStream file = new(_filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Clear() => File.Delete(_filler);

    /// <summary>Forbids or allows writing, to root too.</summary>
    public void SetReadOnly(bool isReadOnly)
    {
        ToolRun mount = Run("mount", "-o", isReadOnly ? "remount,ro" : "remount,rw", Folder);
        Assert.True(mount.ExitCode == 0, mount.All);
    }

    /// <summary>The names of its files, other than what fills it.</summary>
    public string[] FileNames() => [.. Directory.GetFiles(Folder, "*", SearchOption.AllDirectories)
        .Where(path => path != _filler)
        .Select(path => Path.GetRelativePath(Folder, path))
        .Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        // Lazily, in case a server that was just killed still holds a file.
        if (Run("umount", "-l", Folder).ExitCode == 0)
        {
            TestPaths.DeleteFolder(Folder);
        }
    }

    private static ToolRun Run(string tool, params string[] arguments) =>
        ToolRun.RunAsync(tool, arguments).GetAwaiter().GetResult();
}
