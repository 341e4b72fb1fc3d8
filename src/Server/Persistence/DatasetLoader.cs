using System.Diagnostics;
using System.Globalization;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>Loads the snapshot at start-up, in slices between which clients are told to wait.</summary>
/// <remarks>Opened before the server listens, then driven by the command loop: <see cref="Tick"/>.</remarks>
internal sealed class DatasetLoader : IDisposable
{
    // Long enough that the turns between two slices cost nothing, short enough for who waits to be told that it loads.
    private const int SliceMs = 5;
    private const int KeysPerClockRead = 64;
    private const long FirstProgressMs = 1000;
    private const long ProgressEveryMs = 5000;

    private readonly ServerState _server;
    private readonly FileStream _file;
    private readonly RdbLoader _loader;
    private readonly string _path;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _nextProgressMs = FirstProgressMs;

    private DatasetLoader(ServerState server, FileStream file, string path, bool merges)
    {
        _server = server;
        _file = file;
        _path = path;
        TotalBytes = file.Length;
        StartedAtSeconds = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        ServerConfig config = server.Config;
        _loader = new RdbLoader(new RdbReader(file, TotalBytes), server.Keyspace, new RdbLoadOptions
        {
            SetLimits = SetLimits.From(
                config.SetMaxIntsetEntries, config.SetMaxListpackEntries, config.SetMaxListpackValueBytes),
            Merges = merges,
            Warn = warning => Log.LoadWarning(server.Log, warning),
            Aux = (name, value) => NoteAux(name, value),
        });
    }

    /// <summary>Ends when everything is in, or with a <see cref="StartupException"/>.</summary>
    public Task Completion => _completion.Task;

    /// <summary>When loading began, in seconds since the Unix epoch.</summary>
    public long StartedAtSeconds { get; }

    /// <summary>Bytes of the file.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes read so far.</summary>
    public long LoadedBytes => _loader.Reader.Offset;

    /// <summary>Memory of the server that wrote the file, as it says.</summary>
    public long WriterUsedMemory { get; private set; }

    /// <summary>Keys made so far.</summary>
    public long KeysLoaded => _loader.KeysLoaded;

    /// <summary>Keys passed by because their time had come.</summary>
    public long KeysExpired => _loader.KeysExpired;

    /// <summary>Seconds that are probably left.</summary>
    public long EtaSeconds
    {
        get
        {
            double elapsed = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
            return LoadedBytes == 0 ? 1 : (long)(elapsed / LoadedBytes * (TotalBytes - LoadedBytes));
        }
    }

    private long ElapsedMs => (long)Stopwatch.GetElapsedTime(_startedAt).TotalMilliseconds;

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
            FileStream file = new(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Log.Loading(server.Log, path, file.Length);
            return new DatasetLoader(server, file, path, merges);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fatal(path, e.Message, e);
        }
    }

    /// <summary>Loads everything at once. Command loop only.</summary>
    /// <exception cref="StartupException">The file cannot be loaded; what had been loaded of it is gone.</exception>
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

        try
        {
            if (LoadUntil(Stopwatch.GetTimestamp() + (Stopwatch.Frequency * SliceMs / 1000)))
            {
                return 0;
            }

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
    public void Dispose() => _file.Dispose();

    private static StartupException Fatal(string path, string reason, Exception inner) =>
        new($"Fatal error loading the DB '{path}': {reason}. Exiting.", inner);

    private bool LoadUntil(long deadline)
    {
        try
        {
            while (_loader.Load(KeysPerClockRead))
            {
                if (Stopwatch.GetTimestamp() >= deadline)
                {
                    ReportProgress();
                    return true;
                }
            }
        }
        catch (Exception e) when (e is RdbFormatException or IOException or OutOfMemoryException)
        {
            throw Fatal(_path, e.Message, e);
        }

        _server.Snapshots.DatasetLoaded(KeysLoaded, KeysExpired);
        Log.Loaded(_server.Log, KeysLoaded, KeysExpired);
        Log.LoadedIn(_server.Log, ElapsedMs);
        return false;
    }

    private void NoteAux(string name, string value)
    {
        if (name == "used-mem" && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
        {
            WriterUsedMemory = bytes;
        }
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
