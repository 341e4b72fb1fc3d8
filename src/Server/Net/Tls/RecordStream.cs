using System.Threading.Tasks.Sources;

namespace KvServer.Server.Net.Tls;

/// <summary>The encrypted side of a TLS connection of the event loop: what SslStream reads records from and writes
/// them to.</summary>
/// <remarks>
/// <para>Only the loop's thread touches the socket, so that a descriptor can never be used after it was closed.</para>
/// <para>First the handshake, whose arithmetic runs on pool threads: a read waits with its buffer until the loop has
/// received into that, a write leaves its bytes for the loop to send. There is no buffer in between that a client
/// could fill. From <see cref="BelongToLoop"/> on everything happens on the loop's thread: a read receives by itself,
/// once for each time the loop found the socket ready, and otherwise waits; its continuation runs inside
/// <see cref="TryReceive"/>. A write sends, and keeps what the socket does not take: less than one record.</para>
/// <para>It follows where records begin and end in what it receives. Whoever has taken the one record that came knows
/// then that nothing is left in SslStream, and need not begin a read only to have it wait.</para>
/// </remarks>
internal sealed class RecordStream(int descriptor, ITlsHost host) : AsyncStream, IValueTaskSource<int>
{
    private readonly Lock _lock = new(); // For the handshake only.
    private ManualResetValueTaskSourceCore<int> _read = new() { RunContinuationsAsynchronously = true };
    private Memory<byte> _target;
    private byte[] _rest = [];
    private int _restStart;
    private int _restEnd;
    private bool _isReading;
    private bool _mayReceive;
    private bool _isLoops;
    private bool _isClosed;
    private RecordBounds _bounds;

    /// <summary>How long the handshake has waited for the client. Any thread.</summary>
    internal PeerWait PeerWait { get; } = new();

    /// <summary>Whether one record, and nothing else, came to its end since <see cref="BeginRecords"/>, and nothing of
    /// another has come. The loop's thread.</summary>
    internal bool HasOneRecord => _bounds is { IsAtEnd: true, Count: 1 };

    /// <summary>Whether the socket broke. The loop's thread.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>Whether records wait for the socket to have room. The loop's thread.</summary>
    internal bool HasRest
    {
        get
        {
            if (_isLoops)
            {
                return _restEnd > _restStart;
            }

            lock (_lock)
            {
                return _restEnd > _restStart;
            }
        }
    }

    /// <summary>The handshake is over: no other thread comes here any more. The loop's thread.</summary>
    internal void BelongToLoop()
    {
        _isLoops = true;
        _read.RunContinuationsAsynchronously = false;
    }

    /// <summary>The socket is watched for a handshake that asked for it: from now on the client is waited for. The loop's
    /// thread.</summary>
    internal void BeginPeerWait()
    {
        lock (_lock)
        {
            if (_isReading)
            {
                PeerWait.Begin();
            }
        }
    }

    /// <summary>Receives for a handshake that waits for it. The loop's thread.</summary>
    /// <returns>False when it does not wait now: the socket must not be watched until it asks.</returns>
    internal bool TryReceiveForHandshake()
    {
        lock (_lock)
        {
            if (!_isReading)
            {
                return false;
            }

            int received = ReceiveInto(_target);
            if (received == LinuxSocket.WouldBlock)
            {
                return true;
            }

            EndRead();
            PeerWait.End();
            if (received < 0)
            {
                _read.SetException(new IOException("Connection reset by peer"));
            }
            else
            {
                _read.SetResult(received);
            }

            return true;
        }
    }

    /// <summary>Counts records from here on, for <see cref="HasOneRecord"/>. The loop's thread.</summary>
    internal void BeginRecords() => _bounds.Count = 0;

    /// <summary>The socket has something to receive. Whoever waits for it goes on inside this call. The loop's thread,
    /// after <see cref="BelongToLoop"/>.</summary>
    /// <returns>False when nobody waits: the next read will receive.</returns>
    internal bool TryReceive()
    {
        _mayReceive = true;
        if (!_isReading)
        {
            return false;
        }

        if (_target.IsEmpty)
        {
            EndRead();
            _read.SetResult(0);
            return true;
        }

        _mayReceive = false;
        int received = ReceiveInto(_target);
        if (received == LinuxSocket.WouldBlock)
        {
            return true;
        }

        EndRead();
        if (received < 0)
        {
            IsBroken = true;
            _read.SetException(new IOException("Connection reset by peer"));
        }
        else
        {
            _read.SetResult(received);
        }

        return true;
    }

