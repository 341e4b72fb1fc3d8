using System.Globalization;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>A snapshot while it is being loaded.</summary>
internal sealed class RdbFile : DatasetFile
{
    private const int KeysPerStep = 64;

    private readonly FileStream _file;
    private readonly RdbLoader _loader;
    private long _writerUsedMemory;

    /// <summary>Opens a snapshot.</summary>
    /// <param name="server">Where it goes.</param>
    /// <param name="path">The file.</param>
    /// <param name="merges">Whether keys may exist already and are then replaced.</param>
    /// <param name="keepsExpired">Whether keys whose time has come are made all the same: commands that follow may touch
    /// them.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public RdbFile(ServerState server, string path, bool merges = false, bool keepsExpired = false)
        : base(path)
    {
        _file = Open(path);
        TotalBytes = _file.Length;
        RdbReader reader = new(_file, TotalBytes) { IgnoresChecksum = server.IgnoresChecksums };
        _loader = new RdbLoader(reader, server.Keyspace, new RdbLoadOptions
        {
            Limits = ConfiguredLimits.Of(server.Config),
            Merges = merges,
            KeepsExpired = keepsExpired,
            Warn = warning => Log.LoadWarning(server.Log, warning),
            Aux = NoteAux,
        });
    }

    /// <inheritdoc/>
    public override long TotalBytes { get; }

    /// <inheritdoc/>
    public override long LoadedBytes => _loader.Reader.Offset;

    /// <inheritdoc/>
    public override long KeysLoaded => _loader.KeysLoaded;

    /// <inheritdoc/>
    public override long KeysExpired => _loader.KeysExpired;

    /// <inheritdoc/>
    public override long WriterUsedMemory => _writerUsedMemory;

    /// <inheritdoc/>
    public override bool Load()
    {
        try
        {
            return _loader.Load(KeysPerStep);
        }
        catch (Exception e) when (e is RdbFormatException or IOException or OutOfMemoryException)
        {
            throw Fatal(Path, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    /// <summary>What is said about a snapshot that cannot be loaded.</summary>
    public static StartupException Fatal(string path, string reason, Exception inner) =>
        new($"Fatal error loading the DB '{path}': {reason}. Exiting.", inner);

    private void NoteAux(string name, string value)
    {
        if (name == "used-mem" && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
        {
            _writerUsedMemory = bytes;
        }
    }
}
