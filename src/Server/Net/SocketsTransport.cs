using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using KvServer.Resp;
using KvServer.Server.Net.Pipes;
using KvServer.Server.Net.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KvServer.Server.Net;

/// <summary>The transport for systems without epoll: the framework's sockets, on the thread pool.</summary>
/// <remarks>
/// <para>The framework's connection pumps bytes between socket and pipes; the accepting is ours, because errors such as
/// a lack of descriptors must neither stop nor spin the server.</para>
/// <para>A client's unread input is bounded by the pipe, and each hand-over to the command loop by the size of a batch,
/// in the order they came: a client that sends without end waits for its turn like the others.</para>
/// </remarks>
internal sealed class SocketsTransport : ConnectionHost, ITransport
{
    // As much as the framework receives ahead of a batch that runs.
    private const int ReadAheadBytes = 64 * 1024;
    private const int WriteAheadBytes = 64 * 1024;
    private const int MaintenanceIntervalMs = 1000;
    private const int AcceptPauseMs = 100;
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<SocketsConnection, bool> _connections = new();
    private readonly ConcurrentBag<RequestBatch> _batches = [];
    private readonly SocketConnectionContextFactory _factory;
    private readonly PipeOptions _pipeOptions;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Timer _cron;
    private readonly Timer _maintenance;
    private readonly HashSet<Listener> _accepting = [];
    private readonly ConcurrentBag<Task> _acceptLoops = [];
    private readonly HandshakeQueue _handshakes;
    private readonly LogInterval _acceptLog = new(1000);
    private Task? _stopped;