    /// <summary>Sends what an earlier write has left. The loop's thread.</summary>
    /// <returns>Whether nothing is left.</returns>
    internal bool TrySendRest()
    {
        if (_isLoops)
        {
            return SendRest();
        }

        lock (_lock)
        {
            return SendRest();
        }
    }

    /// <summary>Ends a read that waits, and every later one. The loop's thread, before the descriptor is closed.</summary>
    internal void Abort()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (!_isReading)
            {
                return;
            }

            EndRead();
        }

        _read.SetException(new IOException("The connection is closed"));
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isLoops)
        {
            return ReadOnLoop(buffer);
        }

        lock (_lock)
        {
            if (_isClosed)
            {
                return ValueTask.FromException<int>(new IOException("The connection is closed"));
            }

            if (buffer.IsEmpty)
            {
                return default; // Asks to be told when there is something: the read that follows waits as well.
            }

            BeginRead(buffer);
        }

        host.AwaitInput();
        return new ValueTask<int>(this, _read.Version);
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> bytes = buffer.Span;
        if (_isLoops)
        {
            WriteOnLoop(bytes);
            return default;
        }

        lock (_lock)
        {
            if (_isClosed)
            {
                return ValueTask.FromException(new IOException("The connection is closed"));
            }

            Keep(bytes);
        }

        host.AwaitSend();
        return default;
    }

    /// <inheritdoc/>
    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private ValueTask<int> ReadOnLoop(Memory<byte> buffer)
    {
        if (_isClosed || IsBroken)
        {
            return ValueTask.FromException<int>(new IOException("The connection is closed"));
        }

        if (_mayReceive)
        {
            if (buffer.IsEmpty)
            {
                return default;
            }

            _mayReceive = false; // Once a turn, so that no client starves another.
            int received = ReceiveInto(buffer);
            if (received >= 0)
            {
                return new ValueTask<int>(received);
            }

            if (received != LinuxSocket.WouldBlock)
            {
                IsBroken = true;
                return ValueTask.FromException<int>(new IOException("Connection reset by peer"));
            }
        }

        BeginRead(buffer);
        return new ValueTask<int>(this, _read.Version);
    }

    private int ReceiveInto(Memory<byte> buffer)
    {
        Span<byte> bytes = buffer.Span;
        int received = LinuxSocket.Receive(descriptor, bytes);
        if (received > 0)
        {
            _bounds.Follow(bytes[..received]);
        }

        return received;
    }

    private void WriteOnLoop(ReadOnlySpan<byte> bytes)
    {
        if (IsBroken)
        {
            return;
        }

        if (_restEnd == _restStart)
        {
            int sent = LinuxSocket.Send(descriptor, bytes);
            if (sent >= 0)
            {
                bytes = bytes[sent..];
            }
            else if (sent != LinuxSocket.WouldBlock)
            {
                IsBroken = true;
                return;
            }
        }

        if (!bytes.IsEmpty)
        {
            Keep(bytes);
        }
    }

    private bool SendRest()
    {
        while (_restStart < _restEnd && !IsBroken)
        {
            int sent = LinuxSocket.Send(descriptor, _rest.AsSpan(_restStart, _restEnd - _restStart));
            if (sent == LinuxSocket.WouldBlock)
            {
                return false;
            }

            if (sent < 0)
            {
                IsBroken = true;
                return false;
            }

            _restStart += sent;
        }

        if (!IsBroken)
        {
            _rest = []; // An idle connection holds nothing.
            _restStart = 0;
            _restEnd = 0;
        }

        return !IsBroken;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        int needed = _restEnd + bytes.Length;
        if (needed > _rest.Length)
        {
            Array.Resize(ref _rest, Math.Max(needed, _rest.Length * 2));
        }

        bytes.CopyTo(_rest.AsSpan(_restEnd));
        _restEnd = needed;
    }

    private void BeginRead(Memory<byte> buffer)
    {
        _read.Reset();
        _target = buffer;
        _isReading = true;
    }

    private void EndRead()
    {
        _target = default;
        _isReading = false;
    }
}
