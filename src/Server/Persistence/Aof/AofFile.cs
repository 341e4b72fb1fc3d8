using KvServer.Resp;
using KvServer.Server.Commands;
using KvServer.Server.Hosting;

namespace KvServer.Server.Persistence.Aof;

/// <summary>A file of commands while it is being loaded; it may begin with a snapshot, as in the time before Redis 7.</summary>
/// <remarks>
/// A transaction runs only if its EXEC is in the file, too. Rather than keep the commands in between, a second reader
/// looks ahead for it; it goes over the file once at most, and only where the EXEC is not in the batch already.
/// </remarks>
internal sealed class AofFile : DatasetFile
{
    private const int MaxPlacesTried = 64;

    private readonly ServerState _server;
    private readonly AofReplay _replay;
    private readonly bool _isLast;
    private readonly RequestBatch _batch = new();
    private FileStream? _file;
    private RdbFile? _preamble;
    private AofReader? _reader;
    private FileStream? _aheadFile;
    private AofReader? _ahead;
    private long _lastExecOffset = -1;
    private bool _isInTransaction;

    /// <summary>Opens a file.</summary>
    /// <param name="server">Where it goes.</param>
    /// <param name="replay">Runs the commands.</param>
    /// <param name="path">The file.</param>
    /// <param name="isLast">Whether no other follows: only then may its end be missing.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public AofFile(ServerState server, AofReplay replay, string path, bool isLast)
        : base(path)
    {
        _server = server;
        _replay = replay;
        _isLast = isLast;
        _file = Open(path);
        TotalBytes = _file.Length;
        Span<byte> start = stackalloc byte[5];
        int count = _file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (start[..count].SequenceEqual("REDIS"u8))
        {
            _preamble = new RdbFile(server, path, keepsExpired: true);
        }
    }

    /// <inheritdoc/>
    public override long TotalBytes { get; }

    /// <inheritdoc/>
    public override long LoadedBytes => _reader?.EndOffset ?? _preamble?.LoadedBytes ?? 0;

    /// <inheritdoc/>
    public override long KeysLoaded => _preamble?.KeysLoaded ?? 0;

    /// <inheritdoc/>
    public override long WriterUsedMemory => _preamble?.WriterUsedMemory ?? 0;

    /// <inheritdoc/>
    public override bool Load()
    {
        if (_reader is null)
        {
            if (_preamble is not null && _preamble.Load())
            {
                return true;
            }

            _reader = new AofReader(_file!, _preamble?.LoadedBytes ?? 0, new LargeBulkBridge(_server.Keyspace));
        }

        try
        {
            if (_reader.Read(_batch))
            {
                return RunBatch();
            }
        }
        catch (IOException e)
        {
            throw new StartupException($"Unrecoverable error reading the append only file {Path}: {e.Message}", e);
        }
        catch (OutOfMemoryException e)
        {
            throw new StartupException($"Out of memory reading the append only file {Path}", e);
        }

        End(_reader);
        return false;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _batch.Dispose();
        _preamble?.Dispose();
        _file?.Dispose();
        _aheadFile?.Dispose();
    }

    // Returns false when the file ends inside a transaction.
    private bool RunBatch()
    {
        _replay.LookAhead(_batch);
        for (int i = 0; i < _batch.Count; i++)
        {
            if (IsNamed(_batch.ArgumentsOf(i), "MULTI"u8))
            {
                if (_isInTransaction)
                {
                    throw Damaged(_reader!.OffsetOf(i), "a MULTI inside a transaction");
                }

                _isInTransaction = true;
                if (!HasExec(i))
                {
                    Truncate(_reader!.OffsetOf(i), "the file ends inside a transaction");
                    return false;
                }
            }
            else if (IsNamed(_batch.ArgumentsOf(i), "EXEC"u8))
            {
                if (!_isInTransaction)
                {
                    throw Damaged(_reader!.OffsetOf(i), "an EXEC without a MULTI");
                }

                _isInTransaction = false;
            }
            else if (!_replay.TryRun(_batch, i, out string error))
            {
                throw new StartupException($"{error} reading the append only file {Path}, at offset {_reader!.OffsetOf(i)}");
            }
        }

        return true;
    }

