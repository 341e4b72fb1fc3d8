using System.Globalization;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Observability;

/// <summary>What the operating system knows about this process.</summary>
/// <remarks>Each property asks anew. Where the system has no such file the nearest figure of the runtime is given.</remarks>
internal static class ProcessFigures
{
    private const int ClockTicksPerSecond = 100;

    /// <summary>Bytes of memory that are really there.</summary>
    public static long ResidentBytes =>
        FieldOf("/proc/self/statm", index: 1) is { } pages ? pages * Environment.SystemPageSize : Environment.WorkingSet;

    /// <summary>Bytes of memory of the machine.</summary>
    public static long SystemMemoryBytes { get; } = MachineMemory.ReadMachine("/");

    /// <summary>The system as <c>uname</c> tells it: name, release, machine.</summary>
    public static string System { get; } = ReadSystem();

    /// <summary>Seconds of processor time of the thread that asks, in the kernel and outside.</summary>
    public static (double Kernel, double User) ThreadCpuSeconds
    {
        get
        {
            // The second field is a name in parentheses that may hold spaces; the times are the 14th and 15th.
            string text = ReadAll("/proc/thread-self/stat");
            string[] fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > 12
                ? (Ticks(fields[12]) / ClockTicksPerSecond, Ticks(fields[11]) / ClockTicksPerSecond)
                : (0, 0);
        }
    }

    private static double Ticks(string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out double ticks) ? ticks : 0;

    private static string ReadSystem()
    {
        string release = ReadAll("/proc/sys/kernel/osrelease").Trim();
        string machine = global::System.Runtime.InteropServices.RuntimeInformation.OSArchitecture switch
        {
            global::System.Runtime.InteropServices.Architecture.X64 => "x86_64",
            global::System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
            var other => other.ToString().ToLowerInvariant(),
        };
        return release.Length > 0 ? $"Linux {release} {machine}" : $"{Environment.OSVersion} {machine}";
    }

    private static long? FieldOf(string file, int index)
    {
        string[] fields = ReadAll(file).Split(' ');
        return fields.Length > index && long.TryParse(fields[index], CultureInfo.InvariantCulture, out long value)
            ? value
            : null;
    }

    private static string ReadAll(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file, Encoding.ASCII) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A container may hide it; the caller has another figure then.
            return "";
        }
    }
}
