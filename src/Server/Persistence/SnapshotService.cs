using System.Diagnostics;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>Saves: on command, at save points, at the end. Holds the figures that INFO shows.</summary>
/// <remarks>
/// Command loop only. A background save walks in slices (<see cref="Tick"/>): a ninth of the time that has gone by since
/// the last slice, so that clients lose about a tenth of it. While there are commands, a slice is a millisecond away
/// from the one before, and the loop sleeps between them as it would without a save: a loop that never sleeps has no
/// claim to the processor any more when it is woken, and waits out the time slices of others. While there are none, the
/// loop does hardly anything else, but offers its processor to others after each slice: a client on this machine whose
/// next request is awaited may be waiting for it, until the scheduler's next tick otherwise. The thread that writes gives
/// way to the loop (<see cref="BackgroundThread"/>).
/// </remarks>
internal sealed class SnapshotService(ServerState server)
{
    // A failed save is not tried again at once.
    private const long RetrySeconds = 5;
    private const int MinSliceMicros = 10;
    private const int MaxSliceMicros = 200;
    private const int SliceShare = 9;
    private const int PauseMicros = 1000;
    private const long ProgressEveryMs = 5000;
    private const long FirstProgressMs = 1000;

    private SnapshotJob? _job;
    private SnapshotCut? _cut;
    private Action<SnapshotJob>? _baseEnded;
    private long _dirtyAtStart;
    private long _startedAt;
    private long _sliceEndedAt;
    private long _commandsAtSlice;
    private long _nextProgressMs;
    private long _lastTrySeconds;
    private bool _isGivenUp;
    private bool _waitsForGivenUp;

    /// <summary>Whether a background save runs.</summary>
    public bool IsSaving => IsWalking && _baseEnded is null;

    /// <summary>Whether a background save runs, or begins in a moment: what holds it up is no more than the end of one that was
    /// given up.</summary>
    public bool IsSavingOrAboutTo => IsSaving || (_waitsForGivenUp && !IsWalking);

    /// <summary>Whether the dataset is being written, for whatever purpose.</summary>
    public bool IsWalking => _job is not null && !_isGivenUp;

    /// <summary>Whether nothing else can be begun: a snapshot runs, or the marks of one that was given up have to be set
    /// right.</summary>
    public bool IsBusy => _job is not null;

    /// <summary>Whether the base of an append-only file is being written.</summary>
    public bool IsWritingBase => IsWalking && _baseEnded is not null;

    /// <summary>Whether a background save begins as soon as the walk of one that was given up has ended.</summary>
    public bool IsScheduled { get; private set; }

    /// <summary>Whether the last background save, or a SAVE since, went well.</summary>
    public bool LastSucceeded { get; private set; } = true;

    /// <summary>When the dataset was last saved, or the start, in seconds since the Unix epoch.</summary>
    public long LastSaveSeconds { get; private set; } = server.Clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Saves that went well.</summary>
    public long SaveCount { get; private set; }

    /// <summary>Seconds the last background save took, or -1.</summary>
    public long LastDurationSeconds { get; private set; } = -1;

    /// <summary>Keys the last load made.</summary>
    public long LastLoadKeysLoaded { get; private set; }

    /// <summary>Keys the last load passed by because their time had come.</summary>
    public long LastLoadKeysExpired { get; private set; }

    /// <summary>Seconds since the running background save began, or -1.</summary>
    public long CurrentDurationSeconds => IsSaving ? ElapsedMs / 1000 : -1;

    /// <summary>Keys written so far by the running save or rewrite.</summary>
    public long KeysProcessed => IsWalking ? _job!.KeysWritten : 0;

    /// <summary>Keys of the running save or rewrite.</summary>
    public long KeysTotal => IsWalking ? _cut!.KeysTotal : 0;

    /// <summary>Entries handed over before a change, by the running save or the last one.</summary>
    public long HandedOver => _cut?.HandedOver ?? 0;

