namespace KvServer.Server.Net;

/// <summary>Whether a socket is in its loop's epoll set.</summary>
internal enum WatchState : byte
{
    /// <summary>Not yet.</summary>
    New,

    /// <summary>Yes.</summary>
    Watched,

    /// <summary>Not any more, and never again.</summary>
    Removed,
}
