namespace KvServer.Server.Clients;

/// <summary>What is special about a client. None of these are set for an ordinary one, so one test admits it.</summary>
[Flags]
internal enum ClientFlags
{
    None = 0,

    /// <summary>Has at least one subscription; in RESP2 only a few commands are allowed then.</summary>
    Subscribed = 1 << 0,

    /// <summary>No further requests are run; the connection closes when its replies are out.</summary>
    CloseAfterReplies = 1 << 1,

    /// <summary>No further requests are run; the connection is being torn down.</summary>
    Closing = 1 << 2,

    /// <summary>CLIENT NO-EVICT ON.</summary>
    NoEvict = 1 << 3,

    /// <summary>CLIENT NO-TOUCH ON: look-ups leave the access clocks alone.</summary>
    NoTouch = 1 << 4,

    /// <summary>Waits for CLIENT PAUSE to end, for a blocking command's key, or for the rest of a long reply to be written: its
    /// batch is held where it is.</summary>
    Suspended = 1 << 5,

    /// <summary>Connected over a Unix socket.</summary>
    UnixSocket = 1 << 6,

    /// <summary>CLIENT REPLY OFF: nothing is replied until it is switched on again.</summary>
    ReplyOff = 1 << 7,

    /// <summary>CLIENT REPLY SKIP was the last command: the next one is not replied to.</summary>
    ReplySkipNext = 1 << 8,

    /// <summary>The command that runs is not replied to.</summary>
    ReplySkip = 1 << 9,

    /// <summary>Nothing may wait: where a command would, it replies what it replies when its time is over.</summary>
    DenyBlocking = 1 << 10,

    /// <summary>Between MULTI and EXEC: commands are queued.</summary>
    Multi = 1 << 11,

    /// <summary>A key it watches has changed: its next EXEC runs nothing.</summary>
    WatchBroken = 1 << 12,

    /// <summary>A command could not be queued: EXEC will refuse the transaction.</summary>
    QueueBroken = 1 << 13,

    /// <summary>Is in MONITOR: it is shown every command, and may not touch keys itself.</summary>
    Monitor = 1 << 14,

    /// <summary>Its user may not do everything: each call is checked against the user's rights.</summary>
    Restricted = 1 << 15,

    /// <summary>Pushes are held back for the moment: see <see cref="Client.DeferPushes"/>.</summary>
    DefersPushes = 1 << 20,

    /// <summary>Pushes wait for the end of the command that runs, or for its beginning.</summary>
    HoldsPushes = 1 << 21,

    /// <summary>CLIENT TRACKING ON: it is told when what it has read changes.</summary>
    Tracking = 1 << 22,
}