    /// <summary>Bytes that wait for the background thread.</summary>
    public long BytesQueued => IsWalking ? _cut!.BytesQueued : 0;

    /// <summary>Makes what carries states to the thread of a save; tests let it run out of memory.</summary>
    internal Func<SnapshotQueue> CreateQueue { get; set; } = static () => new SnapshotQueue();

    /// <summary>The longest slice of the running save or the last background one, in microseconds.</summary>
    public long LongestSliceMicros => _cut is null ? 0 : _cut.LongestSliceTicks * 1_000_000 / Stopwatch.Frequency;

    private long ElapsedMs => (long)Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds;

    private ServerConfig Config => server.Config;

    /// <summary>Starts a background save, or schedules it while one that was given up still has marks to set right.</summary>
    /// <returns><see langword="false"/> when one runs already, or an append-only file is being rewritten.</returns>
    /// <remarks>O(databases): the rest of that walk goes on in slices.</remarks>
    public bool TryStart()
    {
        if (IsWalking)
        {
            return false;
        }

        IsScheduled = _job is not null;
        _waitsForGivenUp = IsScheduled;
        if (IsScheduled)
        {
            return true;
        }

        _lastTrySeconds = NowSeconds();
        Begin(DumpTarget());
        Log.SaveStarted(server.Log);
        return true;
    }

    /// <summary>Has a background save begin when the rewrite that runs is done.</summary>
    public void Schedule() => IsScheduled = true;

    /// <summary>Starts to write the base of an append-only file. Nothing may be under way.</summary>
    /// <param name="target">The file.</param>
    /// <param name="ended">Told when it is in place, or why it is not.</param>
    public void StartBase(SnapshotTarget target, Action<SnapshotJob> ended)
    {
        Invariant.Check(!IsBusy, "one snapshot is taken at a time");
        Begin(target);
        _baseEnded = ended;
    }

    /// <summary>Writes the base of an append-only file while everybody waits.</summary>
    /// <returns>Why that failed, or null.</returns>
    public string? TrySaveBaseNow(SnapshotTarget target)
    {
        SnapshotJob? ended = null;
        FinishRunning();
        StartBase(target, job => ended = job);
        FinishRunning();
        return ended!.Error;
    }

    /// <summary>Saves and returns when the file is in place; nothing else runs meanwhile.</summary>
    /// <param name="changes">What the running command has changed and is not in the dirty count yet.</param>
    /// <returns>Whether it went well. A background save must not be running.</returns>
    public bool TrySaveNow(long changes = 0)
    {
        FinishRunning();
        Begin(DumpTarget());
        _dirtyAtStart += changes;
        return Finish(inBackground: false);
    }

    /// <summary>Gives a running background save up, as if it had never begun.</summary>
    public void GiveUp()
    {
        if (IsSaving)
        {
            Log.SaveGivenUp(server.Log);
            Abort();
        }
    }

    /// <summary>Gives the base of an append-only file up. Whoever wanted it is told at the end.</summary>
    public void GiveUpBase()
    {
        if (IsWritingBase)
        {
            Abort();
        }
    }

