using KvServer.Resp;
using KvServer.Server.Commands;

namespace KvServer.Server.Net;

/// <summary>A thread with an epoll set and its share of the connections.</summary>
/// <remarks>
/// <para>One turn: wait; receive once from each ready connection, whose receive loop frames the bytes inside that call;
/// enter the command loop once with all batches; send each connection's output once; let the receive loops go on.
/// Level-triggered and at most one receive per connection and turn, so no client starves another: what a client sent
/// beyond one block waits in its socket for the next turn.</para>
/// <para>With several loops the command loop may be busy. The turn is then run by the thread that holds it, which
/// wakes this loop afterwards; meanwhile this loop goes on receiving into its second <see cref="Turn"/>. Other threads
/// reach a loop through its inbox only.</para>
/// <para>The first loop also accepts, and runs the cron between two waits, so that with one loop the server has no
/// second busy thread. Accepted sockets go to the loops in turn rather than by SO_REUSEPORT: the shares stay even, and
/// a port that is in use is still noticed.</para>
/// </remarks>
internal sealed partial class EventLoop : ConnectionHost, IDisposable
{
    private const uint ReadInterest = Libc.EPOLLIN | Libc.EPOLLRDHUP;
    private const uint Hangup = Libc.EPOLLHUP | Libc.EPOLLERR | Libc.EPOLLRDHUP;

    private readonly EventLoopTransport _transport;
    private readonly Epoll _epoll = new();
    private readonly Thread _thread;
    private readonly Stack<RequestBatch> _batches = new();
    private EpollConnection?[] _connections = new EpollConnection?[64];
    private Turn _filling;
    private Turn? _spare;
    private Turn? _flying;
    private Turn? _ran;
    private int _connectionCount;
    private long _nowMs = Environment.TickCount64;
    private long _receivedBytes;
    private long _sentBytes;
    private int _reads;
    private int _writes;
    private long _stopAtMs;

    /// <summary>Makes a loop; <see cref="Start"/> starts its thread.</summary>
    /// <param name="transport">The transport this is one of the loops of.</param>
    /// <param name="index">0 for the loop that accepts and runs the cron.</param>
    internal EventLoop(EventLoopTransport transport, int index)
        : base(transport.Services)
    {
        _transport = transport;
        Index = index;
        _filling = new Turn(this);
        _spare = new Turn(this);
        _nextCronMs = index == 0 ? _nowMs : long.MaxValue;
        _nextMaintenanceMs = _nowMs + MaintenanceIntervalMs;
        _sendsAtOnce = Services.Config.IoThreads <= 1;
        _thread = new Thread(Run) { Name = index == 0 ? "kv-loop" : $"kv-loop-{index}", IsBackground = true };
    }

    /// <summary>Its number among the transport's loops.</summary>
    internal int Index { get; }

    private bool IsOwnThread => Thread.CurrentThread == _thread;

    /// <summary>Starts the thread.</summary>
    internal void Start() => _thread.Start();

    /// <summary>Waits for the thread's end.</summary>
    internal void Join() => _thread.Join();

    /// <inheritdoc/>
    internal override RequestBatch RentBatch() => _batches.TryPop(out RequestBatch? batch) ? batch : new RequestBatch();

    /// <inheritdoc/>
    internal override void ReturnBatch(RequestBatch batch) => _batches.Push(batch);

    /// <inheritdoc/>
    internal override void CountReceived(Connection connection, long bytes)
    {
        connection.LastInputMs = _nowMs;
        _receivedBytes += bytes;
        _reads++;
    }

    /// <inheritdoc/>
    internal override ValueTask RunAsync(Connection connection)
    {
        EpollConnection epoll = (EpollConnection)connection.Context;
        epoll.BatchPlace = BatchPlace.Filling;
        _filling.Ready.Add(epoll);
        return connection.BatchRunAsync();
    }

    /// <inheritdoc/>
    internal override bool HasPeerEnded(Connection connection) => ((EpollConnection)connection.Context).InputEnded;

