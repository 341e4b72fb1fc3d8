using System.Globalization;
using System.Text;

namespace KvServer.Server.Config;

/// <summary>How much memory this process may have: what the machine has, or less where a control group says so.</summary>
internal static class MachineMemory
{
    /// <summary>Bytes this process may have; asked once.</summary>
    public static long LimitBytes { get; } = Read("/");

    /// <summary>Reads the limit from the files of a system.</summary>
    /// <param name="root">Where its <c>proc</c> and <c>sys</c> are.</param>
    /// <returns>The smallest of all limits that hold; what the runtime knows where there are no such files.</returns>
    /// <remarks>A group is bound by the limits of all groups above it, too.</remarks>
    public static long Read(string root)
    {
        long limit = ReadMachine(root);
        foreach (string line in ReadText(Path.Combine(root, "proc/self/cgroup")).Split('\n'))
        {
            // number:controllers:path; number 0 without controllers is the one hierarchy of version 2.
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3)
            {
                continue;
            }

            if (parts[1].Length == 0)
            {
                limit = Math.Min(limit, Smallest(Path.Combine(root, "sys/fs/cgroup"), parts[2], "memory.max"));
            }
            else if (parts[1].Split(',').Contains("memory"))
            {
                limit = Math.Min(
                    limit, Smallest(Path.Combine(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes"));
            }
        }

        return limit;
    }

    /// <summary>Reads what the machine has, whatever groups allow.</summary>
    /// <inheritdoc cref="Read"/>
    public static long ReadMachine(string root)
    {
        string[] words = ReadText(Path.Combine(root, "proc/meminfo")).Split([' ', '\n'], 3, StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 && long.TryParse(words[1], CultureInfo.InvariantCulture, out long kilobytes)
            ? kilobytes * 1024
            : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }

    // Inside a container the path may be that of the machine, of which only the end, or nothing, is to be seen.
    private static long Smallest(string mount, string path, string file)
    {
        long limit = long.MaxValue;
        string at = path.Trim('/');
        while (true)
        {
            limit = Math.Min(limit, ReadNumber(Path.Combine(mount, at, file)));
            if (at.Length == 0)
            {
                return limit;
            }

            at = Path.GetDirectoryName(at) ?? "";
        }
    }

    // "max", and whatever is no number, is no limit.
    private static long ReadNumber(string file) =>
        long.TryParse(ReadText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) && bytes > 0
            ? bytes
            : long.MaxValue;

    private static string ReadText(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file, Encoding.ASCII) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Hidden from us: then it says nothing.
            return "";
        }
    }
}
