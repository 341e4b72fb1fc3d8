using System.Net;
using KvServer.Resp;

namespace KvServer.Server.Net;

/// <summary>What a client's session may ask of the connection beneath it.</summary>
/// <remarks>All members are for the command loop.</remarks>
internal interface IClientConnection
{
    EndPoint? RemoteEndPoint { get; }

    EndPoint? LocalEndPoint { get; }

    /// <summary>The socket's descriptor, or -1 where there is none to show.</summary>
    int FileDescriptor { get; }

    /// <summary>Bytes written for this client that the socket has not taken yet.</summary>
    long PendingOutputBytes { get; }

    /// <summary>Whether replies wait for the socket to have room again.</summary>
    bool IsSendBlocked { get; }

    /// <summary>Bytes received that do not make a whole request yet.</summary>
    long PendingInputBytes { get; }

    /// <summary>Those of <see cref="PendingInputBytes"/> that are arguments in memory of their own.</summary>
    long PendingArgumentBytes { get; }

    /// <summary>Bytes of the requests that run now or wait for something before they go on.</summary>
    long BatchBytes { get; }

    /// <summary>The limits the next request is framed under; wider once the client is authenticated.</summary>
    ProtocolLimits Limits { set; }

    /// <summary>Something was written for this client outside its own batch: send it at the end of this entry.</summary>
    void MarkOutputPending();

    /// <summary>Sends bytes that other connections may be sending too, behind everything written so far, at the end of
    /// this entry. The client's reply writer must be idle.</summary>
    /// <param name="bytes">Must not change any more. Kept until they are sent where that saves a copy; they count as
    /// pending output of each connection in full.</param>
    void PushShared(byte[] bytes);

    /// <summary>Goes on with a batch that <see cref="Commands.CommandExecutor.Run"/> left unfinished.</summary>
    /// <remarks>Later, in an entry of its own: a command that resumes others still runs when this returns.</remarks>
    void Resume();

    /// <summary>Lets replies go that waited for the disk, and the connection go on.</summary>
    void ReleaseReplies();

    /// <summary>Closes once everything written so far has been sent.</summary>
    void CloseAfterReplies();

    /// <summary>Closes at once; what has not been sent is dropped.</summary>
    /// <param name="reason">For the log.</param>
    void CloseNow(string reason);
}
