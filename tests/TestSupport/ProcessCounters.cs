using System.Globalization;

namespace KvServer.TestSupport;

/// <summary>Reads what the kernel counts for a process: processor time and resident memory (Linux).</summary>
public static class ProcessCounters
{
    /// <summary>Clock ticks per second of <c>/proc/PID/stat</c>; 100 on every Linux .NET runs on.</summary>
    private const long TicksPerSecond = 100;

    /// <summary>Returns user and system processor time of a process and all its threads.</summary>
    /// <remarks>Resolution is 10 ms. Throws when the process is gone.</remarks>
    public static (TimeSpan User, TimeSpan System) CpuTime(int processId)
    {
        string[] fields = StatFields($"/proc/{processId}/stat");
        return (FromTicks(fields[11]), FromTicks(fields[12]));
    }

    /// <summary>Returns the processor time of child processes that have ended and been waited for.</summary>
    /// <remarks>Resolution is 10 ms. Throws when the process is gone.</remarks>
    public static TimeSpan EndedChildrenCpuTime(int processId)
    {
        string[] fields = StatFields($"/proc/{processId}/stat");
        return FromTicks(fields[13]) + FromTicks(fields[14]);
    }

    /// <summary>Returns the processor time of the first thread and of those whose name starts with a text.</summary>
    /// <remarks>Resolution is 10 ms per thread. The kernel keeps 15 characters of a name.</remarks>
    public static TimeSpan ThreadCpuTime(int processId, string namePrefix)
    {
        TimeSpan sum = TimeSpan.Zero;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{processId}/task"))
        {
            try
            {
                if (Path.GetFileName(thread) == processId.ToString(CultureInfo.InvariantCulture)
                    || File.ReadAllText($"{thread}/comm").StartsWith(namePrefix, StringComparison.Ordinal))
                {
                    string[] fields = StatFields($"{thread}/stat");
                    sum += FromTicks(fields[11]) + FromTicks(fields[12]);
                }
            }
            catch (IOException)
            {
                // A thread that ended between the listing and the reading.
            }
        }

        return sum;
    }

    /// <summary>Returns user plus system processor time of a process.</summary>
    public static TimeSpan TotalCpuTime(int processId)
    {
        (TimeSpan user, TimeSpan system) = CpuTime(processId);
        return user + system;
    }

    /// <summary>Returns the resident memory of a process in bytes.</summary>
    public static long ResidentBytes(int processId) => Kilobytes($"/proc/{processId}/status", "VmRSS:") * 1024;

    /// <summary>Returns the resident memory of a process and its children in bytes, no page counted twice.</summary>
    /// <remarks>
    /// The sum of their proportional set sizes: a page that a fork shares counts in parts, one that was copied counts
    /// twice. The kernel walks all page tables for this, some 10 ms per GB. A child that ends meanwhile counts as nothing.
    /// </remarks>
    public static long FamilyBytes(int processId)
    {
        string children = File.ReadAllText($"/proc/{processId}/task/{processId}/children");
        long sum = 0;
        foreach (string id in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                sum += ProportionalBytes(id);
            }
            catch (IOException)
            {
                // It has ended.
            }
            catch (InvalidOperationException)
            {
                // It has ended and its parent has not noticed: there are no pages any more.
            }
        }

        return sum + ProportionalBytes(processId.ToString(CultureInfo.InvariantCulture));
    }

    private static long ProportionalBytes(string processId) => Kilobytes($"/proc/{processId}/smaps_rollup", "Pss:") * 1024;

    private static long Kilobytes(string file, string name)
    {
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                string kilobytes = line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
                return long.Parse(kilobytes, CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidOperationException($"{file} has no {name} line.");
    }

    private static string[] StatFields(string file)
    {
        // The second field is the name in parentheses and may hold spaces and parentheses itself.
        string stat = File.ReadAllText(file);
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static TimeSpan FromTicks(string ticks) =>
        TimeSpan.FromSeconds((double)long.Parse(ticks, CultureInfo.InvariantCulture) / TicksPerSecond);
}