    /// <summary>Makes the transport; nothing runs yet.</summary>
    /// <param name="services">What the network layer shares; stays the caller's to dispose.</param>
    internal SocketsTransport(NetServices services)
        : base(services)
    {
        Listeners = new Listeners(services.Config, services.Logger);
        _handshakes = new HandshakeQueue(services.Tls);
        _factory = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions
            {
                MaxReadBufferSize = ReadAheadBytes,
                MaxWriteBufferSize = WriteAheadBytes,
                WaitForDataBeforeAllocatingBuffer = true, // An idle connection holds no block.
            },
            services.Logger);
        _pipeOptions = new PipeOptions(
            services.Blocks,
            readerScheduler: PipeScheduler.ThreadPool, // The pump must not run inside the command loop.
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0,
            resumeWriterThreshold: 0,
            minimumSegmentSize: BlockPool.BlockBytes,
            useSynchronizationContext: false);
        _cron = new Timer(static state => ((SocketsTransport)state!).PostCron(), this, Timeout.Infinite, Timeout.Infinite);
        _maintenance = new Timer(
            static state => ((SocketsTransport)state!).PostMaintenance(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <inheritdoc/>
    public Listeners Listeners { get; }

    /// <inheritdoc/>
    public void Start()
    {
        Services.PrepareTls();
        Listeners.Open();
        _ = Services.Reserve.TryTake();
        AcceptFromAll();
        _ = _cron.Change(0, Timeout.Infinite);
        _ = _maintenance.Change(MaintenanceIntervalMs, MaintenanceIntervalMs);
    }

    /// <inheritdoc/>
    public bool TryListenAgain()
    {
        bool listens = Listeners.TryReopen();
        AcceptFromAll();
        return listens;
    }

    /// <inheritdoc/>
    public void Post(Action work)
    {
        if (_stopped is null)
        {
            _ = ThreadPool.UnsafeQueueUserWorkItem(
                static state => state.CommandLoop.Post(state.work), (CommandLoop, work), preferLocal: false);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(TimeSpan within) => _stopped ??= StopCoreAsync(within);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        Listeners.Dispose();
        await _cron.DisposeAsync();
        await _maintenance.DisposeAsync();
        _factory.Dispose();
        _stopping.Dispose();
    }

    /// <inheritdoc/>
    internal override RequestBatch RentBatch() => _batches.TryTake(out RequestBatch? batch) ? batch : new RequestBatch();

    /// <inheritdoc/>
    internal override void ReturnBatch(RequestBatch batch) => _batches.Add(batch);

    /// <inheritdoc/>
    internal override void CountReceived(Connection connection, long bytes)
    {
        connection.LastInputMs = Environment.TickCount64;
        Services.Executor.Statistics.AddTraffic(bytes, 0, reads: 1, writes: 0);
    }

    /// <summary>Counts bytes given to a socket. Any thread.</summary>
    internal void CountSent(long bytes) =>
        Services.Executor.Statistics.AddTraffic(0, bytes, reads: 0, writes: 1);

    /// <inheritdoc/>
    internal override ValueTask RunAsync(Connection connection)
    {
        // First the promise, then the work: another thread may have done it before this one looks again.
        ValueTask run = connection.BatchRunAsync();
        ((SocketsConnection)connection.Context).RunBatch();
        return run;
    }

    /// <inheritdoc/>
    internal override bool HasPeerEnded(Connection connection) =>
        ((SocketsConnection)connection.Context).ConnectionClosed.IsCancellationRequested;

    /// <inheritdoc/>
    internal override void OutputCommitted(Connection connection)
    {
        // The pipe has woken the pump.
    }

    /// <inheritdoc/>
    internal override void Resume(Connection connection)
    {
        if (connection.IsSuspended)
        {
            _ = ThreadPool.UnsafeQueueUserWorkItem(
                static connection => connection.RunBatch(),
                (SocketsConnection)connection.Context,
                preferLocal: false);
        }
    }

    /// <inheritdoc/>
    internal override void Close(Connection connection) => ((SocketsConnection)connection.Context).MarkClosed();

    private void AcceptFromAll()
    {
        foreach (Listener listener in Listeners.All)
        {
            if (_accepting.Add(listener))
            {
                _acceptLoops.Add(AcceptAsync(listener));
            }
        }

        _ = _accepting.RemoveWhere(static listener => listener.IsClosed);
    }

    private async Task AcceptAsync(Listener listener)
    {
        CancellationToken stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested && !listener.IsClosed)
        {
            try
            {
                Socket socket = await listener.Socket.AcceptAsync(stopping);
                ReadOnlyMemory<byte> refusal = Services.Admit(socket.RemoteEndPoint).ToArray();
                if (!refusal.IsEmpty)
                {
                    // Plain text means nothing to a client that speaks TLS.
                    await RefuseAsync(socket, listener.IsTls ? default : refusal);
                    continue;
                }

                Serve(socket, listener.IsTls);
            }
            catch (SocketException fault) when (!listener.IsClosed)
            {
                // Out of descriptors, most likely: the connection waits in the backlog until there are some again.
                if (_acceptLog.TryEnter(Environment.TickCount64))
                {
                    Log.AcceptFailed(Logger, fault.Message);
                }

                Services.Reserve.Release();
                do
                {
                    await Task.Delay(AcceptPauseMs, CancellationToken.None);
                }
                while (!Services.Reserve.TryTake() && !stopping.IsCancellationRequested);
            }
            catch (Exception fault) when (fault is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return; // The server stops, or listens elsewhere.
            }
        }
    }

    private async Task RefuseAsync(Socket socket, ReadOnlyMemory<byte> refusal)
    {
        using (socket)
        {
            CommandLoop.Post(() => Services.Executor.Statistics.ConnectionsRejected++);
            try
            {
                if (refusal.IsEmpty)
                {
                    return;
                }

                // It fits into the empty buffer of a new socket, so this does not wait.
                _ = await socket.SendAsync(refusal);
            }
            catch (SocketException)
            {
                // The text was a courtesy.
            }
        }
    }

    private void Serve(Socket socket, bool isTls)
    {
        ConnectionContext context;
        try
        {
            if (socket.ProtocolType == ProtocolType.Tcp)
            {
                socket.NoDelay = true;
                SetKeepAlive(socket);
            }

            context = _factory.Create(socket);
        }
        catch
        {
            // It has been let in and counted, and nobody else knows of it yet.
            socket.Dispose();
            Services.Forget();
            throw;
        }

        if (isTls)
        {
            // It takes its place here already, in the order of accepting: so it is the oldest that makes room.
            CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            HandshakeQueue.Place place = _handshakes.Enter(cancel);
            _ = Task.Run(() => HandshakeAsync(context, place));
        }
        else
        {
            Serve(new SocketsConnection(context, this, _pipeOptions));
        }
    }

    private void Serve(SocketsConnection connection)
    {
        CommandLoop.Post(() => connection.Handler.Open(Services.Executor));
        _connections[connection] = true;
        _ = Task.Run(() => ServeAsync(connection));
    }

    private async Task HandshakeAsync(ConnectionContext context, HandshakeQueue.Place place)
    {
        using CancellationTokenSource cancel = place.Cancel;
        try
        {
            DuplexPipeStream records = new(context.Transport) { PeerWait = place.PeerWait };
            SslStream ssl = new(records);
            string? failure = await HandshakeAsync(ssl, place);
            records.PeerWait = null;
            Services.Tls.HandshakeEnds(context.RemoteEndPoint, failure);
            if (failure is null && !_stopping.IsCancellationRequested)
            {
                Serve(new SocketsConnection(context, this, _pipeOptions, ssl));
                return;
            }

            await ssl.DisposeAsync();
            await context.Transport.Output.CompleteAsync(); // The alert that says why goes out, if there is one.
            await context.Transport.Input.CompleteAsync();
            await context.DisposeAsync();
            Services.Forget();
        }
        finally
        {
            _handshakes.Leave(place); // Before its source is disposed, which those who make room still use.
        }
    }

    // Returns what went wrong; null for nothing.
    private async Task<string?> HandshakeAsync(SslStream ssl, HandshakeQueue.Place place)
    {
        CancellationTokenSource cancel = place.Cancel;
        Services.Tls.HandshakeBegins();
        try
        {
            await _handshakes.AwaitTurnAsync(place);
            cancel.CancelAfter(Services.Tls.HandshakeTimeoutMs);
            await ssl.AuthenticateAsServerAsync(Services.Tls.Current!.ServerOptions, cancel.Token);
            return null;
        }
        catch (Exception fault)
        {
            // Whatever it is, it costs this client its connection and nobody else anything.
            return !cancel.IsCancellationRequested ? TlsService.Explain(fault)
                : _stopping.IsCancellationRequested ? TlsService.Stopping
                : place.HasMadeRoom ? TlsService.TooMany : TlsService.TimedOut;
        }
    }

    private void SetKeepAlive(Socket socket)
    {
        int intervalSeconds = Config.TcpKeepaliveSeconds;
        if (intervalSeconds > 0)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, intervalSeconds);
            socket.SetSocketOption(
                SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, intervalSeconds / 3));
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }
    }

    private async Task ServeAsync(SocketsConnection connection)
    {
        // A suspended client does not read, so its end has to be told.
        await using CancellationTokenRegistration ended = connection.ConnectionClosed.UnsafeRegister(
            static state => ((SocketsConnection)state!).PeerEnded(), connection);
        Task pump = connection.PumpAsync(this);
        await connection.Handler.ReceiveLoopAsync();
        await connection.Closed;
        if (connection.Handler.DropsOutput)
        {
            connection.Abort(new ConnectionAbortedException());
        }
        else if (await Task.WhenAny(pump, Task.Delay(DrainTime)) != pump)
        {
            connection.Abort(new ConnectionAbortedException());
        }

        await pump;
        await connection.DisposeAsync();
        Services.Forget();
        _ = _connections.TryRemove(connection, out _); // Last: who stops the server waits until none is left.
    }

    private void PostCron() => CommandLoop.Post(() =>
    {
        if (!_stopping.IsCancellationRequested)
        {
            _ = _cron.Change(Services.Executor.Cron(Environment.TickCount64), Timeout.Infinite);
        }
    });

    private void PostMaintenance()
    {
        Services.Blocks.Trim();
        CommandLoop.Post(() =>
        {
            long nowMs = Environment.TickCount64;
            foreach (SocketsConnection connection in _connections.Keys)
            {
                connection.Handler.Maintain(nowMs);
            }
        });
    }

    private async Task StopCoreAsync(TimeSpan within)
    {
        await _stopping.CancelAsync();
        _ = _cron.Change(Timeout.Infinite, Timeout.Infinite);
        _ = _maintenance.Change(Timeout.Infinite, Timeout.Infinite);
        await Task.WhenAll(_acceptLoops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Nobody is admitted any more.
        CommandLoop.Post(() =>
        {
            foreach (SocketsConnection connection in _connections.Keys)
            {
                connection.Handler.CloseAfterReplies();
            }
        });

        // A command loop that has failed closes nothing any more, so there is an end to waiting after the cut as well.
        long deadlineMs = Environment.TickCount64 + (long)within.TotalMilliseconds;
        bool cutOff = false;
        while ((!_connections.IsEmpty || _handshakes.Count > 0) && Environment.TickCount64 < deadlineMs + MaintenanceIntervalMs)
        {
            if (!cutOff && Environment.TickCount64 >= deadlineMs)
            {
                cutOff = true;
                foreach (SocketsConnection connection in _connections.Keys)
                {
                    connection.Abort(new ConnectionAbortedException("The server stops."));
                }
            }

            await Task.Delay(5, CancellationToken.None);
        }

        Listeners.Dispose();
    }
}
