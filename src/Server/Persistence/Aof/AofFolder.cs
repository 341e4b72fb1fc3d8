namespace KvServer.Server.Persistence.Aof;

/// <summary>The folder of the append-only files: loads its manifest and replaces it.</summary>
/// <remarks>Any thread, one at a time. Failures are texts, in redis-server's words, for the log or the user.</remarks>
internal sealed class AofFolder
{
    // Far more than a manifest has; a file of this size is something else.
    private const int MaxManifestBytes = 16 * 1024 * 1024;

    private readonly string _appendFileName;

    /// <summary>Names a folder; touches nothing on disk.</summary>
    /// <param name="path">The folder (<c>appenddirname</c> in <c>dir</c>).</param>
    /// <param name="appendFileName">The option <c>appendfilename</c>.</param>
    public AofFolder(string path, string appendFileName)
    {
        Path = path;
        _appendFileName = appendFileName;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Where the manifest is.</summary>
    public string ManifestPath => PathOf(AofFileNames.Manifest(_appendFileName));

    /// <summary>Where it is written before it takes its place.</summary>
    public string TempManifestPath => PathOf(AofFileNames.TempManifest(_appendFileName));

    /// <summary>Where a file of the manifest is.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the folder when it is missing.</summary>
    /// <returns>Why it failed, or null.</returns>
    public string? TryCreate()
    {
        try
        {
            Directory.CreateDirectory(Path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"Can't open or create append-only dir {Path}: {e.Message}";
        }
    }

    /// <summary>Loads the manifest.</summary>
    /// <param name="manifest">What it says; null when folder or manifest do not exist, which is no error.</param>
    /// <param name="error">Why it cannot be read; else empty.</param>
    public bool TryLoad(out AofManifest? manifest, out string error)
    {
        string path = ManifestPath;
        manifest = null;
        error = "";
        if (!File.Exists(path))
        {
            return true;
        }

        if (!TryRead(path, out byte[] text, out error) || !AofManifest.TryParse(text, out AofManifest parsed, out error))
        {
            return false;
        }

        manifest = parsed;
        return true;
    }

    /// <summary>Reads the text of a manifest, unless it is too much for one.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="text">The text; empty when it cannot be read.</param>
    /// <param name="error">Why it cannot; else empty.</param>
    public static bool TryRead(string path, out byte[] text, out string error)
    {
        text = [];
        error = "";
        try
        {
            if (new FileInfo(path).Length > MaxManifestBytes)
            {
                error = $"The AOF manifest file {path} is too large";
                return false;
            }

            text = File.ReadAllBytes(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"Fatal error: can't open the AOF manifest file {path} for reading: {e.Message}";
            return false;
        }
    }

    /// <summary>Replaces the manifest: writes another file, forces it to disk, renames it, and forces the folder.</summary>
    /// <returns>Why it failed, or null. After a failure the old manifest is in place; only when the folder could not
    /// be forced, which the text says, is it the new one, which a power cut may take back.</returns>
    public string? TrySave(AofManifest manifest)
    {
        string temp = TempManifestPath;
        string path = ManifestPath;
        string failure = $"Can't open the AOF manifest file {temp}";
        try
        {
            using (FileStream file = new(temp, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
            {
                failure = $"Error trying to write the temporary AOF manifest file {temp}";
                file.Write(manifest.Format());
                failure = $"Fail to fsync the temp AOF file {temp}";
                DiskSync.Flush(file.SafeFileHandle);
            }

            failure = $"Error trying to rename the temporary AOF manifest file {temp} into {path}";
            File.Move(temp, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temp);
            return $"{failure}: {e.Message}";
        }

        return DiskSync.TryFlushFolder(Path) is { } reason ? $"Fail to fsync AOF directory {Path}: {reason}" : null;
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report; the next save overwrites the file.
        }
    }
}
