using System.Globalization;
using System.Runtime.InteropServices;

namespace KvServer.Benchmarks;

/// <summary>Says what the figures were measured on.</summary>
internal static class Machine
{
    private static string FileSystem => new DriveInfo(Path.GetTempPath()).DriveFormat;

    /// <summary>Throws when the servers' folders are in memory, where writing and forcing to disk cost nothing.</summary>
    public static void RequireDisk()
    {
        if (FileSystem is "tmpfs" or "ramfs")
        {
            throw new InvalidOperationException($"{Path.GetTempPath()} is in memory; set TMPDIR to a folder on a disk.");
        }
    }

    /// <summary>Processor, cores, memory, systems and the two servers in a few lines.</summary>
    public static string Describe(BenchmarkOptions options)
    {
        string processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
        long memoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return string.Create(CultureInfo.InvariantCulture, $"""
            Machine: {processor}, {Environment.ProcessorCount} cores, {memoryBytes >> 30} GB
            System:  {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}
            Ours:    {options.OurBinary}
            Beside:  {options.ReferenceBinary}
            Files:   {Path.GetTempPath()} ({FileSystem})

            """);
    }
}
