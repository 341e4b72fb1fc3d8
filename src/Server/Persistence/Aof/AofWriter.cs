using System.Diagnostics;
using KvServer.Server.Config;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Persistence.Aof;

/// <summary>The thread that writes the append-only file and forces it to disk.</summary>
/// <remarks>
/// <para>The command loop leaves bytes here at the end of each of its entries (<see cref="Append"/>) and never waits for
/// the disk. Places in the log are counted in bytes since the start of the process, whatever file they went to:</para>
/// <code>
///   0 ........ DurableEnd ........ WrittenEnd ........ AppendedEnd
///     on disk              in the file          in memory
/// </code>
/// <para>With <c>appendfsync always</c> the thread writes and forces whatever has gathered, at once and again and again:
/// requests that come while the disk is busy share the next round, and <see cref="Progressed"/> lets their replies go.
/// <see cref="CommitGathering"/> says when it is worth waiting for more of them first.
/// Otherwise it wakes at most every millisecond, so that a busy server makes few large writes and the loop hardly ever
/// has to wake it, and forces once a second or never.</para>
/// <para>What has to happen at one place in the log (the change to another file) is a task in the same queue. A write
/// that fails is cut off the file again and tried anew every second. When even that fails, or forcing does, the file is of
/// no use any more: <see cref="MustRewrite"/>.</para>
/// </remarks>
internal sealed class AofWriter : IDisposable
{
    private const int MaxKeptBufferBytes = 1024 * 1024;
    private const int KeptBuffers = 4;
    private const int GatherMs = 1;
    private const int RetryMs = 1000;
    private const int LookEveryMs = 50;
    private const int FsyncEveryMs = 1000;

    private readonly object _lock = new(); // A monitor, because both sides wait for the other's changes.
    private readonly Thread _thread;
    private readonly Queue<Item> _queue = new();
    private readonly Stack<byte[]> _free = new();
    private readonly CommitGathering _gathering;
    private byte[]? _tail;
    private int _tailLength;
    private bool _isAsleep;
    private bool _stops;
    private bool _isUrgent;
    private int _waiting; // Clients that wait for bytes which the thread has not taken yet,
    private int _taken; // and for those that it has.
    private long _appendedEnd;
    private long _writtenEnd;
    private long _durableEnd;
    private long _unsyncedSinceMs = -1;
    private long _longestWriteMs;
    private long _longestFsyncMs;
    private string? _error;
    private bool _mustRewrite;
    private volatile bool _postponesFsync;
    private volatile AppendFsync _policy;

    // The thread's own.
    private readonly SpaceAhead _space = new();
    private SafeFileHandle? _file;
    private long _fileBytes;
    private long _lastFsyncMs;
    private bool _gaveUp;

