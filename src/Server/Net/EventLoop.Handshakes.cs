using KvServer.Server.Net.Tls;

namespace KvServer.Server.Net;

/// <content>TLS handshakes: the arithmetic on pool threads, receiving and sending here.</content>
/// <remarks>
/// <para>A connection has no session before its handshake is over. Until the client has sent something it costs a
/// descriptor and little else.</para>
/// <para>So many may be under way; the next ones wait for their turn, as after a restart, when every client comes back
/// at once. Clients that only connect, or begin and go silent, cannot keep the others out: while somebody waits, one that
/// has kept the server waiting for too long is cut off, and when too many wait, the oldest that keeps it waiting at
/// all. What the server itself has to compute is not held against anybody.</para>
/// </remarks>
internal sealed partial class EventLoop
{
    // Under way. The oldest come first.
    private readonly List<EpollConnection> _handshakes = [];

    // Not watched, so that their bytes and their ends stay in the kernel.
    private readonly Queue<EpollConnection> _waitingHandshakes = [];

    // Each tells this loop of its end, so the loop must not end before.
    private int _runningHandshakes;
    private bool _isDisposed;

    private int MaxHandshakes => Math.Max(1, Services.Tls.MaxHandshakes / _transport.Loops.Count);

    private void TakeHandshake(EpollConnection connection)
    {
        connection.BatchPlace = BatchPlace.Handshaking;
        Services.Tls.HandshakeBegins();
        _waitingHandshakes.Enqueue(connection);
        BeginHandshakes();
    }

    // Those whose turn it is, the first to come first. Each turn: somebody may have ended, or been there too long.
    private void BeginHandshakes()
    {
        while (_waitingHandshakes.Count > 0 && (_handshakes.Count < MaxHandshakes || TryMakeRoom()))
        {
            BeginHandshake(_waitingHandshakes.Dequeue());
        }
    }

    private bool TryMakeRoom()
    {
        long patienceMs = Services.Tls.PatienceMs(_waitingHandshakes.Count, _transport.Loops.Count);
        foreach (EpollConnection connection in _handshakes)
        {
            if (connection.Tls!.PeerWait.HasWaited(patienceMs))
            {
                FailHandshake(connection, TlsService.TooMany);
                return true;
            }
        }

        return false;
    }

    private void BeginHandshake(EpollConnection connection)
    {
        connection.Tls = new TlsChannel(connection.Descriptor, new HandshakeHost(this, connection))
        {
            HandshakeDeadlineMs = _nowMs + Services.Tls.HandshakeTimeoutMs,
        };
        _handshakes.Add(connection);
        SetInterest(connection, Libc.EPOLLIN);
    }

    private void ReceiveForHandshake(EpollConnection connection, uint ready)
    {
        if ((ready & (Libc.EPOLLHUP | Libc.EPOLLERR)) != 0)
        {
            FailHandshake(connection, "connection lost");
            return;
        }

        TlsChannel tls = connection.Tls!;
        if (!tls.HasBegun)
        {
            tls.HasBegun = true;
            tls.IsHandshakeRunning = true;
            tls.PeerWait.End(); // Until it asks for more, when a thread of the pool has come to it.
            TlsCredentials credentials = Services.Tls.Current!;
            _runningHandshakes++;
            _ = Task.Run(() => HandshakeAsync(connection, credentials));
        }

        if (!tls.TryReceiveForHandshake())
        {
            SetInterest(connection, connection.Interest & Libc.EPOLLOUT);
        }
    }

    // On the pool.
    private async Task HandshakeAsync(EpollConnection connection, TlsCredentials credentials)
    {
        string? failure = null;
        try
        {
            await connection.Tls!.HandshakeAsync(credentials);
        }
        catch (Exception fault)
        {
            // Whatever it is, it costs this client its connection and nobody else anything.
            failure = TlsService.Explain(fault);
        }

        PostFromHandshake(new Message(MessageKind.HandshakeEnd, connection, Failure: failure));
    }

    // Woken inside the lock: once the loop has taken the message it may end, and its descriptors with it.
    private void PostFromHandshake(in Message message)
    {
        lock (_inboxLock)
        {
            if (!_isDisposed)
            {
                _inbox.Add(message);
                _epoll.Wake();
            }
        }
    }

    private void EndHandshake(EpollConnection connection, string? failure)
    {
        _runningHandshakes--;
        connection.Tls!.IsHandshakeRunning = false;
        if (connection.BatchPlace != BatchPlace.Handshaking || failure is not null)
        {
            if (connection.BatchPlace == BatchPlace.Handshaking)
            {
                FailHandshake(connection, failure!); // Else it was cut off already.
            }

            connection.Tls.Dispose();
            return;
        }

        _ = _handshakes.Remove(connection);
        Services.Tls.HandshakeEnds(connection.RemoteEndPoint, failure: null);
        connection.BatchPlace = BatchPlace.Opening;
        SetInterest(connection, connection.Interest & Libc.EPOLLOUT); // What comes waits until there is a session.
        _filling.Accepted.Add(connection);
    }

    private void FailHandshake(EpollConnection connection, string reason)
    {
        _ = _handshakes.Remove(connection);
        Services.Tls.HandshakeEnds(connection.RemoteEndPoint, reason);
        _ = connection.Send(out int sent); // The alert that says why, if there is one.
        _sentBytes += sent;
        connection.IsLost = true; // It may stand in the list of those to send for.
        connection.Handler.Discard();

        // Closed at the end of the turn: an event that this turn still holds for the descriptor must find nobody, rather
        // than a connection accepted meanwhile that was given the same number.
        Unwatch(connection);
        _connections[connection.Descriptor] = null;
        connection.BatchPlace = BatchPlace.None;
        _toClose.Add(connection);
    }

    private void CutOffHandshakes(long dueMs, string reason)
    {
        while (_handshakes.Count > 0 && _handshakes[0].Tls!.HandshakeDeadlineMs <= dueMs)
        {
            FailHandshake(_handshakes[0], reason);
        }
    }

    private void StopHandshakes()
    {
        while (_waitingHandshakes.TryDequeue(out EpollConnection? waiting))
        {
            FailHandshake(waiting, TlsService.Stopping);
        }

        CutOffHandshakes(long.MaxValue, TlsService.Stopping);
    }

    private void TakeHandshakeMessage(in Message message)
    {
        EpollConnection connection = message.Connection!;
        if (message.Kind == MessageKind.HandshakeEnd)
        {
            EndHandshake(connection, message.Failure);
        }
        else if (connection.BatchPlace == BatchPlace.Handshaking)
        {
            if (message.Kind == MessageKind.HandshakeInput)
            {
                SetInterest(connection, connection.Interest | Libc.EPOLLIN);
                connection.Tls!.BeginPeerWait();
            }
            else
            {
                QueueSend(connection);
            }
        }
    }

    private sealed class HandshakeHost(EventLoop loop, EpollConnection connection) : ITlsHost
    {
        public void AwaitInput() => loop.PostFromHandshake(new Message(MessageKind.HandshakeInput, connection));

        public void AwaitSend() => loop.PostFromHandshake(new Message(MessageKind.HandshakeSend, connection));
    }
}
