using System.Buffers;

namespace KvServer.Server.Net.Pipes;

/// <summary>The 16 KB blocks that receive requests and hold replies until they are sent.</summary>
/// <remarks>
/// <para>Blocks are pinned for life, so system calls take their address as it is. A block and its owner are one
/// object that is used over and over: renting and returning allocate nothing in steady state.</para>
/// <para>A pipe gives its blocks back as soon as everything in them was consumed, so an idle connection holds none.
/// Each thread keeps a few free ones for itself, without a lock; the rest lie in a shared stack, of which
/// <see cref="Trim"/> lets go what the last second had no use for. The collector has no reason to run in a process that
/// allocates nothing, so after a burst of replies the pool asks it to, once; else the burst would stay resident.</para>
/// <para>Any thread may call any member; <see cref="Trim"/> is called by one at a time.</para>
/// </remarks>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Bytes in a block: what one receive takes at most.</summary>
    internal const int BlockBytes = 16 * 1024;

    // One connection at a time uses an input block; a turn of P 1 requests uses an output block for each connection.
    private const int BlocksPerThread = 64;

    // What has to be let go before a collection is worth its pause: 35 to 50 ms to unmap 256 MB with 1500 connections,
    // so not often either. Without compacting it takes 5 ms and returns nothing to the system.
    private const long CollectAfterBytes = 32L * 1024 * 1024;
    private const long CollectEveryMs = 60_000;

    [ThreadStatic]
    private static ThreadBlocks? _ownBlocks;

    private readonly Lock _sharedLock = new();
    private Block? _shared;
    private int _sharedCount;
    private int _leastShared;
    private long _blockCount;
    private long _droppedBytes;
    private long _collectNotBeforeMs;

    /// <summary>Blocks that exist, in use or free.</summary>
    internal long BlockCount => Interlocked.Read(ref _blockCount);

    /// <summary>Blocks that lie free, in the shared stack or with the calling thread. For tests.</summary>
    internal int FreeCount
    {
        get
        {
            int own = _ownBlocks is { } blocks && blocks.Pool == this ? blocks.Count : 0;
            lock (_sharedLock)
            {
                return _sharedCount + own;
            }
        }
    }

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">More than a block is asked for.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return RentBlock();
    }

    /// <summary>Takes a block, whose <see cref="Block.Dispose"/> gives it back.</summary>
    internal Block RentBlock()
    {
        ThreadBlocks? own = _ownBlocks;
        return own is not null && own.Pool == this && own.Count > 0 ? own.Blocks[--own.Count] : RentShared();
    }

    /// <summary>Takes a block back.</summary>
    internal void Return(Block block)
    {
        ThreadBlocks own = _ownBlocks ??= new ThreadBlocks();
        if (own.Pool != this)
        {
            // Only tests have several pools in a process: a thread that changes over leaves the old blocks behind.
            own.Pool = this;
            own.Count = 0;
        }

        if (own.Count < BlocksPerThread)
        {
            own.Blocks[own.Count++] = block;
            return;
        }

        lock (_sharedLock)
        {
            // Linked through the blocks themselves: giving memory back must not need any.
            block.Link(_shared);
            _shared = block;
            _sharedCount++;
        }
    }

    /// <summary>Gives memory back that nobody rented since the previous call.</summary>
    /// <remarks>Called about once a second. Half of the unused blocks go each time, so that load that comes and goes
    /// does not allocate them again and again. When most of a burst is gone the collector is asked to return its
    /// memory to the system.</remarks>
    internal void Trim()
    {
        int drop;
        lock (_sharedLock)
        {
            drop = (_leastShared + 1) / 2;
            for (int i = 0; i < drop; i++)
            {
                _shared = _shared!.NextBlock;
            }

            _ = Interlocked.Add(ref _blockCount, -drop);
            _sharedCount -= drop;
            _leastShared = _sharedCount;
        }

        _droppedBytes += (long)drop * BlockBytes;
        bool mostIsGone = drop * 32L * BlockBytes <= _droppedBytes;
        long nowMs = Environment.TickCount64;
        if (_droppedBytes >= CollectAfterBytes && mostIsGone && nowMs >= _collectNotBeforeMs)
        {
            _droppedBytes = 0;
            _collectNotBeforeMs = nowMs + CollectEveryMs;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_sharedLock)
        {
            _shared = null;
            _sharedCount = 0;
            _leastShared = 0;
        }
    }

    private Block RentShared()
    {
        lock (_sharedLock)
        {
            if (_shared is { } block)
            {
                _shared = block.NextBlock;
                block.Link(null);
                _sharedCount--;
                _leastShared = Math.Min(_leastShared, _sharedCount);
                return block;
            }
        }

        Block made = new(this);
        _ = Interlocked.Increment(ref _blockCount);
        return made;
    }

    private sealed class ThreadBlocks
    {
        internal readonly Block[] Blocks = new Block[BlocksPerThread];
        internal BlockPool? Pool;
        internal int Count;
    }
}
