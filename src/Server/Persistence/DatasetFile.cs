namespace KvServer.Server.Persistence;

/// <summary>A file of the dataset while it is being loaded.</summary>
/// <remarks>Command loop only.</remarks>
internal abstract class DatasetFile(string path) : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <summary>Bytes of the file.</summary>
    public abstract long TotalBytes { get; }

    /// <summary>Bytes read so far.</summary>
    public abstract long LoadedBytes { get; }

    /// <summary>Keys made, as far as they were in a snapshot.</summary>
    public virtual long KeysLoaded => 0;

    /// <summary>Keys passed by because their time had come.</summary>
    public virtual long KeysExpired => 0;

    /// <summary>Memory of the server that wrote the file, as it says; 0 when it does not.</summary>
    public virtual long WriterUsedMemory => 0;

    /// <summary>Loads some of it, a few hundred keys or commands at most.</summary>
    /// <returns>Whether there is more.</returns>
    /// <exception cref="Hosting.StartupException">It cannot be loaded.</exception>
    public abstract bool Load();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    protected static FileStream Open(string path) => new(
        path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