    /// <summary>Does what saving needs now: a slice of the walk, the end of a save, save points.</summary>
    /// <returns>Milliseconds until it wants to be called again.</returns>
    public long Tick()
    {
        if (_job is null)
        {
            return StartScheduled() || CheckSavePoints() ? 0 : long.MaxValue;
        }

        if (!_cut!.IsFinished)
        {
            long now = Stopwatch.GetTimestamp();
            long sinceLast = (now - _sliceEndedAt) * 1_000_000 / Stopwatch.Frequency;
            long commands = server.Statistics.CommandsProcessed;
            if (commands != _commandsAtSlice && sinceLast < PauseMicros)
            {
                return 1; // Milliseconds are what the loop can wait for.
            }

            long micros = Math.Clamp(sinceLast / SliceShare, MinSliceMicros, MaxSliceMicros);
            bool isFinished = _cut.WalkUntil(now + (micros * Stopwatch.Frequency / 1_000_000));
            _sliceEndedAt = Stopwatch.GetTimestamp();
            server.Latency.AddIfSlow("snapshot-slice", (long)Stopwatch.GetElapsedTime(now, _sliceEndedAt).TotalMilliseconds);
            bool isIdle = commands == _commandsAtSlice;
            _commandsAtSlice = commands;
            ReportProgress();
            if (isIdle)
            {
                Thread.Yield(); // Where commands have run, their replies come first.
            }

            if (!isFinished)
            {
                return _job.Queue.IsFull ? 1 : 0;
            }
        }

        if (!_job.IsDone)
        {
            ReportProgress();
            return 1;
        }

        _job.Join();
        End(inBackground: true);
        return IsScheduled ? 0 : long.MaxValue;
    }

    /// <summary>Refuses or allows writes, by the last save and the present options.</summary>
    public void UpdateRestrictions()
    {
        bool refuses = !LastSucceeded && Config.StopWritesOnBgsaveError && Config.Save.Length > 0;
        server.Restrict(Restrictions.WritesRefused, refuses);
    }

    /// <summary>Saves for the last time if that is wanted.</summary>
    /// <returns><see langword="false"/> when the server must go on, because saving failed.</returns>
    public bool TryPrepareShutdown(ShutdownRequest request)
    {
        if (server.IsLoading)
        {
            return true; // What is there is on disk already, and the rest is not there yet.
        }

        GiveUp();
        if (server.Aof.State == AofState.WaitsForRewrite && !request.Force)
        {
            Log.FirstAofMissing(server.Log);
            return false;
        }

        server.Aof.GiveUpRewrite();
        if (request.Save ?? Config.Save.Length > 0)
        {
            Log.SavingAtExit(server.Log);
            if (!TrySaveNow())
            {
                if (!request.Force)
                {
                    Log.CannotExit(server.Log);
                    return false;
                }

                Log.ExitsUnsaved(server.Log);
            }
        }

        if (server.Aof.Flush() is { } reason)
        {
            Log.AofNotForced(server.Log, reason);
            if (!request.Force)
            {
                Log.CannotExit(server.Log);
                return false;
            }
        }

        FinishRunning();
        server.Restrict(Restrictions.Stopping, true);
        return true;
    }

    /// <summary>Writes an empty file after FLUSHALL where save points are set: a crash must not bring the data back.</summary>
    /// <param name="changes">What the running command has changed and is not in the dirty count yet.</param>
    public void SaveAfterFlush(long changes)
    {
        if (Config.Save.Length > 0 && !server.IsLoading)
        {
            server.Aof.RestartRewrite(); // One snapshot at a time, and what this one holds is gone anyway.
            _ = TrySaveNow(changes); // The flush has been done whether or not this works; the log and INFO say.
        }
    }

    /// <summary>Says how a load ended, for INFO.</summary>
    public void DatasetLoaded(long keysLoaded, long keysExpired)
    {
        LastLoadKeysLoaded = keysLoaded;
        LastLoadKeysExpired = keysExpired;
    }

    private long NowSeconds() => server.Clock.GetUtcNow().ToUnixTimeSeconds();

    private SnapshotTarget DumpTarget() => new(
        Config.DbFileName.Length == 0 ? "" : Path.GetFullPath(Config.DbFileName, Config.Dir),
        Path.GetFullPath($"temp-{Environment.ProcessId}.rdb", Config.Dir),
        IsAofBase: false,
        AsCommands: false,
        TimestampSeconds: null,
        WritesOut: Config.RdbSaveIncrementalFsync);

