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
        string stat = File.ReadAllText($"/proc/{processId}/stat");

        // The second field is the name in parentheses and may hold spaces and parentheses itself.
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (FromTicks(fields[11]), FromTicks(fields[12]));
    }

    /// <summary>Returns user plus system processor time of a process.</summary>
    public static TimeSpan TotalCpuTime(int processId)
    {
        (TimeSpan user, TimeSpan system) = CpuTime(processId);
        return user + system;
    }

    /// <summary>Returns the resident memory of a process in bytes.</summary>
    public static long ResidentBytes(int processId)
    {
        foreach (string line in File.ReadLines($"/proc/{processId}/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
            {
                string kilobytes = line[6..].Replace("kB", "", StringComparison.Ordinal).Trim();
                return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
            }
        }

        throw new InvalidOperationException($"/proc/{processId}/status has no VmRSS line.");
    }

    private static TimeSpan FromTicks(string ticks) =>
        TimeSpan.FromSeconds((double)long.Parse(ticks, CultureInfo.InvariantCulture) / TicksPerSecond);
}