    private static bool IsNamed(Arguments args, ReadOnlySpan<byte> name) =>
        args.Count == 1 && System.Text.Ascii.EqualsIgnoreCase(args[0], name);

    private bool HasExec(int multiIndex)
    {
        for (int i = multiIndex + 1; i < _batch.Count; i++)
        {
            if (IsNamed(_batch.ArgumentsOf(i), "EXEC"u8))
            {
                return true;
            }
        }

        long multiOffset = _reader!.OffsetOf(multiIndex);
        if (_ahead is null)
        {
            _aheadFile = Open(Path);
            _ahead = new AofReader(_aheadFile, multiOffset);
        }

        using RequestBatch batch = new();
        while (_lastExecOffset < multiOffset && _ahead.Read(batch))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                if (IsNamed(batch.ArgumentsOf(i), "EXEC"u8))
                {
                    _lastExecOffset = _ahead.OffsetOf(i);
                }
            }
        }

        // Damage further on is reported when it is come to.
        return _lastExecOffset > multiOffset || _ahead.Ending == AofEnding.Corrupt;
    }

    private void End(AofReader reader)
    {
        if (reader.Ending == AofEnding.Truncated && !HasRequestsBehind(reader.EndingOffset))
        {
            Truncate(reader.EndOffset, reader.Reason);
        }
        else if (reader.Ending != AofEnding.Clean)
        {
            string reason = reader.Ending == AofEnding.Truncated
                ? "the request that begins here reaches behind the end of the file, but others begin inside it"
                : reader.Reason;
            throw Damaged(reader.EndingOffset, reason);
        }
    }

    private StartupException Damaged(long offset, string reason) => new(
        $"Bad file format reading the append only file {Path}, at offset {offset}: {reason}. "
        + "Make a backup of your AOF file, then use kvserver --check-aof --fix <filename.manifest>");

    // A length that was damaged looks like an end that is missing, and cutting there would drop all that follows. What
    // a crash leaves of a request holds no other ones, unless it is a value that is such a file itself.
    private bool HasRequestsBehind(long offset)
    {
        const int MaxBytes = 1024 * 1024;
        using FileStream file = Open(Path);
        byte[] bytes = new byte[(int)Math.Min(TotalBytes - offset, MaxBytes)];
        file.Position = offset;
        file.ReadExactly(bytes);
        ReadOnlySpan<byte> start = "\r\n*"u8;
        using RequestBatch batch = new();
        for (int at = bytes.AsSpan().IndexOf(start), tries = 0; at >= 0 && tries < MaxPlacesTried; tries++)
        {
            AofReader reader = new(file, offset + at + 2, bufferBytes: 4096);
            if (reader.Read(batch))
            {
                return true;
            }

            int next = bytes.AsSpan(at + 1).IndexOf(start);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return false;
    }

    private void Truncate(long offset, string reason)
    {
        if (!_isLast)
        {
            throw new StartupException(
                $"Fatal error: the truncated file is not the last file: {Path}, at offset {offset}: {reason}");
        }

        if (!_server.Config.AofLoadTruncated)
        {
            throw new StartupException(
                $"Unexpected end of file reading the append only file {Path}, at offset {offset}: {reason}. You can make "
                + "a backup of your AOF file, then use kvserver --check-aof --fix <filename.manifest>, or set the "
                + "'aof-load-truncated' configuration option to yes and restart the server");
        }

        Log.AofTruncated(_server.Log, Path, offset, TotalBytes - offset, reason);
        _file!.Dispose();
        _file = null;
        try
        {
            using FileStream file = new(Path, FileMode.Open, FileAccess.Write, FileShare.Read);
            file.SetLength(offset);
            DiskSync.Flush(file.SafeFileHandle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"Error truncating the AOF {Path}: {DiskError.TextOf(e)}", e);
        }
    }
}
