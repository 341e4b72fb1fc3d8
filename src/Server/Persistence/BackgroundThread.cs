using System.Runtime.InteropServices;

namespace KvServer.Server.Persistence;

/// <summary>Lets a thread that does long work give way to those that serve.</summary>
internal static partial class BackgroundThread
{
    private const int OfThread = 0; // PRIO_PROCESS: on Linux that is the calling thread, when no other is named.
    private const int Nice = 10;

    /// <summary>Lowers the priority of the calling thread, where the system can do that for one thread.</summary>
    /// <remarks><see cref="Thread.Priority"/> has no effect on Linux. A thread that is woken takes the processor from one
    /// of lower priority at once, instead of waiting for the end of its time slice of a few milliseconds; where both want
    /// to run all the time, this one still gets a tenth.</remarks>
    public static void GiveWay()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(OfThread, 0, Nice); // It only makes things smoother.
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
