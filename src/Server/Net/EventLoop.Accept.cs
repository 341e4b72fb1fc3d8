using System.Buffers;
using System.Net;
using System.Runtime.InteropServices;

namespace KvServer.Server.Net;

/// <content>Accepting: the first loop only, on behalf of all.</content>
internal sealed partial class EventLoop
{
    // More than this wait for the next turn, so that a storm of connections does not hold up requests.
    private const int AcceptsPerTurn = 64;

    // How long nobody is accepted when the process or the system has run out of something.
    private const int AcceptPauseMs = 100;

    private readonly LogInterval _acceptLog = new(1000);
    private IReadOnlyList<Listener> _listeners = [];
    private int _nextLoop;
    private long _acceptsAgainAtMs;

    /// <summary>Gives the loop the listeners to accept from, in place of those it had. Before <see cref="Start"/>, or
    /// any thread.</summary>
    internal void Listen(IReadOnlyList<Listener> listeners)
    {
        if (IsOwnThread || !_thread.IsAlive)
        {
            TakeListeners(listeners);
        }
        else
        {
            Post(new Message(MessageKind.Listen, Listeners: listeners));
        }
    }

    // A closed descriptor has left the epoll set by itself.
    private void TakeListeners(IReadOnlyList<Listener> listeners)
    {
        IEnumerable<Listener> added = listeners.Except(_listeners);
        if (_acceptsAgainAtMs == 0 && _stopAtMs == 0)
        {
            foreach (Listener listener in added)
            {
                _epoll.Add(listener.Descriptor, Libc.EPOLLIN);
            }
        }

        _listeners = listeners;
    }

    private void AcceptFrom(int descriptor)
    {
        if (_stopAtMs > 0 || FindListener(descriptor) is not { IsClosed: false } listener)
        {
            return;
        }

        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            int accepted = LinuxSocket.Accept(descriptor, out EndPoint? remote, out int error);
            if (accepted < 0)
            {
                switch (error)
                {
                    case Libc.EAGAIN:
                        return;
                    case Libc.EINTR or Libc.ECONNABORTED or Libc.EPROTO:
                        continue; // That one has gone; the next may be fine.
                    default:
                        PauseAccepting(error);
                        return;
                }
            }

            ReadOnlySpan<byte> refusal = Services.Admit(remote);
            if (!refusal.IsEmpty)
            {
                Refuse(accepted, listener.IsTls ? [] : refusal);
                continue;
            }

            EventLoop loop = _transport.Loops[_nextLoop++ % _transport.Loops.Count];
            if (loop == this)
            {
                TakeAccepted(accepted, remote, listener.IsTls);
            }
            else
            {
                loop.Adopt(accepted, remote, listener.IsTls);
            }
        }
    }

    private Listener? FindListener(int descriptor)
    {
        for (int i = 0; i < _listeners.Count; i++)
        {
            if (_listeners[i].Descriptor == descriptor)
            {
                return _listeners[i];
            }
        }

        return null;
    }

    // The connection that waits would make the listener ready again at once: without a pause the loop would spin.
    private void PauseAccepting(int error)
    {
        UnwatchListeners();
        Services.Reserve.Release();
        _acceptsAgainAtMs = _nowMs + AcceptPauseMs;
        if (_acceptLog.TryEnter(_nowMs))
        {
            Log.AcceptFailed(Logger, Marshal.GetPInvokeErrorMessage(error));
        }
    }

    private void UnwatchListeners()
    {
        foreach (Listener listener in _listeners)
        {
            _epoll.Remove(listener.Descriptor);
        }
    }

    private void WatchListeners()
    {
        if (!Services.Reserve.TryTake())
        {
            _acceptsAgainAtMs = _nowMs + AcceptPauseMs;
            return;
        }

        _acceptsAgainAtMs = 0;
        if (_stopAtMs == 0)
        {
            foreach (Listener listener in _listeners)
            {
                _epoll.Add(listener.Descriptor, Libc.EPOLLIN);
            }
        }
    }

    private void Refuse(int descriptor, ReadOnlySpan<byte> refusal)
    {
        if (refusal.IsEmpty)
        {
            LinuxSocket.Close(descriptor); // Plain text means nothing to a client that speaks TLS.
            _filling.Refused++;
            return;
        }

        // Best effort, as there is no connection to wait with. What the peer may have sent is taken first: a close with
        // unread bytes would reset the connection and could lose the text.
        byte[] scratch = ArrayPool<byte>.Shared.Rent(refusal.Length);
        _ = LinuxSocket.Receive(descriptor, scratch);
        refusal.CopyTo(scratch);
        _ = LinuxSocket.Send(descriptor, new ReadOnlySequence<byte>(scratch, 0, refusal.Length));
        ArrayPool<byte>.Shared.Return(scratch);
        LinuxSocket.Close(descriptor);
        _filling.Refused++;
    }

    private void TakeAccepted(int descriptor, EndPoint? remote, bool isTls)
    {
        if (_stopAtMs > 0)
        {
            LinuxSocket.Close(descriptor);
            Services.Forget();
            return;
        }

        if (remote is IPEndPoint)
        {
            LinuxSocket.SetNoDelay(descriptor);
            if (Config.TcpKeepaliveSeconds > 0)
            {
                LinuxSocket.SetKeepAlive(descriptor, Config.TcpKeepaliveSeconds);
            }
        }

        EpollConnection connection = new(descriptor, remote, Services.Blocks);
        connection.Handler = new Connection(connection, this, Services.NewRequestReader());
        if (descriptor >= _connections.Length)
        {
            Array.Resize(ref _connections, Math.Max(descriptor + 1, _connections.Length * 2));
        }

        _connections[descriptor] = connection;
        _connectionCount++;
        if (isTls)
        {
            TakeHandshake(connection);
        }
        else
        {
            _filling.Accepted.Add(connection);
        }
    }
}
