using System.Buffers;
using System.IO.Pipelines;

namespace KvServer.Server.Net.Pipes;

/// <summary>The replies of a connection of the event loop: the writing end of a pipe, with its reading end beside
/// it.</summary>
/// <remarks>
/// <para>It does what <see cref="Pipe"/> does, for one writer (whichever thread holds the command loop) and one reader (the
/// event loop's), which may be two threads at a time. Nobody takes a lock or waits, and there is no limit: how much may be
/// unread is the connection's business.</para>
/// <para>Both walk along one chain of blocks, the reader never past what was flushed. When all of that is read and the
/// writer is not about to add to it, the reader gives the last block back, so that an idle connection holds none; the
/// writer then begins another chain. Who comes first is decided by one word, <see cref="_state"/>.</para>
/// </remarks>
internal sealed class SendPipe(BlockPool blocks) : PipeWriter
{
    // The state while there is no chain. Else it is twice the bytes flushed in the pipe's life, and one more while the
    // writer has the last block.
    private const long Empty = -1;
    private const long Busy = 1;

    // What one call of the system takes.
    private const int BlocksAtOnce = LinuxSocket.MaxVectors;

    // Left by the writer for the reader. Only the writer leaves Empty.
    private long _state = Empty;
    private Block? _chain;
    private bool _isEnded;

    // The writer's.
    private Block? _writing;
    private int _writingIndex;
    private long _writtenBytes;
    private bool _isBusy;

    // The reader's.
    private Block? _reading;
    private int _readingIndex;
    private long _readBytes;

    /// <summary>Flushed bytes that are not read yet. The reader.</summary>
    internal long UnreadBytes => Volatile.Read(ref _state) is var state && state == Empty ? 0 : (state >> 1) - _readBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        int minBytes = Math.Max(sizeHint, 1);
        Block? block = _isBusy ? _writing : TakeLast();
        if (block is null || block.RoomBytes - _writingIndex < minBytes)
        {
            block = AddBlock(block, minBytes);
        }

        return block.Room[_writingIndex..];
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        _writingIndex += bytes;
        _writtenBytes += bytes;
    }

    /// <inheritdoc/>
    /// <remarks>Is always complete: the reader finds the bytes the next time it looks.</remarks>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Publish();
        return default;
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        // A flush never waits.
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        Publish();
        Volatile.Write(ref _isEnded, true);
    }

    /// <summary>The next flushed bytes, as many as one system call takes. The reader.</summary>
    /// <returns>Valid until <see cref="Consume"/>.</returns>
    internal ReadOnlySequence<byte> Unread()
    {
        long rest = UnreadBytes;
        if (rest == 0)
        {
            return default;
        }

        Block first = _reading ??= TakeChain();
        Block last = first;
        int index = _readingIndex;
        for (int i = 1; ; i++)
        {
            // A block that has no successor has all the rest: the next one is linked before what it holds is flushed.
            int count = last.NextBlock is null ? (int)rest : last.Memory.Length - index;
            if (count >= rest || i == BlocksAtOnce)
            {
                return new ReadOnlySequence<byte>(first, _readingIndex, last, index + (int)Math.Min(count, rest));
            }

            rest -= count;
            last = last.NextBlock!;
            index = 0;
        }
    }

    /// <summary>The first bytes of <see cref="Unread"/> are read; blocks that are through go back. The reader.</summary>
    internal void Consume(long bytes)
    {
        _readBytes += bytes;
        Block block = _reading!;
        while (block.NextBlock is { } next && bytes >= block.Memory.Length - _readingIndex)
        {
            bytes -= block.Memory.Length - _readingIndex;
            block.Dispose();
            block = next;
            _readingIndex = 0;
        }

        _reading = block;
        _readingIndex += (int)bytes;
        if (Interlocked.CompareExchange(ref _state, Empty, _readBytes << 1) == _readBytes << 1)
        {
            _reading = null;
            block.Dispose();
        }
    }

    /// <summary>Nothing more is read; the blocks go back unless the writer still has one. The reader.</summary>
    internal void EndReading()
    {
        if (!Volatile.Read(ref _isEnded))
        {
            return; // Left to the collector.
        }

        Block? block = _state == Empty ? null : _reading ?? _chain;
        _state = Empty;
        _reading = null;
        Block.DisposeChain(block);
    }

    private void Publish()
    {
        if (!_isBusy)
        {
            return;
        }

        _isBusy = false;
        if (_writing == _chain && _writingIndex == 0)
        {
            _writing?.Dispose(); // Room was asked for and not used, or there was none. The reader never saw it.
            Volatile.Write(ref _state, Empty);
        }
        else
        {
            Volatile.Write(ref _state, _writtenBytes << 1);
        }
    }

    // The last block of the chain; null when there is none.
    private Block? TakeLast()
    {
        long state = Volatile.Read(ref _state);
        if (state == Empty || Interlocked.CompareExchange(ref _state, state | Busy, state) != state)
        {
            _writing = null;
            _writingIndex = 0;
            _chain = null;
            Volatile.Write(ref _state, (_writtenBytes << 1) | Busy);
        }

        _isBusy = true;
        return _writing;
    }

    private Block AddBlock(Block? last, int minBytes)
    {
        Block next = minBytes <= BlockPool.BlockBytes ? blocks.RentBlock() : new Block(minBytes);
        next.Begin();
        if (last is null)
        {
            _chain = next; // Found by the reader once something in it is flushed.
        }
        else
        {
            last.Append(next, _writingIndex);
        }

        _writing = next;
        _writingIndex = 0;
        return next;
    }

    private Block TakeChain()
    {
        _readingIndex = 0;
        return _chain!;
    }
}
