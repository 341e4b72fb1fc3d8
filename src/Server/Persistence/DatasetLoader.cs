using System.Diagnostics;
using KvServer.Server.Hosting;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Server.Persistence;

/// <summary>Loads the dataset at start-up, in slices between which clients are told to wait.</summary>
/// <remarks>Opened before the server listens, then driven by the command loop: <see cref="Tick"/>.</remarks>
internal sealed class DatasetLoader : IDisposable
{
    // Long enough that the turns between two slices cost nothing, short enough for who waits to be told that it loads.
    private const int SliceMs = 5;
    private const long FirstProgressMs = 1000;
    private const long ProgressEveryMs = 5000;

    private readonly ServerState _server;
    private readonly List<DatasetFile> _files;
    private readonly AofReplay? _replay;
    private readonly bool _merges;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _nextProgressMs = FirstProgressMs;
    private int _current;
    private KeyDelay _keyDelay;
    private int _delayMicros;
    private long _delayEndsAtMs;

    private DatasetLoader(ServerState server, List<DatasetFile> files, AofReplay? replay, bool merges)
    {
        _server = server;
        _files = files;
        _replay = replay;
        _merges = merges;
        TotalBytes = files.Sum(static file => file.TotalBytes);
        StartedAtSeconds = server.Clock.GetUtcNow().ToUnixTimeSeconds();
    }

    /// <summary>Ends when everything is in, or with a <see cref="StartupException"/>.</summary>
    public Task Completion => _completion.Task;

    /// <summary>When loading began, in seconds since the Unix epoch.</summary>
    public long StartedAtSeconds { get; }

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes read so far.</summary>
    public long LoadedBytes => _files.Sum(static file => file.LoadedBytes);

    /// <summary>Memory of the server that wrote the files, as it says.</summary>
    public long WriterUsedMemory => _files.Max(static file => file.WriterUsedMemory);

    /// <summary>Keys made so far out of snapshots.</summary>
    public long KeysLoaded => _files.Sum(static file => file.KeysLoaded);

    /// <summary>Keys passed by because their time had come.</summary>
    public long KeysExpired => _files.Sum(static file => file.KeysExpired);

    /// <summary>Seconds that are probably left.</summary>
    public long EtaSeconds
    {
        get
        {
            double elapsed = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
            long loaded = LoadedBytes;
            return loaded == 0 ? 1 : (long)(elapsed / loaded * (TotalBytes - loaded));
        }
    }

    private long ElapsedMs => (long)Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds;

    // Clients are answered meanwhile, and may end it by changing the option.
    private long DelayLeftMs =>
        _server.Config.KeyLoadDelayMicros == _delayMicros ? Math.Max(0, _delayEndsAtMs - ElapsedMs) : 0;

    /// <summary>Opens the snapshot named by the configuration.</summary>
    /// <returns>Null when there is none, as with an empty <c>dbfilename</c>.</returns>
    /// <exception cref="StartupException">There is one that cannot be read.</exception>
    public static DatasetLoader? TryOpen(ServerState server, bool merges = false)
    {
        if (server.Config.DbFileName.Length == 0)
        {
            return null;
        }

        string path = Path.GetFullPath(server.Config.DbFileName, server.Config.Dir);
        try
        {
            RdbFile file = new(server, path, merges);
            Log.Loading(server.Log, path, file.TotalBytes);
            return new DatasetLoader(server, [file], replay: null, merges);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RdbFile.Fatal(path, e.Message, e);
        }
    }

    /// <summary>Opens the files of an append-only file.</summary>
    /// <param name="server">Where they go.</param>
    /// <param name="folder">Where they are.</param>
    /// <param name="manifest">What they are; not empty.</param>
    /// <exception cref="StartupException">One of them cannot be read.</exception>
    public static DatasetLoader Open(ServerState server, AofFolder folder, AofManifest manifest)
    {
        List<string> paths = [];
        if (manifest.Base is not null)
        {
            paths.Add(folder.PathOf(manifest.Base.Name));
        }

        paths.AddRange(manifest.Increments.Select(file => folder.PathOf(file.Name)));
        List<DatasetFile> files = [];
        AofReplay replay = new(server);
        string path = "";
        try
        {
            for (int i = 0; i < paths.Count; i++)
            {
                path = paths[i];
                files.Add(new AofFile(server, replay, path, isLast: i == paths.Count - 1));
                Log.Loading(server.Log, path, files[^1].TotalBytes);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            files.ForEach(static file => file.Dispose());
            replay.Dispose();
            throw new StartupException(
                $"Fatal error: can't open the append log file {path} for reading: {DiskError.TextOf(e)}", e);
        }

        return new DatasetLoader(server, files, replay, merges: false);
    }

    /// <summary>Loads everything at once, whatever <c>key-load-delay</c> says: nobody could end it. Command loop only.</summary>
    /// <exception cref="StartupException">A file cannot be loaded; what had been loaded is gone.</exception>
    public void LoadAll()
    {
        while (LoadUntil(long.MaxValue))
        {
        }
    }

    /// <summary>Loads a slice. Command loop only.</summary>
    /// <returns>Milliseconds until it wants to be called again.</returns>
    public long Tick()
    {
        if (_completion.Task.IsCompleted || _server.Restrictions.HasFlag(Restrictions.Stopping))
        {
            return long.MaxValue;
        }

        if (DelayLeftMs is > 0 and long leftMs)
        {
            return leftMs;
        }

        try
        {
            if (LoadUntil(Stopwatch.GetTimestamp() + (Stopwatch.Frequency * SliceMs / 1000)))
            {
                return DelayLeftMs;
            }

            DatasetPart.OpenAof(_server);
            _server.Restrict(Restrictions.Loading, false);
            _completion.SetResult();
        }
        catch (StartupException e)
        {
            _completion.SetException(e);
        }

        return long.MaxValue;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _files.ForEach(static file => file.Dispose());
        _replay?.Dispose();
    }

    private bool LoadUntil(long deadline)
    {
        try
        {
            while (_current < _files.Count)
            {
                if (!_files[_current].Load())
                {
                    _current++;
                }

                if (IsToBeDelayed() || Stopwatch.GetTimestamp() >= deadline)
                {
                    ReportProgress();
                    return true;
                }
            }
        }
        catch (StartupException)
        {
            if (!_merges)
            {
                _server.Keyspace.FlushAll(inBackground: false);
            }

            throw;
        }

        _replay?.Dispose(); // From here on time passes for keys again.
        _server.Snapshots.DatasetLoaded(KeysLoaded, KeysExpired);
        if (_replay is null)
        {
            Log.Loaded(_server.Log, KeysLoaded, KeysExpired);
        }
        else
        {
            Log.AofLoaded(_server.Log, KeysLoaded, _replay.CommandCount);
        }

        Log.LoadedIn(_server.Log, ElapsedMs);
        return false;
    }

    private bool IsToBeDelayed()
    {
        _delayMicros = _server.Config.KeyLoadDelayMicros;
        int ms = _keyDelay.TakeMs(KeysLoaded + KeysExpired + (_replay?.CommandCount ?? 0), _delayMicros);
        _delayEndsAtMs = ElapsedMs + ms;
        return ms > 0;
    }

    private void ReportProgress()
    {
        if (ElapsedMs >= _nextProgressMs)
        {
            _nextProgressMs = ElapsedMs + ProgressEveryMs;
            int percent = (int)(LoadedBytes * 100 / Math.Max(TotalBytes, 1));
            Log.LoadProgress(_server.Log, percent, ElapsedMs / 1000, KeysLoaded);
        }
    }
}
