using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using KvServer.Server.Commands;
using KvServer.Server.Net.Pipes;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KvServer.Server.Net;

/// <summary>A connection of the framework's socket transport, with an output pipe of our own in front of it.</summary>
/// <remarks>
/// <para>The framework's pipe does not tell how much of it was sent, and its writer may be told to wait. Commands must
/// never wait, and the limits on unread replies need the number. So replies go into a pipe without a threshold, and
/// <see cref="PumpAsync"/> moves them on as the socket takes them, which costs one copy.</para>
/// <para>It is also the <see cref="LoopEntry"/>-maker for its batches: what finds the command loop busy is completed
/// on a pool thread afterwards.</para>
/// </remarks>
internal sealed class SocketsConnection : ConnectionContext, IDuplexPipe, IThreadPoolWorkItem
{
    // A piece at a time, so that a long backlog gives its blocks back as it goes out instead of being held twice.
    private const int PumpBytes = 4 * BlockPool.BlockBytes;

    private readonly ConnectionContext _socket;
    private readonly SslStream? _ssl;
    private readonly PipeReader? _decrypted;
    private readonly Pipe _output;
    private readonly BatchEntry _entry;
    private readonly CommandLoop _loop;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _batchHasRun;

    /// <summary>Wraps a connection of the framework, which is owned from here on.</summary>
    /// <param name="socket">The framework's connection.</param>
    /// <param name="transport">The transport that serves it.</param>
    /// <param name="pipeOptions">For the output pipe.</param>
    /// <param name="ssl">The TLS layer over the socket, its handshake done; null on a plain connection. Owned too.</param>
    internal SocketsConnection(
        ConnectionContext socket, SocketsTransport transport, PipeOptions pipeOptions, SslStream? ssl = null)
    {
        _socket = socket;
        _ssl = ssl;
        if (ssl is not null)
        {
            _decrypted = PipeReader.Create(ssl, new StreamPipeReaderOptions(
                bufferSize: BlockPool.BlockBytes, leaveOpen: true, useZeroByteReads: true));
        }

        _output = new Pipe(pipeOptions);
        _entry = new BatchEntry(this);
        _loop = transport.CommandLoop;
        Handler = new Connection(this, transport, transport.Services.NewRequestReader());
    }

    /// <summary>The protocol side of this connection.</summary>
    internal Connection Handler { get; }

    /// <summary>Completes when the command loop has let go of the connection.</summary>
    internal Task Closed => _closed.Task;

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public PipeReader Input => _decrypted ?? _socket.Transport.Input;

    /// <inheritdoc/>
    public PipeWriter Output => _output.Writer;

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _socket.ConnectionId;
        set => _socket.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _socket.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _socket.Items;
        set => _socket.Items = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => _socket.RemoteEndPoint is IPEndPoint remote ? remote : null;
        set => _socket.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _socket.LocalEndPoint;
        set => _socket.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _socket.ConnectionClosed;
        set => _socket.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _socket.Abort(abortReason);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_ssl is not null)
        {
            await _ssl.DisposeAsync();
            await _socket.Transport.Input.CompleteAsync();
        }

        await _socket.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>Runs the batch, or the rest of a suspended one. Any thread, not inside the command loop.</summary>
    internal void RunBatch()
    {
        if (_loop.Run(_entry))
        {
            ReleaseReceiveLoop();
        }
    }

    /// <summary>Closes a suspended client whose peer has hung up. Any thread.</summary>
    internal void PeerEnded() => _loop.Post(() =>
    {
        if (Handler is { IsSuspended: true, AwaitsDisk: false, IsReplying: false })
        {
            Handler.CloseNow("connection lost");
        }
    });

    /// <summary>Lets the receive loop, if it waits for a suspended batch, see that the connection is closed. Inside the
    /// command loop.</summary>
    internal void MarkClosed()
    {
        if (Handler.IsSuspended)
        {
            Volatile.Write(ref _batchHasRun, 1);
            _ = ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        Input.CancelPendingRead();
        _ = _closed.TrySetResult();
    }

    /// <summary>Moves replies to the socket as it takes them, until the output is complete.</summary>
    internal async Task PumpAsync(SocketsTransport transport)
    {
        PipeReader from = _output.Reader;
        PipeWriter socket = _socket.Transport.Output;
        PipeWriter to = _ssl is null ? socket : PipeWriter.Create(_ssl, new StreamPipeWriterOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                ReadResult result = await from.ReadAsync();
                ReadOnlySequence<byte> piece = result.Buffer;
                if (piece.Length > PumpBytes)
                {
                    piece = piece.Slice(0, PumpBytes);
                }

                long bytes = piece.Length;
                foreach (ReadOnlyMemory<byte> segment in piece)
                {
                    to.Write(segment.Span);
                }

                FlushResult flushed = await to.FlushAsync();
                Handler.CountSent(bytes);
                transport.CountSent(bytes);
                from.AdvanceTo(piece.End);
                if (flushed.IsCompleted || (result.IsCompleted && bytes == 0))
                {
                    break;
                }
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            // The peer is gone; the receiving side notices by itself.
        }

        await EndOutputAsync(to, socket);
        await from.CompleteAsync();
    }

    private async Task EndOutputAsync(PipeWriter to, PipeWriter socket)
    {
        if (_ssl is not null)
        {
            try
            {
                await to.CompleteAsync();
                await _ssl.ShutdownAsync();
            }
            catch (Exception fault) when (fault is IOException or OperationCanceledException or InvalidOperationException)
            {
                // The peer is gone, or has said good-bye first.
            }
        }

        await socket.CompleteAsync();
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute() => ReleaseReceiveLoop();

    // A resumed batch may have been finished by another thread before the one that suspended it looks: one of them only.
    private void ReleaseReceiveLoop()
    {
        if (Interlocked.Exchange(ref _batchHasRun, 0) == 1)
        {
            Handler.BatchDone();
        }
    }

    private sealed class BatchEntry(SocketsConnection connection) : LoopEntry
    {
        internal override void Execute(CommandExecutor executor)
        {
            Connection handler = connection.Handler;
            handler.LookAhead(executor);
            handler.PrefetchEntries(executor);
            handler.RunBatch(executor);
            if (!handler.IsSuspended)
            {
                Volatile.Write(ref connection._batchHasRun, 1);
            }
        }

        internal override void Completed() => ThreadPool.UnsafeQueueUserWorkItem(connection, preferLocal: false);
    }
}
