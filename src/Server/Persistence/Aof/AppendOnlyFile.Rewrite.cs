using System.Diagnostics;
using System.Globalization;
using KvServer.Storage;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Persistence.Aof;

/// <content>Switching on, and rewriting: a new base file from a snapshot, and a new file for what comes after its cut.</content>
/// <remarks>
/// <code>
///   StartRewrite    the cut; behind all bytes so far, the writer's thread turns to a new increment file and the manifest names it
///   OnBaseEnded     the base file is whole; the writer's thread names it in the manifest, with the increments since the cut
///   OnBaseInPlace   it counts; the files it replaces are deleted
/// </code>
/// A kill between any two of these finds a manifest whose files hold everything. Files are touched on the writer's thread
/// only, one step after the other.
/// </remarks>
internal sealed partial class AppendOnlyFile
{
    private const int FailuresBeforeDelay = 3;
    private const int MaxDelayMinutes = 60;
    private const int RetryAfterMs = 1000;
    private const string BasePrefix = AofFileNames.TempPrefix + "rewriteaof-bg-";

    private AofManifest _manifest = AofManifest.Empty;
    private AofFolder? _folder;
    private bool _isRewriting;
    private bool _isScheduled;
    private bool _isNeeded;
    private bool _wasNeeded;
    private int _rewriteNumber;
    private bool _isGivenUp;
    private bool _isSwitched;
    private SnapshotJob? _endedJob;
    private long _firstKeptIncrement;
    private long _rewriteStartedAt;
    private long _endAtCut;
    private long _retryAtMs;
    private string? _temporaryIncrement;
    private string? _switchError;

    /// <summary>Whether a rewrite runs.</summary>
    public bool IsRewriting => _isRewriting && !_isGivenUp;

    /// <summary>Whether a rewrite begins as soon as nothing else writes all data.</summary>
    public bool IsRewriteScheduled =>
        _isScheduled || _isNeeded || (State == AofState.WaitsForRewrite && !IsRewriting);

    /// <summary>Whether the last rewrite went well.</summary>
    public bool LastRewriteSucceeded { get; private set; } = true;

    /// <summary>Rewrites that went well.</summary>
    public long RewriteCount { get; private set; }

    /// <summary>Rewrites in a row that failed.</summary>
    public int ConsecutiveFailures { get; private set; }

    /// <summary>Seconds the last rewrite took, or -1.</summary>
    public long LastRewriteSeconds { get; private set; } = -1;

    /// <summary>Seconds since the running rewrite began, or -1.</summary>
    public long CurrentRewriteSeconds =>
        IsRewriting ? (long)Stopwatch.GetElapsedTime(_rewriteStartedAt).TotalSeconds : -1;

    /// <summary>The folder of the files: where <c>dir</c> said when the file was opened.</summary>
    public AofFolder Folder =>
        _folder ?? new AofFolder(Path.GetFullPath(Config.AppendDirName, Config.Dir), Config.AppendFileName);

    // Each rewrite has names of its own, since those of one that was given up may still be being deleted.
    private string TemporaryBasePath => Folder.PathOf(string.Create(
        CultureInfo.InvariantCulture, $"{BasePrefix}{Environment.ProcessId}-{_rewriteNumber}.aof"));

    private string TemporaryIncrementPath => Folder.PathOf($"{AofFileNames.TempPrefix}{Config.AppendFileName}.incr");

    /// <summary>Opens the files for reading them again: DEBUG LOADAOF. Everything has to be on disk.</summary>
    /// <returns>Null when there are none.</returns>
    /// <exception cref="Hosting.StartupException">One of them cannot be read.</exception>
    public DatasetLoader? OpenLoader() => _manifest.IsEmpty ? null : DatasetLoader.Open(_server, Folder, _manifest);

    /// <summary>Takes over the files that were found, or loaded, at the start.</summary>
    /// <param name="manifest">What they are.</param>
    public void Adopt(AofManifest manifest) => _manifest = manifest;