    /// <inheritdoc/>
    internal override void Resume(Connection connection)
    {
        EpollConnection epoll = (EpollConnection)connection.Context;
        if (IsOwnThread)
        {
            ResumeBatch(epoll);
        }
        else
        {
            Post(new Message(MessageKind.Resume, epoll));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_inboxLock)
        {
            _isDisposed = true; // A handshake that was cut off may still want to tell something.
        }

        _epoll.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!RunTurn())
            {
            }
        }
        catch (Exception fault)
        {
            // Nothing may end this thread silently: without it the server would hang.
            Services.Fail(fault);
        }
    }

    // Returns whether this loop has come to its end.
    private bool RunTurn()
    {
        int count = _epoll.Wait(WaitMs());
        _nowMs = Environment.TickCount64;
        for (int i = 0; i < count; i++)
        {
            int fd = _epoll.Event(i, out uint ready);
            EpollConnection? connection = (uint)fd < (uint)_connections.Length ? _connections[fd] : null;
            if (connection is not null)
            {
                OnEvent(connection, ready);
            }
            else if (fd == _epoll.WakeDescriptor)
            {
                TakeInbox();
            }
            else
            {
                AcceptFrom(fd);
            }
        }

        PlanTimers();
        BeginHandshakes();
        if (_flying is null && _filling.HasWork)
        {
            EnterCommandLoop();
        }

        SendOutput();
        if (_ran is not null)
        {
            FinishTurn(_ran);
        }

        CloseConnections();
        CountTraffic();
        return _stopAtMs > 0 && IsFinished();
    }

    private void OnEvent(EpollConnection connection, uint ready)
    {
        if ((ready & Libc.EPOLLOUT) != 0)
        {
            SetInterest(connection, connection.Interest & ~Libc.EPOLLOUT);
            QueueSend(connection);
        }

        if ((ready & ~Libc.EPOLLOUT) == 0)
        {
            return;
        }

        if (connection.DrainDeadlineMs > 0 || connection.InputEnded)
        {
            if ((ready & (Libc.EPOLLHUP | Libc.EPOLLERR)) != 0)
            {
                Lose(connection);
            }
        }
        else if (connection.BatchPlace == BatchPlace.None)
        {
            Receive(connection, connection.Receive());
        }
        else if (connection.BatchPlace == BatchPlace.Handshaking)
        {
            ReceiveForHandshake(connection, ready);
        }
        else if (connection.BatchPlace == BatchPlace.Opening)
        {
            if ((ready & (Libc.EPOLLHUP | Libc.EPOLLERR)) != 0)
            {
                Lose(connection); // Nobody can receive yet, and it would be reported until somebody does.
            }
        }
        else if (connection.BatchPlace == BatchPlace.Suspended
            && (connection.Handler.AwaitsDisk || connection.Handler.IsReplying)
            && (ready & (Libc.EPOLLHUP | Libc.EPOLLERR)) == 0)
        {
            // It may have shut down its sending side and still wants the replies.
            SetInterest(connection, connection.Interest & Libc.EPOLLOUT);
        }
        else if (connection.BatchPlace == BatchPlace.Suspended && (ready & Hangup) != 0)
        {
            // A blocked client that hangs up is gone, as on the reference server: what it waits for comes too late.
            Lose(connection);
        }
        else if (connection.BatchPlace != BatchPlace.Filling)
        {
            // Not before the batch has run. One that runs in this very turn needs no system call to say so.
            SetInterest(connection, connection.Interest & ~Libc.EPOLLIN);
        }
    }

    private void Receive(EpollConnection connection, EpollConnection.Transfer transfer)
    {
        if (transfer == EpollConnection.Transfer.Ended)
        {
            SetInterest(connection, connection.Interest & Libc.EPOLLOUT);
            connection.EndInput();
        }
        else if (transfer == EpollConnection.Transfer.Broken)
        {
            Lose(connection);
        }
    }

    private void EnterCommandLoop()
    {
        Turn turn = _filling;
        _filling = _spare!;
        _spare = null;
        foreach (EpollConnection connection in turn.Ready)
        {
            connection.BatchPlace = BatchPlace.Flying;
        }

        if (CommandLoop.Run(turn))
        {
            _ran = turn;
        }
        else
        {
            _flying = turn;
        }
    }

    private void FinishTurn(Turn turn)
    {
        _ran = null;
        foreach (EpollConnection connection in turn.Accepted)
        {
            connection.BatchPlace = BatchPlace.None;
            if (!connection.Handler.IsClosed)
            {
                SetInterest(connection, ReadInterest | (connection.Interest & Libc.EPOLLOUT));
            }

            _ = connection.Handler.ReceiveLoopAsync();
            if (connection.Tls is not null && !connection.Handler.IsClosed)
            {
                Receive(connection, connection.OpenTls());
            }
        }

        foreach (EpollConnection connection in turn.Ready)
        {
            if (connection.BatchPlace != BatchPlace.Flying)
            {
                continue; // Suspended and resumed already: it is in the next turn.
            }

            if (connection.Handler.IsSuspended)
            {
                connection.BatchPlace = BatchPlace.Suspended;
                WatchForHangup(connection);
                continue;
            }

            connection.BatchPlace = BatchPlace.None;
            connection.Handler.BatchDone(); // May put it into the next turn at once.
            if (connection.BatchPlace == BatchPlace.None && (connection.Interest & Libc.EPOLLIN) == 0
                && !connection.InputEnded && !connection.IsLost && !connection.Handler.IsClosed)
            {
                SetInterest(connection, connection.Interest | ReadInterest);
            }
        }

        turn.Clear();
        _spare = turn;
    }

    // While a client was given its replies, what it did with its own side did not matter. Now it waits for something else,
    // and must not be served when it is gone.
    private void WatchForHangup(EpollConnection connection)
    {
        if ((connection.Interest & Libc.EPOLLRDHUP) == 0 && !connection.InputEnded && !connection.IsLost
            && connection.Handler is { AwaitsDisk: false, IsReplying: false, IsClosed: false })
        {
            SetInterest(connection, connection.Interest | Libc.EPOLLRDHUP);
        }
    }

    private void ResumeBatch(EpollConnection connection)
    {
        if (connection.BatchPlace is BatchPlace.Suspended or BatchPlace.Flying
            && connection.Handler is { IsSuspended: true, IsClosed: false })
        {
            connection.BatchPlace = BatchPlace.Filling;
            _filling.Ready.Add(connection);
        }
    }

    private void SetInterest(EpollConnection connection, uint interest)
    {
        if (connection.Watch == WatchState.Watched)
        {
            if (connection.Interest != interest)
            {
                connection.Interest = interest;
                _epoll.Modify(connection.Descriptor, interest);
            }
        }
        else if (connection.Watch == WatchState.New)
        {
            connection.Interest = interest;
            connection.Watch = WatchState.Watched;
            if (!_epoll.TryAdd(connection.Descriptor, interest))
            {
                Log.AcceptFailed(Logger, "no room in the epoll set");
                Lose(connection);
            }
        }
    }

    private void Unwatch(EpollConnection connection)
    {
        if (connection.Watch == WatchState.Watched)
        {
            _epoll.Remove(connection.Descriptor);
        }

        connection.Watch = WatchState.Removed;
        connection.Interest = 0;
    }

    private bool IsFinished()
    {
        if (_connectionCount > 0 && _nowMs < _stopAtMs)
        {
            return false;
        }

        if (_runningHandshakes > 0)
        {
            return false; // They were cut off and fail as soon as they look.
        }

        if (_flying is not null)
        {
            return false; // The command loop still refers to this loop's connections.
        }

        foreach (EpollConnection? connection in _connections)
        {
            if (connection is not null)
            {
                Destroy(connection);
            }
        }

        return true;
    }
}