    /// <summary>Makes a writer without a file; its thread runs from now on.</summary>
    /// <param name="policy">When bytes are forced to disk.</param>
    /// <param name="end">Where the log ended before: places go on from there.</param>
    /// <param name="clock">Tells how long clients have been waited for; the system's unless given.</param>
    public AofWriter(AppendFsync policy, long end, TimeProvider? clock = null)
    {
        _gathering = new CommitGathering(clock ?? TimeProvider.System);
        _policy = policy;
        _appendedEnd = end;
        _writtenEnd = end;
        _durableEnd = end;
        _thread = new Thread(Run) { Name = "aof", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Called on the writer's thread when bytes have become durable, and when writing begins or ceases to
    /// fail.</summary>
    public event Action? Progressed;

    /// <summary>When bytes are forced to disk. Any thread.</summary>
    public AppendFsync Policy
    {
        get => _policy;
        set
        {
            _policy = value;
            Wake();
        }
    }

    /// <summary>Whether nothing is forced to disk for now (no-appendfsync-on-rewrite). Any thread.</summary>
    public bool PostponesFsync
    {
        get => _postponesFsync;
        set
        {
            if (_postponesFsync != value)
            {
                _postponesFsync = value;
                Wake();
            }
        }
    }

    /// <summary>Bytes given to <see cref="Append"/> so far. Command loop only.</summary>
    public long AppendedEnd => _appendedEnd;

    /// <summary>Bytes that are in the file. Any thread.</summary>
    public long WrittenEnd => Volatile.Read(ref _writtenEnd);

    /// <summary>Bytes that survive a power cut. Any thread.</summary>
    public long DurableEnd => Volatile.Read(ref _durableEnd);

    /// <summary>Since when there are bytes that have not been forced to disk, in ms of
    /// <see cref="Environment.TickCount64"/>; -1 when there are none. Any thread.</summary>
    public long UnsyncedSinceMs => Volatile.Read(ref _unsyncedSinceMs);

    /// <summary>Why nothing can be written at the moment, or null. Any thread.</summary>
    public string? Error => Volatile.Read(ref _error);

    /// <summary>Whether bytes that counted as written may be lost, because forcing them failed: only a rewrite makes the
    /// files whole again. Any thread.</summary>
    public bool MustRewrite
    {
        get => Volatile.Read(ref _mustRewrite);
        private set => Volatile.Write(ref _mustRewrite, value);
    }

    /// <summary>Times that forcing the file took more than a second. Any thread.</summary>
    public long DelayedFsyncs { get; private set; }

    /// <summary>The longest times the disk took since this was asked last, in ms. Any thread.</summary>
    /// <returns>The longest write, and the longest time forcing the file took.</returns>
    public (long WriteMs, long FsyncMs) TakeLongest()
    {
        lock (_lock)
        {
            (long, long) longest = (_longestWriteMs, _longestFsyncMs);
            _longestWriteMs = 0;
            _longestFsyncMs = 0;
            return longest;
        }
    }

    /// <summary>Takes the bytes of a log.</summary>
    /// <param name="log">Is empty afterwards.</param>
    /// <param name="waiting">How many clients wait until these bytes are on disk.</param>
    /// <remarks>Copies what fits behind bytes that wait already, else takes the log's buffer. Command loop only.</remarks>
    public void Append(PropagationLog log, int waiting = 0)
    {
        lock (_lock)
        {
            int length = log.LengthBytes;
            if (_tail is not null && _tail.Length - _tailLength >= length)
            {
                log.Bytes.CopyTo(_tail.AsSpan(_tailLength));
                _tailLength += length;
                log.Clear();
            }
            else
            {
                SealTail();
                _tail = log.Take(_free.TryPop(out byte[]? free) ? free : [], out _tailLength);
            }

            _appendedEnd += length;
            if (_unsyncedSinceMs < 0)
            {
                Volatile.Write(ref _unsyncedSinceMs, Environment.TickCount64);
            }

            _waiting += waiting;
            if (_isAsleep || _gathering.IsOver(_waiting))
            {
                _isAsleep = false;
                Monitor.Pulse(_lock);
            }
        }
    }

    /// <summary>Has something done on the writer's thread, behind all bytes appended so far and before those to come.</summary>
    public void Post(Action task)
    {
        lock (_lock)
        {
            SealTail();
            _queue.Enqueue(new Item([], 0, task));
            _isUrgent = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Blocks until everything appended so far is forced to disk and every task is done.</summary>
    /// <returns>Why it could not be, or null.</returns>
    /// <remarks>For the moments when the command loop has to wait: shutting down and switching off.</remarks>
    public string? Drain()
    {
        ManualResetEventSlim done = new(); // Not disposed: the task may come after this has given up.
        string? error = null;
        Post(() =>
        {
            error = Error ?? TryForce();
            done.Set();
        });
        while (!done.Wait(LookEveryMs))
        {
            if (Error is { } failing)
            {
                return failing; // It may take for ever.
            }
        }

        return error;
    }

    /// <summary>Writes to another file from here on. In a task only: the bytes before it have been written.</summary>
    /// <param name="open">Opens the file, which the writer then owns, and does what has to be done before bytes go there;
    /// or says why it cannot. Called once the old file is on disk, which stays if anything fails.</param>
    /// <returns>Why it failed, or null.</returns>
    public string? TrySwitch(Func<(SafeFileHandle? File, string? Error)> open)
    {
        // A file that could not be forced is of no use any more; the base file to come holds what it should have.
        if (_file is not null && !MustRewrite && (Error ?? TryForce()) is { } broken)
        {
            return broken;
        }

        (SafeFileHandle? file, string? error) = open();
        if (error is null)
        {
            CloseFile();
            _file = file;
            _fileBytes = RandomAccess.GetLength(file!);
            _gaveUp = false;
        }

        return error;
    }

    /// <summary>Says that the files are whole again: a rewrite has ended well. In a task only.</summary>
    public void NoteRewritten()
    {
        if (MustRewrite)
        {
            MustRewrite = false;
            SetError(null);
        }
    }

    /// <summary>Has the thread end, some time, once its tasks are done. It must have no file.</summary>
    public void EndSoon()
    {
        lock (_lock)
        {
            _stops = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Ends the thread once everything that can be written is.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stops = true;
            Monitor.PulseAll(_lock);
        }

        _thread.Join();
        CloseFile();
    }

    private static long NowMs => Environment.TickCount64;

    private void Run()
    {
        List<Item> taken = [];
        while (TryTake(taken))
        {
            foreach (Item item in taken)
            {
                item.Task?.Invoke();
                if (item.Task is null)
                {
                    Write(item);
                    Recycle(item.Bytes);
                }
            }

            taken.Clear();
            ForceWhenDue();
        }

        if (Error is null)
        {
            _ = TryForce();
        }
    }

    // Takes everything that waits, and waits for it; forces the file meanwhile when its time comes.
    private bool TryTake(List<Item> taken)
    {
        while (true)
        {
            lock (_lock)
            {
                if (WaitForWork(out bool isOver))
                {
                    SealTail();
                    taken.AddRange(_queue);
                    _queue.Clear();
                    _isUrgent = false;
                    _taken += _waiting;
                    _waiting = 0;
                    return true;
                }

                if (isOver)
                {
                    return false;
                }
            }

            ForceWhenDue();
        }
    }

    // Returns false when there is nothing to take: the file is to be forced, or the writer has ended.
    private bool WaitForWork(out bool isOver)
    {
        isOver = false;
        while (_queue.Count == 0 && _tailLength == 0)
        {
            isOver = _stops;
            int waitMs = MsUntilFsync();
            if (isOver || waitMs == 0)
            {
                return false;
            }

            _isAsleep = true;
            Monitor.Wait(_lock, waitMs);
            _isAsleep = false;
        }

        if (_policy == AppendFsync.Always)
        {
            Gather();
        }
        else if (!_isUrgent && !_stops)
        {
            // More will come, and need not wake this thread.
            Monitor.Wait(_lock, GatherMs);
        }

        return true;
    }

    // Waits for those who were let go a moment ago to come back, so that the next round is for all of them.
    private void Gather()
    {
        for (int ms = _gathering.Begin(_waiting); ms > 0 && !_isUrgent && !_stops; ms = _gathering.GoOn(_waiting))
        {
            Monitor.Wait(_lock, ms);
        }

        _gathering.End();
    }

    private void Recycle(byte[] buffer)
    {
        lock (_lock)
        {
            if (_free.Count < KeptBuffers && buffer.Length <= MaxKeptBufferBytes)
            {
                _free.Push(buffer);
            }
        }
    }

    private void Wake()
    {
        lock (_lock)
        {
            Monitor.PulseAll(_lock);
        }
    }

    private void SealTail()
    {
        if (_tailLength > 0)
        {
            _queue.Enqueue(new Item(_tail!, _tailLength, null));
        }
        else if (_tail is not null && _free.Count < KeptBuffers)
        {
            _free.Push(_tail);
        }

        _tail = null;
        _tailLength = 0;
    }

    // Bytes are never given up: while the disk refuses them, the thread tries again every second.
    private void Write(in Item item)
    {
        while (_file is not null && !_gaveUp)
        {
            try
            {
                long startedAtMs = NowMs;
                if (_policy == AppendFsync.Always)
                {
                    _space.Reserve(_file, _fileBytes + item.Length);
                }

                RandomAccess.Write(_file, item.Bytes.AsSpan(0, item.Length), _fileBytes);
                _fileBytes += item.Length;
                NoteLongest(ref _longestWriteMs, NowMs - startedAtMs);
                break;
            }
            catch (Exception e) when (DiskError.Is(e))
            {
                _gaveUp = !TryCutBack() | WaitsInVain(DiskError.TextOf(e));
            }
        }

        // Once the writer has given up, nothing more goes into this file, as it would stand behind a gap; the places are
        // counted on, because the base file of the rewrite that must follow holds it.
        Volatile.Write(ref _writtenEnd, _writtenEnd + item.Length);
        if (Error is not null && !MustRewrite && !_gaveUp)
        {
            SetError(null);
        }
    }

    // A command that is half in the file would be taken for damage once something follows it.
    private bool TryCutBack()
    {
        try
        {
            RandomAccess.SetLength(_file!, _fileBytes);
            _space.Forget();
            return true;
        }
        catch (Exception e) when (DiskError.Is(e))
        {
            MustRewrite = true;
            SetError(DiskError.TextOf(e));
            return false;
        }
    }

    private void CloseFile()
    {
        try
        {
            if (_file is not null)
            {
                _space.Free(_file, _fileBytes);
            }
        }
        catch (Exception e) when (DiskError.Is(e))
        {
            // It only takes more space than it needs.
        }

        _file?.Dispose();
        _file = null;
    }

    // Returns whether the writer is to end before the disk takes anything again.
    private bool WaitsInVain(string reason)
    {
        SetError(reason);
        lock (_lock)
        {
            if (!_stops)
            {
                Monitor.Wait(_lock, RetryMs);
            }

            return _stops;
        }
    }

    private int MsUntilFsync()
    {
        if (_file is null || _durableEnd == _writtenEnd || _policy == AppendFsync.No || _postponesFsync || MustRewrite)
        {
            return Timeout.Infinite;
        }

        return _policy == AppendFsync.Always ? 0 : (int)Math.Clamp(_lastFsyncMs + FsyncEveryMs - NowMs, 0, FsyncEveryMs);
    }

    private void ForceWhenDue()
    {
        if (MsUntilFsync() == 0)
        {
            _ = TryForce();
        }
        else if ((_file is null || _policy == AppendFsync.No || _postponesFsync) && _durableEnd != _writtenEnd)
        {
            Volatile.Write(ref _unsyncedSinceMs, -1); // Nobody promised when.
        }
    }

    private string? TryForce()
    {
        if (_file is null || _durableEnd == _writtenEnd)
        {
            return null;
        }

        long startedAt = Stopwatch.GetTimestamp();
        long startedAtMs = NowMs;
        _lastFsyncMs = startedAtMs;
        try
        {
            DiskSync.FlushData(_file);
        }
        catch (Exception e) when (DiskError.Is(e))
        {
            // The system may have dropped the pages it could not write: a later success would say nothing about them.
            MustRewrite = true;
            SetError(DiskError.TextOf(e));
            return DiskError.TextOf(e);
        }

        NoteLongest(ref _longestFsyncMs, NowMs - startedAtMs);
        if (NowMs - startedAtMs > FsyncEveryMs)
        {
            DelayedFsyncs++;
        }

        lock (_lock)
        {
            Volatile.Write(ref _durableEnd, _writtenEnd);
            _gathering.NoteRound(_waiting, _taken, Stopwatch.GetElapsedTime(startedAt));
            _taken = 0;
            Volatile.Write(ref _unsyncedSinceMs, _appendedEnd == _durableEnd ? -1 : startedAtMs);
        }

        Progressed?.Invoke();
        return null;
    }

    private void NoteLongest(ref long longestMs, long ms)
    {
        if (ms > 0)
        {
            lock (_lock)
            {
                longestMs = Math.Max(longestMs, ms);
            }
        }
    }

    private void SetError(string? error)
    {
        if (Error != error)
        {
            Volatile.Write(ref _error, error);
            Progressed?.Invoke();
        }
    }

    private readonly record struct Item(byte[] Bytes, int Length, Action? Task);
}
