using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace KvServer.Server.Net.Pipes;

/// <summary>What a connection of the event loop has received: the reading end of a pipe, with its writing end beside
/// it.</summary>
/// <remarks>
/// <para>It does what <see cref="Pipe"/> does, but for one thread: the loop's has both ends. <see cref="Pipe"/> takes its
/// lock six times for one request, which without a pipeline was a tenth of the time outside the kernel.</para>
/// <para>No limit: how much may be unread is the connection's business. While nothing is unread it holds no block. A
/// reader that waits goes on inside <see cref="Flush"/> or <see cref="EndWriting"/>.</para>
/// </remarks>
internal sealed class ReceivePipe(BlockPool blocks) : PipeReader, IValueTaskSource<ReadResult>
{
    private ManualResetValueTaskSourceCore<ReadResult> _read;
    private Block? _first;
    private Block? _last;
    private int _firstIndex; // Of the first byte that is unread.
    private int _lastIndex; // Of the end of what may be read.
    private int _writtenIndex; // Of the end of what has been written.
    private bool _isExamined = true;
    private bool _hasUnflushed;
    private bool _isReading;
    private bool _isEnded;
    private bool _isClosed;

    /// <summary>Room for what comes next.</summary>
    /// <param name="minBytes">At least that much.</param>
    /// <returns>What <see cref="Written"/> and <see cref="Flush"/> make readable. Valid until then.</returns>
    /// <exception cref="OutOfMemoryException">The system has no memory; nothing has changed.</exception>
    internal Span<byte> Room(int minBytes)
    {
        Block? last = _last;
        if (last is null)
        {
            _first = _last = last = blocks.RentBlock();
            last.Begin();
            _firstIndex = _lastIndex = _writtenIndex = 0;
        }
        else if (last.RoomBytes - _writtenIndex < minBytes)
        {
            last = AppendBlock(last);
        }

        return last.SpanFrom(_writtenIndex);
    }

    /// <summary>That many bytes have come to where <see cref="Room"/> pointed.</summary>
    internal void Written(int count)
    {
        _writtenIndex += count;
        _hasUnflushed |= count > 0;
    }

    /// <summary>Copies bytes behind what has been written.</summary>
    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = Room(1);
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Written(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Makes readable what has been written, and gives a block back that was left untouched. A reader that waits
    /// goes on inside this call.</summary>
    internal void Flush()
    {
        if (_isClosed)
        {
            Release();
            return;
        }

        if (!_hasUnflushed)
        {
            ReleaseWhenRead();
            return;
        }

        _hasUnflushed = false;
        _lastIndex = _writtenIndex;
        _isExamined = false;
        GoOn();
    }

    /// <summary>Nothing more comes. A reader that waits goes on inside this call.</summary>
    internal void EndWriting()
    {
        _isEnded = true;
        GoOn();
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out ReadResult result))
        {
            return new ValueTask<ReadResult>(result);
        }

        _read.Reset();
        _isReading = true;
        return new ValueTask<ReadResult>(this, _read.Version);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        Debug.Assert(!_isReading, "There is one reader.");
        bool isReady = !_isExamined || _isEnded;
        result = isReady ? Unread() : default;
        return isReady;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _isExamined = examined.GetObject() == _last && examined.GetInteger() == _lastIndex;
        if (consumed.GetObject() is not Block to)
        {
            return; // Of an empty sequence.
        }

        while (_first != to)
        {
            PassFirst();
        }

        _firstIndex = consumed.GetInteger();
        while (_first != _last && _firstIndex == _first.Memory.Length)
        {
            PassFirst(); // The end of one is the beginning of the next.
        }

        ReleaseWhenRead();
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: a read ends with the connection.</exception>
    public override void CancelPendingRead() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _isClosed = true;
        Release();
    }

    /// <inheritdoc/>
    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _read.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _read.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private ReadResult Unread() => new(
        _first is null ? default : new ReadOnlySequence<byte>(_first, _firstIndex, _last!, _lastIndex),
        isCanceled: false,
        isCompleted: _isEnded);

    private void GoOn()
    {
        if (_isReading)
        {
            _isReading = false;
            _read.SetResult(Unread());
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block AppendBlock(Block last)
    {
        Block next = blocks.RentBlock();
        next.Begin();
        if (_first == last && _firstIndex == _writtenIndex)
        {
            _first = next; // Nothing in it is unread.
            _firstIndex = 0;
            last.Dispose();
        }
        else
        {
            last.Append(next, _writtenIndex);
        }

        _last = next;
        _lastIndex = _writtenIndex = 0;
        return next;
    }

    private void PassFirst()
    {
        Block passed = _first!;
        _first = passed.NextBlock;
        _firstIndex = 0;
        passed.Dispose();
    }

    private void ReleaseWhenRead()
    {
        if (_first == _last && _firstIndex == _writtenIndex)
        {
            Release();
        }
    }

    private void Release()
    {
        Block.DisposeChain(_first);
        _first = _last = null;
        _firstIndex = _lastIndex = _writtenIndex = 0;
    }
}
