namespace KvServer.Server.Net;

/// <content>Sending, and the end of connections.</content>
internal sealed partial class EventLoop
{
    private const int DrainMs = 10_000;

    private readonly bool _sendsAtOnce; // With several loops the others wait for the command loop meanwhile.
    private readonly List<EpollConnection> _toSend = [];
    private readonly List<EpollConnection> _toClose = [];
    private readonly List<EpollConnection> _draining = [];

    /// <inheritdoc/>
    internal override void OutputCommitted(Connection connection)
    {
        EpollConnection epoll = (EpollConnection)connection.Context;
        if (!IsOwnThread)
        {
            Post(new Message(MessageKind.Send, epoll));
        }
        else if (_sendsAtOnce && !epoll.SendQueued && (epoll.Interest & Libc.EPOLLOUT) == 0 && !epoll.IsLost)
        {
            Send(epoll); // While what it takes is in the cache: a message may go to thousands.
        }
        else
        {
            QueueSend(epoll);
        }
    }

    /// <inheritdoc/>
    internal override bool TryShare(Connection connection, byte[] bytes)
    {
        EpollConnection epoll = (EpollConnection)connection.Context;
        if (epoll.Tls is not null)
        {
            return false; // Each connection has a key of its own.
        }

        epoll.Share(bytes);
        return true;
    }

    /// <inheritdoc/>
    internal override void Close(Connection connection)
    {
        EpollConnection epoll = (EpollConnection)connection.Context;
        if (IsOwnThread)
        {
            _toClose.Add(epoll);
        }
        else
        {
            Post(new Message(MessageKind.Close, epoll));
        }
    }

    // The descriptor leaves the epoll set at once: a hang-up is reported whatever the interest, again and again.
    private void Lose(EpollConnection connection)
    {
        if (connection.BatchPlace == BatchPlace.Handshaking)
        {
            FailHandshake(connection, "connection lost");
            return;
        }

        if (connection.DrainDeadlineMs > 0)
        {
            connection.DrainDeadlineMs = 1;
        }
        else if (!connection.IsLost)
        {
            connection.IsLost = true;
            _filling.Lost.Add(connection);
        }

        Unwatch(connection);
    }

    private void QueueSend(EpollConnection connection)
    {
        if (!connection.SendQueued)
        {
            connection.SendQueued = true;
            _toSend.Add(connection);
        }
    }

    private void SendOutput()
    {
        for (int i = 0; i < _toSend.Count; i++)
        {
            EpollConnection connection = _toSend[i];
            connection.SendQueued = false;
            if ((connection.Interest & Libc.EPOLLOUT) == 0 && !connection.IsLost)
            {
                Send(connection);
            }
        }

        _toSend.Clear();
    }

    private void Send(EpollConnection connection)
    {
        EpollConnection.Transfer transfer = connection.Send(out int sent);
        _sentBytes += sent;
        _writes++;
        if (transfer == EpollConnection.Transfer.Full)
        {
            SetInterest(connection, connection.Interest | Libc.EPOLLOUT);
        }
        else if (transfer == EpollConnection.Transfer.Broken)
        {
            Lose(connection);
        }
        else if (connection.DrainDeadlineMs > 0)
        {
            connection.DrainDeadlineMs = 1; // All is sent: nothing keeps it open.
        }
    }

    private void CloseConnections()
    {
        for (int i = 0; i < _toClose.Count; i++)
        {
            EpollConnection connection = _toClose[i];
            if (connection.BatchPlace is BatchPlace.Flying or BatchPlace.Opening)
            {
                continue; // The turn still lists it. It comes here again when that is finished.
            }

            _toClose.RemoveAt(i--);
            if (connection.Handler.DropsOutput || connection.IsLost)
            {
                Destroy(connection);
                continue;
            }

            connection.DrainDeadlineMs = _nowMs + DrainMs;
            SetInterest(connection, connection.Interest & Libc.EPOLLOUT);
            if ((connection.Interest & Libc.EPOLLOUT) == 0)
            {
                Send(connection);
            }

            _draining.Add(connection);
        }

        for (int i = _draining.Count - 1; i >= 0; i--)
        {
            if (_draining[i].DrainDeadlineMs <= _nowMs)
            {
                EpollConnection connection = _draining[i];
                _draining[i] = _draining[^1];
                _draining.RemoveAt(_draining.Count - 1);
                Destroy(connection);
            }
        }
    }

    private void Destroy(EpollConnection connection)
    {
        Unwatch(connection);
        _connections[connection.Descriptor] = null;
        _connectionCount--;
        connection.BatchPlace = BatchPlace.None;
        connection.Destroy();
        Services.Forget();
    }
}
