using System.Net;
using KvServer.Resp;
using KvServer.Server.Net;

namespace KvServer.Server.Persistence.Aof;

/// <summary>The connection of a client that is none: there is nobody to send to, and nothing to close.</summary>
internal sealed class ReplayConnection : IClientConnection
{
    /// <inheritdoc/>
    public EndPoint? RemoteEndPoint => null;

    /// <inheritdoc/>
    public EndPoint? LocalEndPoint => null;

    /// <inheritdoc/>
    public int FileDescriptor => -1;

    /// <inheritdoc/>
    public long PendingOutputBytes => 0;

    /// <inheritdoc/>
    public bool IsSendBlocked => false;

    /// <inheritdoc/>
    public long PendingInputBytes => 0;

    /// <inheritdoc/>
    public long PendingArgumentBytes => 0;

    /// <inheritdoc/>
    public long BatchBytes => 0;

    /// <inheritdoc/>
    public ProtocolLimits Limits
    {
        set => _ = value;
    }

    /// <inheritdoc/>
    public void MarkOutputPending()
    {
        // Replies to replayed commands are of no use to anybody.
    }

    /// <inheritdoc/>
    public void PushShared(byte[] bytes)
    {
        // Nor would a message be.
    }

    /// <inheritdoc/>
    public void Resume()
    {
        // It never waits.
    }

    /// <inheritdoc/>
    public void ReleaseReplies()
    {
        // None are kept.
    }

    /// <inheritdoc/>
    public void CloseAfterReplies()
    {
        // A file that says QUIT is read on.
    }

    /// <inheritdoc/>
    public void CloseNow(string reason)
    {
        // The same.
    }
}
