namespace KvServer.Storage;

/// <summary>Carries chunks from the command loop to the thread that encodes and writes them.</summary>
/// <remarks>
/// The loop never waits here: it looks at <see cref="IsFull"/> before it walks on. What commands hand over goes in even
/// when the queue is full, because they cannot wait; the walker then stands still until there is room again. Buffers go
/// round, so a snapshot of any size allocates as many as were under way at once.
/// </remarks>
public sealed class SnapshotQueue : IDisposable
{
    /// <summary>Bytes of a chunk, unless a single record is larger.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>Bytes that may wait before the walker stands still.</summary>
    public const long DefaultLimitBytes = 8 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<SnapshotChunk> _chunks = new();
    private readonly Stack<byte[]> _free = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly ManualResetEventSlim _hasRoom = new(initialState: true);
    private readonly long _limitBytes;
    private long _queuedBytes;
    private bool _completed;
    private bool _aborted;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="limitBytes">Bytes that may wait before it counts as full.</param>
    public SnapshotQueue(long limitBytes = DefaultLimitBytes) => _limitBytes = limitBytes;

    /// <summary>Bytes given to the thread that it is not done with. Any thread.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Whether the walker should wait. Any thread.</summary>
    public bool IsFull => !IsAborted && QueuedBytes >= _limitBytes;

    /// <summary>Whether one side has given up. Any thread.</summary>
    public bool IsAborted => Volatile.Read(ref _aborted);

    /// <summary>Whether everything was put in and taken out as it should be. Any thread.</summary>
    public bool IsCompleted => Volatile.Read(ref _completed) && !IsAborted;

    /// <summary>Blocks until the queue is not full any more, or the time is over. For a save that stops the loop.</summary>
    public void WaitForRoom(TimeSpan atMost)
    {
        if (IsFull)
        {
            _hasRoom.Wait(atMost);
        }
    }

    /// <summary>Takes the next chunk, waiting for it.</summary>
    /// <returns><see langword="false"/> at the end: all has been taken, or one side has given up.</returns>
    public bool TryTake(out SnapshotChunk chunk)
    {
        _arrived.Wait();
        lock (_lock)
        {
            if (!_aborted && _chunks.TryDequeue(out chunk))
            {
                return true;
            }
        }

        _arrived.Release(); // The end stays the end.
        chunk = default;
        return false;
    }

    /// <summary>Gives back a chunk that has been dealt with.</summary>
    public void Return(SnapshotChunk chunk)
    {
        lock (_lock)
        {
            _queuedBytes -= chunk.Bytes.Length;
            if (chunk.Bytes.Length == ChunkBytes)
            {
                _free.Push(chunk.Bytes);
            }

            if (_queuedBytes < _limitBytes)
            {
                _hasRoom.Set();
            }
        }
    }

    /// <summary>Gives up, on either side: what waits is dropped, what comes is dropped too. Any thread.</summary>
    public void Abort()
    {
        lock (_lock)
        {
            _aborted = true;
            _chunks.Clear();
            _queuedBytes = 0;
            _hasRoom.Set();
            _arrived.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arrived.Dispose();
        _hasRoom.Dispose();
    }

    /// <summary>A buffer for at least so many bytes. Command loop only.</summary>
    internal byte[] Rent(int bytes)
    {
        if (bytes > ChunkBytes)
        {
            return GC.AllocateUninitializedArray<byte>(bytes);
        }

        lock (_lock)
        {
            if (_free.TryPop(out byte[]? free))
            {
                return free;
            }
        }

        return GC.AllocateUninitializedArray<byte>(ChunkBytes);
    }

    /// <summary>Gives a chunk to the thread. Command loop only.</summary>
    internal void Add(SnapshotChunk chunk)
    {
        lock (_lock)
        {
            if (_aborted)
            {
                return;
            }

            _chunks.Enqueue(chunk);
            _queuedBytes += chunk.Bytes.Length;
            if (_queuedBytes >= _limitBytes)
            {
                _hasRoom.Reset();
            }

            _arrived.Release();
        }
    }

    /// <summary>Says that nothing more comes. Command loop only.</summary>
    internal void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            _arrived.Release();
        }
    }
}
