using System.Runtime.InteropServices;

namespace KvServer.Benchmarks;

/// <summary>Raises the number of files and sockets this process and the servers it starts may open (Linux).</summary>
internal static partial class FileLimit
{
    private const int OpenFiles = 7;

    /// <summary>Raises the soft limit as far as the hard one allows.</summary>
    /// <returns>The limit now in force.</returns>
    public static long Raise(long wanted)
    {
        if (GetLimit(OpenFiles, out Limit limit) != 0)
        {
            return 0;
        }

        limit.Soft = (ulong)Math.Max((long)limit.Soft, Math.Min(wanted, (long)Math.Min(limit.Hard, long.MaxValue)));
        return SetLimit(OpenFiles, limit) == 0 ? (long)limit.Soft : 0;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetLimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