    /// <summary>Begins to write after the dataset has been loaded: goes on with the last file, or begins a set of
    /// them.</summary>
    /// <returns>Why it cannot, or null.</returns>
    /// <remarks>Everybody waits. Without a base file the dataset is written to one first.</remarks>
    public string? TryOpen()
    {
        if (Folder.TryCreate() is { } reason)
        {
            return reason;
        }

        RemoveTemporaryFiles();
        AofManifest manifest = _manifest;
        if (manifest.IsEmpty)
        {
            manifest = manifest.WithNewBase(Config.AppendFileName, Config.AofUseRdbPreamble, long.MaxValue);
            string path = Folder.PathOf(manifest.Base!.Name);
            if (_server.Snapshots.TrySaveBaseNow(BaseTarget(path)) is { } failure)
            {
                return $"Can't write the base file {path}: {failure}";
            }
        }

        if (manifest.LastIncrement is null)
        {
            manifest = manifest.WithNextIncrement(Config.AppendFileName);
        }

        // A file that the manifest does not name yet may be left from a start that was cut short.
        string? error = null;
        string increment = Folder.PathOf(manifest.LastIncrement!.Name);
        AofWriter writer = StartWriter();
        writer.Post(() => error = writer.TrySwitch(() =>
            manifest == _manifest ? OpenIncrement(increment, FileMode.OpenOrCreate) : OpenAndName(increment, manifest)));
        if ((writer.Drain() ?? error) is { } failed)
        {
            StopWriter();
            return failed;
        }

        _manifest = manifest;
        _folder = Folder;
        _log.Start();
        TurnOn();
        ApplyOptions();
        NoteSize(BytesOfFiles());
        DeleteHistory();
        return null;
    }

    /// <summary>Switches on or off at run time: CONFIG SET appendonly. Switched on, the file counts from the end of a
    /// first rewrite.</summary>
    /// <returns>Why it cannot, or null.</returns>
    public string? Switch(bool on)
    {
        if (!on)
        {
            Close();
            return null;
        }

        if (State != AofState.Off)
        {
            return null;
        }

        if (Folder.TryCreate() is { } reason)
        {
            return reason;
        }

        GiveUpRewrite(); // One begun before this could not know of what is written from now on.
        _folder = Folder;
        State = AofState.WaitsForRewrite;
        _retryAtMs = 0;
        TickRewrite();
        return null;
    }

    /// <summary>Starts a rewrite, or leaves one to begin when the save that runs is done.</summary>
    /// <returns>Whether it has begun.</returns>
    public bool StartOrSchedule()
    {
        _isScheduled = true;
        _retryAtMs = 0;
        TickRewrite();
        return IsRewriting;
    }

    /// <summary>Has the file written anew because it may not hold what the dataset does; tried until it works.</summary>
    public void RequestRewrite() => _isNeeded = State != AofState.Off;

    /// <summary>Gives a running rewrite up; what has been written stays.</summary>
    public void GiveUpRewrite()
    {
        _isScheduled = false;
        if (IsRewriting)
        {
            _isGivenUp = true;
            _server.Snapshots.GiveUpBase();
        }
    }

    /// <summary>Gives a running rewrite up and has another begin soon.</summary>
    public void RestartRewrite()
    {
        if (IsRewriting)
        {
            GiveUpRewrite();
            _isScheduled = true;
        }
    }

    private void TickRewrite()
    {
        if (_isRewriting || _server.Snapshots.IsBusy || _server.IsLoading || _server.Transactions.IsRunning
            || _server.Restrictions.HasFlag(Restrictions.Stopping))
        {
            return;
        }

        if (Environment.TickCount64 >= _retryAtMs
            && (IsRewriteScheduled || HasGrown()))
        {
            StartRewrite();
        }
    }

    private bool HasGrown()
    {
        if (State != AofState.On || Config.AutoAofRewritePercentage == 0
            || SizeBytes < Config.AutoAofRewriteMinSizeBytes)
        {
            return false;
        }

        long growth = (SizeBytes * 100 / Math.Max(BaseSizeBytes, 1)) - 100;
        if (growth < Config.AutoAofRewritePercentage)
        {
            return false;
        }

        Log.AofGrown(_server.Log, growth); // Once, because the rewrite begins at once.
        return true;
    }

