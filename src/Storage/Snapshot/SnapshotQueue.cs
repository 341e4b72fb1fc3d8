using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Carries chunks from the command loop to the thread that encodes and writes them.</summary>
/// <remarks>
/// The loop never waits here: it looks at <see cref="IsFull"/> before it walks on. What commands hand over goes in even
/// when the queue is full, because they cannot wait; the walker then stands still until there is room again. Buffers go
/// round, so a snapshot of any size allocates as many as were under way at once.
/// </remarks>
/// <param name="limitBytes">Bytes that may wait before it counts as full.</param>
public sealed class SnapshotQueue(long limitBytes = SnapshotQueue.DefaultLimitBytes)
{
    /// <summary>Bytes of a chunk, unless a single record is larger.</summary>
    /// <remarks>Two tenths of a millisecond of encoding: between two chunks the thread gives way to others.</remarks>
    public const int ChunkBytes = 32 * 1024;

    // Of a chunk for one record that is larger: enough for a piece of a long value. Still larger ones are rare.
    private const int LargeChunkBytes = 72 * 1024;

    /// <summary>Bytes that may wait before the walker stands still.</summary>
    public const long DefaultLimitBytes = 8 * 1024 * 1024;

    // A monitor, because both sides wait for the other's changes.
    private readonly object _lock = new();
    private readonly Queue<SnapshotChunk> _chunks = new();
    private readonly Stack<byte[]> _free = new();
    private readonly Stack<byte[]> _freeLarge = new();
    private long _queuedBytes;
    private bool _completed;
    private bool _aborted;
    private bool _allowsDelays = true;
    private bool _lacksMemory;

    /// <summary>Bytes given to the thread that it is not done with. Any thread.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Whether the walker should wait. Any thread.</summary>
    public bool IsFull => !IsAborted && QueuedBytes >= limitBytes;

    /// <summary>Whether one side has given up. Any thread.</summary>
    public bool IsAborted => Volatile.Read(ref _aborted);

    /// <summary>Whether nothing more comes and nobody has given up. Any thread.</summary>
    public bool IsCompleted => Volatile.Read(ref _completed) && !IsAborted;

    /// <summary>Whether it was given up because memory had run out on the command loop. Any thread.</summary>
    public bool LacksMemory => Volatile.Read(ref _lacksMemory);

    /// <summary>Makes what a key is copied to whose value is written in parts; tests let it fail.</summary>
    internal Func<int, byte[]> AllocateKey { get; init; } = static bytes => new byte[bytes];

    /// <summary>Makes buffers; tests let it fail.</summary>
    /// <remarks>Pinned ones lie where the collector never copies them.</remarks>
    internal Func<int, byte[]> Allocate { get; init; } =
        static bytes => GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

    /// <summary>Blocks until the queue is not full any more, or the time is over. For a save that stops the loop.</summary>
    public void WaitForRoom(TimeSpan atMost)
    {
        lock (_lock)
        {
            if (IsFull)
            {
                Monitor.Wait(_lock, atMost);
            }
        }
    }

    /// <summary>Has the thread wait for no delay any more: somebody waits for the end. Any thread.</summary>
    public void EndDelays()
    {
        lock (_lock)
        {
            _allowsDelays = false;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Blocks until the time is over, one side has given up, or delays are not allowed any more. For the thread.</summary>
    public void Delay(TimeSpan atMost)
    {
        long startedAt = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            while (_allowsDelays && !_aborted && atMost - Stopwatch.GetElapsedTime(startedAt) is { Ticks: > 0 } left)
            {
                Monitor.Wait(_lock, left);
            }
        }
    }

    /// <summary>Takes the next chunk, waiting for it.</summary>
    /// <returns><see langword="false"/> at the end: all has been taken, or one side has given up.</returns>
    public bool TryTake(out SnapshotChunk chunk)
    {
        lock (_lock)
        {
            while (_chunks.Count == 0 && !_completed && !_aborted)
            {
                Monitor.Wait(_lock);
            }

            return _chunks.TryDequeue(out chunk);
        }
    }

    /// <summary>Gives back a chunk that has been dealt with.</summary>
    public void Return(SnapshotChunk chunk)
    {
        lock (_lock)
        {
            if (_aborted)
            {
                return;
            }

            Volatile.Write(ref _queuedBytes, _queuedBytes - chunk.Bytes.Length);
            if (FreeOf(chunk.Bytes.Length) is { } free && free.Count * (long)chunk.Bytes.Length < limitBytes)
            {
                free.Push(chunk.Bytes);
            }

            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Gives up, on either side: what waits is dropped, what comes is dropped too. Any thread.</summary>
    public void Abort()
    {
        lock (_lock)
        {
            Volatile.Write(ref _aborted, true);
            Volatile.Write(ref _queuedBytes, 0);
            _chunks.Clear();
            _free.Clear();
            _freeLarge.Clear();
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Gives up because memory has run out. Command loop only.</summary>
    internal void AbortWithoutMemory()
    {
        if (!IsAborted)
        {
            Volatile.Write(ref _lacksMemory, true); // Before the other side is told.
            Abort();
        }
    }

    /// <summary>A buffer for at least so many bytes. Command loop only.</summary>
    internal byte[] Rent(int bytes)
    {
        int size = bytes <= ChunkBytes ? ChunkBytes : Math.Max(bytes, LargeChunkBytes);
        lock (_lock)
        {
            if (FreeOf(size) is { } free && free.TryPop(out byte[]? chunk))
            {
                return chunk;
            }
        }

        return Allocate(size);
    }

    /// <summary>Gives a chunk to the thread. Command loop only.</summary>
    internal void Add(SnapshotChunk chunk)
    {
        lock (_lock)
        {
            if (!_aborted)
            {
                _chunks.Enqueue(chunk);
                Volatile.Write(ref _queuedBytes, _queuedBytes + chunk.Bytes.Length);
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Says that nothing more comes. Command loop only.</summary>
    internal void Complete()
    {
        lock (_lock)
        {
            Volatile.Write(ref _completed, true);
            Monitor.PulseAll(_lock);
        }
    }

    private Stack<byte[]>? FreeOf(int chunkBytes) => chunkBytes switch
    {
        ChunkBytes => _free,
        LargeChunkBytes => _freeLarge,
        _ => null,
    };
}
