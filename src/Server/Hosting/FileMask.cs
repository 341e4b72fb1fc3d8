using KvServer.Server.Net;

namespace KvServer.Server.Hosting;

/// <summary>Who may read the files the process creates: data, logs, the pid file, the unix socket.</summary>
internal static class FileMask
{
    private const uint GroupAndOthers = 0x3F; // 077

    /// <summary>From now on they are their owner's alone.</summary>
    /// <remarks>For the whole process. What the mask forbade before stays forbidden. Nothing happens on Windows.</remarks>
    public static void KeepPrivate()
    {
        if (!OperatingSystem.IsWindows())
        {
            // The mask can only be read by setting it, so the strictest one comes in between.
            uint before = Libc.SetFileMask(0x1FF);
            _ = Libc.SetFileMask(before | GroupAndOthers);
        }
    }
}
