using System.Diagnostics;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>Saves: on command, at save points, at the end. Holds the figures that INFO shows.</summary>
/// <remarks>
/// Command loop only. A background save walks in slices, one per turn of the loop (<see cref="Tick"/>): a third of the
/// time that has gone by since the last slice, so that clients who keep the loop busy lose at most a quarter of it, and
/// an idle loop does hardly anything else.
/// </remarks>
internal sealed class SnapshotService(ServerState server)
{
    // A failed save is not tried again at once.
    private const long RetrySeconds = 5;
    private const int MinSliceMicros = 50;
    private const int MaxSliceMicros = 500;
    private const int SliceShare = 3;
    private const long ProgressEveryMs = 5000;
    private const long FirstProgressMs = 1000;

    private SnapshotJob? _job;
    private SnapshotCut? _cut;
    private long _dirtyAtStart;
    private long _startedAt;
    private long _sliceEndedAt;
    private long _nextProgressMs;
    private long _lastTrySeconds;
    private bool _isGivenUp;

    /// <summary>Whether a background save runs.</summary>
    public bool IsSaving => _job is not null && !_isGivenUp;

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

    /// <summary>Keys handed over so far by the running save.</summary>
    public long KeysProcessed => IsSaving ? _cut!.KeysProcessed : 0;

    /// <summary>Keys of the running save.</summary>
    public long KeysTotal => IsSaving ? _cut!.KeysTotal : 0;

    /// <summary>Entries handed over before a change, by the running save or the last one.</summary>
    public long HandedOver => _cut?.HandedOver ?? 0;

    /// <summary>Bytes that wait for the background thread.</summary>
    public long BytesQueued => IsSaving ? _cut!.BytesQueued : 0;

    /// <summary>The longest slice of the running save or the last background one, in microseconds.</summary>
    public long LongestSliceMicros => _cut is null ? 0 : _cut.LongestSliceTicks * 1_000_000 / Stopwatch.Frequency;

    private long ElapsedMs => (long)Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds;

    private ServerConfig Config => server.Config;

    /// <summary>Starts a background save, or schedules it while one that was given up still has marks to set right.</summary>
    /// <returns><see langword="false"/> when one runs already.</returns>
    /// <remarks>O(databases): the rest of that walk goes on in slices.</remarks>
    public bool TryStart()
    {
        if (IsSaving)
        {
            return false;
        }

        IsScheduled = _job is not null;
        if (IsScheduled)
        {
            return true;
        }

        _lastTrySeconds = NowSeconds();
        Begin();
        Log.SaveStarted(server.Log);
        return true;
    }

    /// <summary>Saves and returns when the file is in place; nothing else runs meanwhile.</summary>
    /// <param name="changes">What the running command has changed and is not in the dirty count yet.</param>
    /// <returns>Whether it went well. A background save must not be running.</returns>
    public bool TrySaveNow(long changes = 0)
    {
        FinishGivenUp();
        Begin();
        _dirtyAtStart += changes;
        SnapshotCut cut = _cut!;
        while (!cut.WalkUntil(long.MaxValue))
        {
            _job!.Queue.WaitForRoom(TimeSpan.FromMilliseconds(100));
        }

        _job!.Join();
        return End(inBackground: false);
    }

    /// <summary>Gives a running background save up, as if it had never begun.</summary>
    public void GiveUp()
    {
        if (IsSaving)
        {
            Log.SaveGivenUp(server.Log);
            _isGivenUp = true;
            _cut!.Abort();
            _job!.Queue.Abort();
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
            long sinceLast = (now - _sliceEndedAt) * 1_000_000 / Stopwatch.Frequency / SliceShare;
            long micros = Math.Clamp(sinceLast, MinSliceMicros, MaxSliceMicros);
            bool isFinished = _cut.WalkUntil(now + (micros * Stopwatch.Frequency / 1_000_000));
            _sliceEndedAt = Stopwatch.GetTimestamp();
            ReportProgress();
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

        FinishGivenUp();
        server.Restrict(Restrictions.Stopping, true);
        return true;
    }

    /// <summary>Writes an empty file after FLUSHALL where save points are set: a crash must not bring the data back.</summary>
    /// <param name="changes">What the running command has changed and is not in the dirty count yet.</param>
    public void SaveAfterFlush(long changes)
    {
        if (Config.Save.Length > 0)
        {
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

    private void Begin()
    {
        _isGivenUp = false;
        _dirtyAtStart = server.Statistics.Dirty;
        _startedAt = Stopwatch.GetTimestamp();
        _sliceEndedAt = _startedAt;
        _nextProgressMs = FirstProgressMs;
        _job = new SnapshotJob(server.Keyspace, Config, NowSeconds());
        _cut = server.Keyspace.StartSnapshot(_job.Queue);
        _job.Start();
    }

    private bool End(bool inBackground)
    {
        SnapshotJob job = _job!;
        _job = null;
        bool succeeded = job.Error is null;
        if (!_isGivenUp)
        {
            Note(job, succeeded, inBackground);
        }

        _isGivenUp = false;
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

    // The marks of a save that was given up have to be right before the next one can begin. Only for callers that stop
    // the loop anyway: this is one stretch.
    private void FinishGivenUp()
    {
        if (_job is not null)
        {
            while (!_cut!.WalkUntil(long.MaxValue))
            {
            }

            _job.Join();
            End(inBackground: true);
        }
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
        if (dirty == 0 || Config.Save.Length == 0 || server.Restrictions.HasFlag(Restrictions.Loading)
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
        if (ElapsedMs >= _nextProgressMs && IsSaving)
        {
            _nextProgressMs = ElapsedMs + ProgressEveryMs;
            Log.SaveProgress(server.Log, _cut!.KeysProcessed, _cut.KeysTotal, ElapsedMs / 1000, _cut.BytesQueued);
        }
    }
}
