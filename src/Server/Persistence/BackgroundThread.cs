using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KvServer.Server.Persistence;

/// <summary>Lets a thread that does long work give way to those that serve. Owned by that thread.</summary>
/// <remarks>
/// <para>A thread that never sleeps keeps its processor until the scheduler's next tick, 4 ms away or 10, however low
/// its priority: those it keeps waiting show in the 99th percentile. So it gives its turn away itself, every few tenths
/// of a millisecond, and has a low priority besides, so that what wakes up meanwhile comes first.</para>
/// <para>Where everybody wants to run all the time it could wait for ever that way. What it waits is therefore paid
/// out of an account: each stretch of work earns <see cref="WaitPerWork"/> times its length.</para>
/// </remarks>
internal sealed partial class BackgroundThread
{
    private const int OfThread = 0; // PRIO_PROCESS: on Linux that is the calling thread, when no other is named.
    private const int Nice = 10;
    private const int WaitPerWork = 20;
    private static readonly long MaxCredit = Stopwatch.Frequency / 10;

    private long _resumedAt = Stopwatch.GetTimestamp();
    private long _credit = MaxCredit;

    /// <summary>Lowers the priority of the calling thread, where the system can do that for one thread.</summary>
    /// <remarks><see cref="Thread.Priority"/> has no effect on Linux.</remarks>
    public static void LowerPriority()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(OfThread, 0, Nice); // It only makes things smoother.
        }
    }

    /// <summary>Lets others run that wait for this processor. To be called every few tenths of a millisecond.</summary>
    public void GiveWay()
    {
        long now = Stopwatch.GetTimestamp();
        _credit = Math.Min(MaxCredit, _credit + ((now - _resumedAt) * WaitPerWork));
        _resumedAt = now;
        if (_credit > 0 && Thread.Yield())
        {
            _resumedAt = Stopwatch.GetTimestamp();
            _credit -= _resumedAt - now;
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
