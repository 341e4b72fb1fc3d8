using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Persistence;

/// <summary>Disk space allotted ahead of the end of a file that grows and is forced to disk after every few bytes.</summary>
/// <remarks>
/// A file system that has to find new blocks writes down which, each time a file is forced, and that is most of the wait:
/// on ext4 1.0 ms on average, against 0.2 ms inside space it has allotted before. The file's length stays what has been
/// written, so neither readers nor a crash see anything of the space; what a crash leaves goes with the file.
/// <para>One thread. The file stays its owner's.</para>
/// </remarks>
internal sealed class SpaceAhead
{
    private const long LeastBytes = 256 * 1024;
    private const long MostBytes = 8 * 1024 * 1024;

    private long _end;
    private bool _isRefused;
    private bool _mayHold;

    /// <summary>Sees to it, if the disk can, that there is space up to some place.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="end">The place in bytes where the next write will end. Space is allotted for an eighth more, 256 KB at
    /// least and 8 MB at most.</param>
    /// <remarks>A disk that refuses, for being full or not knowing how, is not asked again for this file: the write says
    /// what is wrong.</remarks>
    public void Reserve(SafeFileHandle file, long end)
    {
        if (end <= _end || _isRefused)
        {
            return;
        }

        long newEnd = end + Math.Clamp(end / 8, LeastBytes, MostBytes);
        if (DiskSync.TryAllot(file, _end, newEnd - _end))
        {
            _end = newEnd;
        }
        else
        {
            _isRefused = true;
            _mayHold = true; // A disk that is nearly full gives what it has.
        }
    }

    /// <summary>Frees what lies behind the end of the file.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <exception cref="IOException">The system could not.</exception>
    public void Free(SafeFileHandle file, long length)
    {
        bool holds = _end > length || _mayHold;
        Forget();
        if (holds)
        {
            RandomAccess.SetLength(file, length);
        }
    }

    /// <summary>Begins anew: another file, or one that has been cut.</summary>
    public void Forget()
    {
        _end = 0;
        _isRefused = false;
        _mayHold = false;
    }
}