    private void StartRewrite()
    {
        _log.EndUnit(); // The command that asks for a rewrite changes nothing itself.
        EndTurn();
        _isScheduled = false;
        _wasNeeded = _isNeeded;
        _isNeeded = false;
        _isRewriting = true;
        _isGivenUp = false;
        _rewriteNumber++;
        _rewriteStartedAt = Stopwatch.GetTimestamp();
        if (Folder.TryCreate() is { } reason)
        {
            EndRewrite(reason, baseBytes: 0);
            return;
        }

        AofWriter writer = StartWriter();
        _endAtCut = LogEnd;
        AofManifest manifest = _manifest;
        _firstKeptIncrement = long.MaxValue;
        _temporaryIncrement = null;
        _switchError = null;
        _endedJob = null;
        _isSwitched = State == AofState.Off;
        if (State == AofState.On)
        {
            manifest = manifest.WithNextIncrement(Config.AppendFileName);
            _firstKeptIncrement = manifest.LastIncrement!.Sequence;
            string path = Folder.PathOf(manifest.LastIncrement!.Name);
            PostStep(
                () => writer.TrySwitch(() => OpenAndName(path, manifest)),
                error => OnSwitched(error, manifest));
        }
        else if (State == AofState.WaitsForRewrite)
        {
            string path = _temporaryIncrement = TemporaryIncrementPath;
            PostStep(
                () => writer.TrySwitch(() => OpenIncrement(path, FileMode.Create)),
                error => OnSwitched(error, manifest));
            _log.Start();
        }

        if (State == AofState.On)
        {
            _log.Restart();
        }

        _server.Snapshots.StartBase(BaseTarget(TemporaryBasePath), OnBaseEnded);
        Log.AofRewriteStarted(_server.Log);
        ApplyOptions();
    }

    private void OnSwitched(string? error, AofManifest manifest)
    {
        _isSwitched = true;
        if (error is null)
        {
            _manifest = manifest;
        }
        else
        {
            Log.AofSwitchFailed(_server.Log, error);
            _switchError = error;
            _server.Snapshots.GiveUpBase();
        }

        PlaceBase();
    }

    // The snapshot is over, well or not.
    private void OnBaseEnded(SnapshotJob job)
    {
        _endedJob = job;
        PlaceBase();
    }

    // Once the base file is whole and the new increment file in use, whichever comes last.
    private void PlaceBase()
    {
        if (_endedJob is not { } job || !_isSwitched)
        {
            return;
        }

        _endedJob = null;
        if ((_switchError ?? job.Error ?? (_isGivenUp || _writer is null ? "given up" : null)) is { } error)
        {
            string unused = job.Path;
            _ = Task.Run(() => Delete(unused)); // It may be large.
            EndRewrite(error, job.LengthBytes);
            return;
        }

        AofManifest manifest = _manifest;
        string? incrementPath = null;
        if (_temporaryIncrement is not null)
        {
            // The files of an earlier time are replaced; the one begun at the cut gets a name.
            manifest = manifest.WithNextIncrement(Config.AppendFileName);
            _firstKeptIncrement = manifest.LastIncrement!.Sequence;
            incrementPath = Folder.PathOf(manifest.LastIncrement!.Name);
        }

        manifest = manifest.WithNewBase(Config.AppendFileName, Config.AofUseRdbPreamble, _firstKeptIncrement);
        string temporaryIncrement = _temporaryIncrement ?? "";
        PostStep(() => TryPlace(job.Path, manifest, temporaryIncrement, incrementPath), failed =>
        {
            if (failed is null)
            {
                OnBaseInPlace(manifest);
            }

            EndRewrite(failed, job.LengthBytes);
        });
    }

    private void OnBaseInPlace(AofManifest manifest)
    {
        _manifest = manifest;
        if (_isGivenUp)
        {
            return; // Switched off meanwhile: the files are as they were when it was, and whole.
        }

        if (State == AofState.WaitsForRewrite)
        {
            TurnOn();
        }

        if (_writer is { } writer)
        {
            writer.Post(writer.NoteRewritten);
        }

        DeleteHistory();
        OnProgress();
    }

    private void TurnOn()
    {
        Invariant.Check(_log.IsStarted && _writer is not null, "what is written from now on is kept");
        State = AofState.On;
    }

    private void EndRewrite(string? error, long baseBytes)
    {
        bool wasGivenUp = _isGivenUp;
        _isRewriting = false;
        _isGivenUp = false;
        LastRewriteSeconds = (long)Stopwatch.GetElapsedTime(_rewriteStartedAt).TotalSeconds;
        LastRewriteSucceeded = wasGivenUp ? LastRewriteSucceeded : error is null;
        _isNeeded |= _wasNeeded && (wasGivenUp || error is not null) && State != AofState.Off;
        if (error is null && !wasGivenUp)
        {
            RewriteCount++;
            ConsecutiveFailures = 0;
            NoteSize(baseBytes + (LogEnd - _endAtCut));
            Log.AofRewritten(_server.Log);
        }
        else if (!wasGivenUp)
        {
            ConsecutiveFailures++;
            _retryAtMs = Environment.TickCount64 + DelayAfterFailureMs();
            Log.AofRewriteFailed(_server.Log, error!);
        }

        if (State == AofState.WaitsForRewrite)
        {
            _log.Stop(); // What has been kept is of no use: the next try begins with another cut.
        }

        if (State == AofState.Off && _writer is { } writer)
        {
            _lastEnd = writer.AppendedEnd;
            _writer = null;
            writer.EndSoon(); // It may be deleting large files.
        }

        ApplyOptions();
    }

