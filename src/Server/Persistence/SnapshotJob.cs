using System.Buffers.Binary;
using KvServer.Server.Config;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>The background half of one save: encodes, writes, forces to disk, reads back, and puts the file in place.</summary>
/// <remarks>
/// The thread owns what it takes out of the queue. The file has a temporary name until its checksum has been read back
/// and found right; whatever goes wrong before that leaves the old file as it was.
/// </remarks>
internal sealed class SnapshotJob
{
    private const int CopyBytes = 128 * 1024;
    private const int ChecksumBytes = sizeof(ulong);

    private readonly Keyspace _keyspace;
    private readonly Thread _thread;
    private readonly SnapshotTarget _target;
    private readonly bool _compresses;
    private readonly bool _hasChecksum;
    private readonly int _keyDelayMicros;
    private readonly AccessHintKind _hints;
    private readonly RdbFileInfo _info;
    private readonly BackgroundThread _background = new();
    private KeyDelay _keyDelay;
    private volatile RecordEncoder? _encoder;
    private volatile bool _isDone;

    /// <summary>Prepares a save; <see cref="Start"/> starts the thread.</summary>
    /// <param name="keyspace">What is saved.</param>
    /// <param name="target">What it is written to.</param>
    /// <param name="config">Read now, not later.</param>
    /// <param name="nowSeconds">For the file's own fields, in seconds since 1970.</param>
    public SnapshotJob(Keyspace keyspace, SnapshotTarget target, ServerConfig config, long nowSeconds)
    {
        _keyspace = keyspace;
        _target = target;
        _compresses = config.RdbCompression;
        _hasChecksum = config.RdbChecksum;
        _keyDelayMicros = config.RdbKeySaveDelayMicros;
        _hints = config.MaxMemoryPolicy switch
        {
            MaxMemoryPolicy.AllKeysLru or MaxMemoryPolicy.VolatileLru => AccessHintKind.IdleSeconds,
            MaxMemoryPolicy.AllKeysLfu or MaxMemoryPolicy.VolatileLfu => AccessHintKind.Frequency,
            _ => AccessHintKind.None,
        };
        _info = new RdbFileInfo(nowSeconds, keyspace.Heap.UsedBytes, target.IsAofBase, keyspace.HasExpiringFields);
        _thread = new Thread(Run) { Name = "snapshot", IsBackground = true };
    }

    /// <summary>What carries the states here.</summary>
    public SnapshotQueue Queue { get; init; } = new();

    /// <summary>Where the file goes.</summary>
    public string Path => _target.Path;

    /// <summary>Bytes of the file, once it is in place.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>Keys written so far. Any thread.</summary>
    public long KeysWritten => _encoder?.KeysEncoded ?? 0;

    /// <summary>Whether the thread has ended. Any thread.</summary>
    public bool IsDone => _isDone;

    /// <summary>Why there is no new file; null when there is one. Once done.</summary>
    public string? Error { get; private set; }

    /// <summary>Starts. Where the system has no thread to give, the job is done at once with an <see cref="Error"/>.</summary>
    public void Start()
    {
        try
        {
            _thread.Start();
        }
        catch (OutOfMemoryException)
        {
            // What .NET throws when a thread can't be made, whatever ran out. The save fails like any other that can't
            // write, instead of leaving one that never ends.
            Error = "no thread could be started";
            Queue.Abort();
            _isDone = true;
        }
    }

    /// <summary>Waits for the end.</summary>
    public void Join()
    {
        if ((_thread.ThreadState & ThreadState.Unstarted) == 0)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        BackgroundThread.LowerPriority();
        try
        {
            if (Path.Length == 0)
            {
                Error = "dbfilename is empty";
            }
            else if (!TryWrite())
            {
                Error = Queue.LacksMemory ? "there is no memory for copies of what is saved" : "the save was given up";
            }
            else
            {
                File.Move(_target.TemporaryPath, Path, overwrite: true);
                Error = DiskSync.TryFlushFolder(System.IO.Path.GetDirectoryName(Path)!);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            Error = DiskError.TextOf(e);
        }

        if (Error is not null)
        {
            Queue.Abort();
            RemoveTemporaryFile();
        }

        _isDone = true;
    }

    private bool TryWrite()
    {
        using FileStream file = new(
            _target.TemporaryPath, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        bool hasChecksum = _hasChecksum && !_target.AsCommands;
        RdbOutput output = new(new SnapshotStream(file, _target.WritesOut), hasChecksum, CopyBytes);
        if (!(_target.AsCommands ? TryEncodeAsCommands(output) : TryEncode(output)))
        {
            return false;
        }

        DiskSync.Flush(file.SafeFileHandle);
        Verify(file, output.LengthBytes, hasChecksum);
        LengthBytes = output.LengthBytes;
        return true;
    }

    private bool TryEncode(RdbOutput output)
    {
        RdbWriter writer = new(output, new RdbWriterOptions(_compresses));
        writer.WriteHeader(_info);
        using SnapshotEncoder encoder = new(writer, _keyspace, _hints);
        EncodeAll(encoder);
        if (Queue.IsCompleted)
        {
            writer.WriteEnd();
        }

        return Queue.IsCompleted;
    }

    private bool TryEncodeAsCommands(RdbOutput output)
    {
        AofBaseEncoder encoder = new(output);
        if (_target.TimestampSeconds is { } seconds)
        {
            encoder.Annotate(seconds);
        }

        EncodeAll(encoder);
        output.Flush();
        return Queue.IsCompleted;
    }

    private void EncodeAll(RecordEncoder encoder)
    {
        _encoder = encoder;
        while (Queue.TryTake(out SnapshotChunk chunk))
        {
            encoder.Encode(chunk);
            Queue.Return(chunk);
            GiveWay();
            if (_keyDelay.TakeMs(encoder.KeysEncoded, _keyDelayMicros) is > 0 and int ms)
            {
                Queue.Delay(TimeSpan.FromMilliseconds(ms));
            }
        }
    }

    // Not while more comes than is written: the states that wait would take ever more memory.
    private void GiveWay()
    {
        if (Queue.QueuedBytes <= 2 * SnapshotQueue.DefaultLimitBytes)
        {
            _background.GiveWay();
        }
    }

    // What is on disk is what was meant: only then may it take the old file's place.
    private void Verify(FileStream file, long lengthBytes, bool hasChecksum)
    {
        if (file.Length != lengthBytes)
        {
            throw new IOException($"the file has {file.Length} bytes instead of {lengthBytes}");
        }

        if (!hasChecksum)
        {
            return;
        }

        file.Position = 0;
        byte[] buffer = GC.AllocateUninitializedArray<byte>(CopyBytes);
        ulong checksum = 0;
        for (long left = lengthBytes - ChecksumBytes; left > 0;)
        {
            int read = file.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (read == 0)
            {
                throw new IOException("the file ends too early when it is read back");
            }

            checksum = Crc64.Append(checksum, buffer.AsSpan(0, read));
            left -= read;
            _background.GiveWay();
        }

        file.ReadExactly(buffer, 0, ChecksumBytes);
        if (BinaryPrimitives.ReadUInt64LittleEndian(buffer) != checksum)
        {
            throw new IOException("the checksum is wrong when the file is read back");
        }
    }

    private void RemoveTemporaryFile()
    {
        try
        {
            File.Delete(_target.TemporaryPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or closed to us, and the error of the save itself says so.
        }
    }
}
