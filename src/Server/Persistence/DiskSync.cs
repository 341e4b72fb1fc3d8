using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Persistence;

/// <summary>What the disk is asked for where .NET has no call for it, or one that keeps failures to itself.</summary>
internal static unsafe partial class DiskSync
{
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC, which have the same values on every processor.
    private const int KeepLength = 1; // FALLOC_FL_KEEP_SIZE
    private const uint WaitWriteWait = 1 | 2 | 4;
    private const int Interrupted = 4; // EINTR

    /// <summary>Forces what has been written to a file to disk. Any thread.</summary>
    /// <exception cref="IOException">The system could not, or says that it is no file that can be forced.</exception>
    /// <remarks>On Linux <see cref="RandomAccess.FlushToDisk"/> and <c>FileStream.Flush(true)</c> return as if all were
    /// well when <c>fsync</c> fails: a promise that rests on it needs the system's own answer.</remarks>
    public static void Flush(SafeFileHandle file) => Flush(file, dataOnly: false);

    /// <summary>Forces what has been written to a file to disk, and of what is known about the file what it takes to find it
    /// again: its length, but not its times. Any thread.</summary>
    /// <exception cref="IOException">The system could not, or says that it is no file that can be forced.</exception>
    /// <remarks>Some file systems write a file's times in a place of their own and wait for it: this is the faster one for a
    /// log that grows.</remarks>
    public static void FlushData(SafeFileHandle file) => Flush(file, dataOnly: true);

    private static void Flush(SafeFileHandle file, bool dataOnly)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            int descriptor = (int)file.DangerousGetHandle();
            while ((dataOnly ? FlushData(descriptor) : Flush(descriptor)) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error != Interrupted)
                {
                    throw new IOException(Marshal.GetPInvokeErrorMessage(error));
                }
            }
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>Forces the entries of a folder to disk, so that a rename survives a power cut. Any thread.</summary>
    /// <returns>Why it failed, or null; also where the system has no such thing.</returns>
    public static string? TryFlushFolder(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null; // There a rename is as durable as the system makes it.
        }

        int folder;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            folder = Open(name, ReadOnly);
        }

        if (folder < 0)
        {
            return Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError());
        }

        int result = Flush(folder);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(folder);
        return result == 0 ? null : Marshal.GetPInvokeErrorMessage(error);
    }

    /// <summary>Has a part of a file written out and waits for it, so that the final flush finds little left to do.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="length">Its bytes.</param>
    public static void WriteOut(FileStream file, long offset, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            // Errors come up again at the final flush, which decides.
            _ = SyncFileRange((int)file.SafeFileHandle.DangerousGetHandle(), offset, length, WaitWriteWait);
        }
        else
        {
            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }
    }

    /// <summary>Has the file system allot space to a file; its length stays.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="offset">Where the space begins, in bytes. What is allotted already stays.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>Whether there is that space; false too where the system knows no such thing.</returns>
    public static bool TryAllot(SafeFileHandle file, long offset, long length) =>
        OperatingSystem.IsLinux()
        && Allot((int)file.DangerousGetHandle(), KeepLength, offset, length) == 0;

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FlushData(int descriptor);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allot(int descriptor, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(int descriptor, long offset, long length, uint flags);
}