    private long DelayAfterFailureMs()
    {
        int doublings = ConsecutiveFailures - FailuresBeforeDelay;
        return doublings < 0 ? RetryAfterMs : Math.Min(1L << Math.Min(doublings, 10), MaxDelayMinutes) * 60_000;
    }

    private SnapshotTarget BaseTarget(string path) => new(
        path,
        Folder.PathOf(string.Create(CultureInfo.InvariantCulture, $"{BasePrefix}{Environment.ProcessId}.part")),
        IsAofBase: true,
        AsCommands: !Config.AofUseRdbPreamble,
        TimestampSeconds: Config.AofTimestampEnabled ? _server.Keyspace.NowMs / 1000 : null,
        WritesOut: Config.AofRewriteIncrementalFsync);

    // A step on the writer's thread, and what follows from it inside the loop.
    private void PostStep(Func<string?> step, Action<string?> then) => _writer!.Post(() =>
    {
        string? error = step();
        _post(() => then(error));
    });

    private (SafeFileHandle? File, string? Error) OpenAndName(string path, AofManifest manifest)
    {
        (SafeFileHandle? file, string? error) = OpenIncrement(path, FileMode.Create);
        if (error is null && (error = Folder.TrySave(manifest)) is not null)
        {
            // The new manifest may be in place all the same, so the file stays, and the old manifest is put back.
            file!.Dispose();
            _ = _manifest.IsEmpty ? null : Folder.TrySave(_manifest);
            return (null, error);
        }

        return (file, error);
    }

    private static (SafeFileHandle? File, string? Error) OpenIncrement(string path, FileMode mode)
    {
        try
        {
            return (File.OpenHandle(path, mode, FileAccess.Write, FileShare.Read | FileShare.Delete), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"Can't open the append-only file {Path.GetFileName(path)}: {DiskError.TextOf(e)}");
        }
    }

    private string? TryPlace(string basePath, AofManifest manifest, string temporaryIncrement, string? incrementPath)
    {
        try
        {
            if (incrementPath is not null)
            {
                File.Move(temporaryIncrement, incrementPath, overwrite: true);
            }

            File.Move(basePath, Folder.PathOf(manifest.Base!.Name), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DiskError.TextOf(e);
        }

        return Folder.TrySave(manifest);
    }

    private void DeleteHistory()
    {
        if (_manifest.History.Count == 0 || Config.AofDisableAutoGc || _writer is not { } writer)
        {
            return;
        }

        AofManifest kept = _manifest.WithoutHistory();
        IReadOnlyList<AofFileInfo> history = _manifest.History;
        _manifest = kept;
        AofFolder folder = Folder;
        writer.Post(() =>
        {
            foreach (AofFileInfo file in history)
            {
                Delete(folder.PathOf(file.Name));
            }

            _ = folder.TrySave(kept); // A manifest that still names them is as good.
        });
    }

    // What a killed server has left. The names are not those of files in use, whatever appendfilename is.
    private void RemoveTemporaryFiles()
    {
        foreach (string path in Directory.EnumerateFiles(Folder.Path, BasePrefix + "*"))
        {
            if (!_manifest.Names(Path.GetFileName(path)))
            {
                Delete(path);
            }
        }
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is in nobody's way.
        }
    }

    private void NoteSize(long bytes)
    {
        BaseSizeBytes = bytes;
        _sizeAtEnd = bytes - LogEnd;
    }

    private long BytesOfFiles()
    {
        long bytes = 0;
        IEnumerable<AofFileInfo> files = _manifest.Increments;
        foreach (AofFileInfo file in _manifest.Base is { } first ? files.Prepend(first) : files)
        {
            FileInfo info = new(Folder.PathOf(file.Name));
            bytes += info.Exists ? info.Length : 0;
        }

        return bytes;
    }
}
