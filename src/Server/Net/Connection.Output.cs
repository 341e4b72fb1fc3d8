using System.Buffers;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;

namespace KvServer.Server.Net;

/// <content>What waits to be sent, how much of it there may be, and what goes beside the replies.</content>
internal sealed partial class Connection
{
    private bool _awaitsDrain;
    private long _committedBytes;
    private long _sentReplyBytes;
    private long _pushedBytes;
    private long _sharedBytes;
    private long _settledSharedBytes;
    private long _sentBytes;
    private long _lastDrainMs;
    private long _overSoftLimitSinceMs = -1;

    /// <inheritdoc/>
    public long PendingOutputBytes => WrittenBytes + _sharedBytes - Interlocked.Read(ref _sentBytes);

    /// <summary>Whether committed replies wait in the output pipe. The one thread that sends for this connection.</summary>
    internal bool HasUnsentReplies => Volatile.Read(ref _committedBytes) != _sentReplyBytes;

    /// <inheritdoc/>
    /// <remarks>By the time a command asks, sending has been tried with everything older than its own entry.</remarks>
    public bool IsSendBlocked => _committedBytes > Interlocked.Read(ref _sentBytes);

    private bool IsDrained => PendingOutputBytes <= LongReply.MaxUnreadBytes;

    // What went into the output pipe, committed or not: replies, and messages for which they left no other way.
    private long WrittenBytes => Client is null ? 0 : Client.Reply.TotalBytesWritten + _pushedBytes;

    private ref readonly ClientOutputBufferLimit OutputLimit
    {
        get
        {
            ref readonly ClientOutputBufferLimit normal =
                ref _host.Config.ClientOutputBufferLimits[(int)ClientClass.Normal];
            bool hears = Client!.Is(ClientFlags.Subscribed)
                || (Client.Is(ClientFlags.Monitor) && (normal.HardBytes | normal.SoftBytes) == 0);
            return ref hears ? ref _host.Config.ClientOutputBufferLimits[(int)ClientClass.PubSub] : ref normal;
        }
    }

    /// <summary>Closes the connection if its client may not have any more unread replies. Command loop only.</summary>
    /// <returns>Whether it is closed.</returns>
    internal bool CloseWhenOverHardLimit()
    {
        if (_closesNowBecause is null && Client is not null)
        {
            long hardBytes = OutputLimit.HardBytes;
            if (hardBytes > 0 && PendingOutputBytes >= hardBytes)
            {
                CloseOverLimit();
            }
        }

        return _closesNowBecause is not null;
    }

    /// <summary>Closes the connection because there is no memory for its replies. Command loop only.</summary>
    internal void CloseForLackOfMemory()
    {
        if (_closesNowBecause is null)
        {
            CloseNow("out of memory");
            try
            {
                Log.OutputOutOfMemory(_host.Logger, Client?.Id ?? 0, PendingOutputBytes);
            }
            catch (OutOfMemoryException)
            {
                // The line is not worth the server: the lost connection has to speak for itself.
            }
        }
    }

    /// <summary>Counts bytes that the socket took. The one thread that sends for this connection, outside the command
    /// loop.</summary>
    internal void CountSent(long bytes)
    {
        // A fence, so that either this thread sees that somebody waits, or that one sees these bytes.
        Interlocked.Exchange(ref _sentBytes, _sentBytes + bytes);
        if (Volatile.Read(ref _awaitsDrain))
        {
            Volatile.Write(ref _lastDrainMs, Environment.TickCount64);
            if (IsDrained && Interlocked.Exchange(ref _awaitsDrain, false))
            {
                _loop.Post(Resume);
            }
        }
    }

    /// <summary>Counts bytes out of the output pipe that the socket took. The same thread.</summary>
    internal void CountSentReplies(long bytes)
    {
        _sentReplyBytes += bytes;
        CountSent(bytes);
    }

    /// <inheritdoc/>
    public void PushShared(byte[] bytes)
    {
        if (PendingOutputBytes == 0 && _host.TryShare(this, bytes))
        {
            _sharedBytes += bytes.Length;
        }
        else
        {
            _sessionOutput!.Write(bytes);
            _pushedBytes += bytes.Length;
        }

        _loop.Touch(this);
    }

    // The next part of a long reply is written when the client has read most of the last ones.
    private void GoOnWhenDrained()
    {
        if (!IsDrained)
        {
            Interlocked.Exchange(ref _awaitsDrain, true);
            if (!IsDrained || !Interlocked.Exchange(ref _awaitsDrain, false))
            {
                return;
            }
        }

        Resume();
    }

    // Returns whether there is something new to send.
    private bool Commit()
    {
        long written = WrittenBytes;
        if (written != _committedBytes)
        {
            Client!.Reply.Commit();
            _output.FlushNow();
            Volatile.Write(ref _committedBytes, written); // Only now there is something to find.
        }
        else if (_sharedBytes == _settledSharedBytes)
        {
            return false;
        }

        _settledSharedBytes = _sharedBytes;
        CheckOutputLimit();
        return _closesNowBecause is null;
    }

    private void CheckOutputLimit()
    {
        ref readonly ClientOutputBufferLimit limit = ref OutputLimit;
        if ((limit.HardBytes | limit.SoftBytes) == 0)
        {
            return;
        }

        long pending = PendingOutputBytes;
        bool over = limit.HardBytes > 0 && pending >= limit.HardBytes;
        if (limit.SoftBytes > 0 && pending >= limit.SoftBytes)
        {
            long nowMs = _host.Services.Executor.NowMs;
            if (_overSoftLimitSinceMs < 0)
            {
                _overSoftLimitSinceMs = nowMs;
            }

            over |= nowMs - _overSoftLimitSinceMs > limit.SoftSeconds * 1000;
        }
        else
        {
            _overSoftLimitSinceMs = -1;
        }

        if (over && _closesNowBecause is null)
        {
            CloseOverLimit();
        }
    }

    private void CloseOverLimit()
    {
        _host.Services.Executor.Statistics.ClientOutputBufferLimitDisconnections++;
        Log.OutputBufferLimit(_host.Logger, Describe());
        CloseNow("output buffer limit");
    }
}