    private void Begin(SnapshotTarget target)
    {
        _isGivenUp = false;
        _baseEnded = null;
        _dirtyAtStart = server.Statistics.Dirty;
        _startedAt = Stopwatch.GetTimestamp();
        _sliceEndedAt = _startedAt;
        _nextProgressMs = FirstProgressMs;
        SnapshotJob job = new(server.Keyspace, target, Config, NowSeconds()) { Queue = CreateQueue() };
        _cut = server.Keyspace.StartSnapshot(job.Queue);
        _job = job;
        job.Start();
    }

    private bool End(bool inBackground)
    {
        SnapshotJob job = _job!;
        _job = null;
        bool succeeded = job.Error is null;
        bool wasGivenUp = _isGivenUp;
        _isGivenUp = false;
        if (_baseEnded is { } ended)
        {
            _baseEnded = null;
            ended(job);
            return succeeded;
        }

        if (!wasGivenUp)
        {
            Note(job, succeeded, inBackground);
        }

        UpdateRestrictions();
        return succeeded;
    }

    private void Note(SnapshotJob job, bool succeeded, bool inBackground)
    {
        LastSucceeded = succeeded || (LastSucceeded && !inBackground); // Who waited for a SAVE has been told.
        if (inBackground)
        {
            LastDurationSeconds = ElapsedMs / 1000;
        }

        if (!succeeded)
        {
            Log.SaveFailed(server.Log, job.Path, job.Error!);
            if (inBackground)
            {
                Log.BackgroundSaveFailed(server.Log);
            }

            return;
        }

        server.Statistics.Dirty -= _dirtyAtStart;
        LastSaveSeconds = NowSeconds();
        SaveCount++;
        Log.Saved(server.Log, _cut!.KeysTotal, job.LengthBytes, ElapsedMs);
        if (inBackground)
        {
            Log.BackgroundSaveDone(server.Log);
        }
    }

    private void Abort()
    {
        _isGivenUp = true;
        _cut!.Abort();
        _job!.Queue.Abort();
    }

    // Whatever is under way comes to its end in one stretch, for callers that stop the loop anyway: a rewrite that goes
    // on, or the marks of a snapshot that was given up, which have to be right before the next one can begin.
    private void FinishRunning()
    {
        if (_job is not null)
        {
            _job.Queue.EndDelays();
            Finish(inBackground: true);
        }
    }

    private bool Finish(bool inBackground)
    {
        SnapshotCut cut = _cut!;
        while (!cut.WalkUntil(long.MaxValue))
        {
            _job!.Queue.WaitForRoom(TimeSpan.FromMilliseconds(100));
        }

        _job!.Join();
        return End(inBackground);
    }

    private bool StartScheduled()
    {
        if (!IsScheduled || server.Restrictions.HasFlag(Restrictions.Stopping))
        {
            return false;
        }

        return TryStart();
    }

    private bool CheckSavePoints()
    {
        long dirty = server.Statistics.Dirty;
        if (dirty == 0 || Config.Save.Length == 0 || IsBusy || server.Restrictions.HasFlag(Restrictions.Loading)
            || server.Restrictions.HasFlag(Restrictions.Stopping))
        {
            return false;
        }

        long nowSeconds = server.Keyspace.NowMs / 1000;
        foreach (SavePoint point in Config.Save)
        {
            if (dirty >= point.Changes
                && nowSeconds - LastSaveSeconds > point.Seconds
                && (LastSucceeded || nowSeconds - _lastTrySeconds > RetrySeconds))
            {
                Log.SavePointReached(server.Log, point.Changes, point.Seconds);
                return TryStart();
            }
        }

        return false;
    }

    private void ReportProgress()
    {
        if (ElapsedMs >= _nextProgressMs && IsWalking)
        {
            _nextProgressMs = ElapsedMs + ProgressEveryMs;
            Log.SaveProgress(server.Log, KeysProcessed, _cut!.KeysTotal, ElapsedMs / 1000, _cut.BytesQueued);
        }
    }
}
