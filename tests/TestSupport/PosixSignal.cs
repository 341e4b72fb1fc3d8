using System.Runtime.InteropServices;

namespace KvServer.TestSupport;

/// <summary>Sends signals that <see cref="System.Diagnostics.Process"/> has no method for.</summary>
public static partial class PosixSignal
{
    /// <summary>Interrupt, as Ctrl+C sends it.</summary>
    public const int Interrupt = 2;

    /// <summary>A polite request to end.</summary>
    public const int Terminate = 15;

    /// <summary>Sends <paramref name="signal"/> to one process.</summary>
    /// <returns><see langword="false"/> when the process is gone.</returns>
    public static bool Send(int processId, int signal) => Kill(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
