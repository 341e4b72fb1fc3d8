namespace KvServer.Server.Commands;

/// <summary>What a command does and where it is allowed. COMMAND INFO shows these under the reference's names.</summary>
[Flags]
internal enum CommandFlags : uint
{
    None = 0,

    /// <summary>May change data. Refused where writes are.</summary>
    Write = 1 << 0,

    /// <summary>Reads data and never changes it.</summary>
    ReadOnly = 1 << 1,

    /// <summary>May grow memory, so it is refused when maxmemory is reached and nothing can be evicted.</summary>
    DenyOom = 1 << 2,

    /// <summary>For operators: @admin and @dangerous.</summary>
    Admin = 1 << 3,

    /// <summary>Belongs to publish/subscribe.</summary>
    PubSub = 1 << 4,

    /// <summary>Not allowed inside scripts.</summary>
    NoScript = 1 << 5,

    /// <summary>May block the client.</summary>
    Blocking = 1 << 6,

    /// <summary>Allowed while the dataset is loading.</summary>
    Loading = 1 << 7,

    /// <summary>Allowed on a replica whose link is down.</summary>
    Stale = 1 << 8,

    /// <summary>Not shown by MONITOR.</summary>
    SkipMonitor = 1 << 9,

    /// <summary>Not entered into the slow log: its arguments may hold secrets or its time is not its own.</summary>
    SkipSlowLog = 1 << 10,

    /// <summary>Takes part in cluster redirection with ASKING.</summary>
    Asking = 1 << 11,

    /// <summary>Constant or logarithmic time; gives @fast. Runs of fast commands are timed together.</summary>
    Fast = 1 << 12,

    /// <summary>Allowed before authentication.</summary>
    NoAuth = 1 << 13,

    /// <summary>Reads, but passes something on to replicas (PUBLISH).</summary>
    MayReplicate = 1 << 14,

    /// <summary>Needs enable-debug-command or the like.</summary>
    Protected = 1 << 15,

    /// <summary>Not allowed during an asynchronous load.</summary>
    NoAsyncLoading = 1 << 16,

    /// <summary>Not allowed inside MULTI.</summary>
    NoMulti = 1 << 17,

    /// <summary>Key positions depend on the arguments.</summary>
    MovableKeys = 1 << 18,

    /// <summary>Allowed while a script runs for too long.</summary>
    AllowBusy = 1 << 19,

    /// <summary>May be called without any key although it has key specifications.</summary>
    NoMandatoryKeys = 1 << 20,

    /// <summary>Allowed while subscribed in RESP2. COMMAND INFO does not show it.</summary>
    WhileSubscribed = 1 << 21,

    /// <summary>Runs inside MULTI, where other commands are queued. COMMAND INFO does not show it.</summary>
    InMulti = 1 << 22,

    /// <summary>Runs the queued commands, so it may do what they may. COMMAND INFO does not show it.</summary>
    RunsQueue = 1 << 23,

    /// <summary>Ends a transaction, so it runs although memory is short. COMMAND INFO does not show it.</summary>
    EndsQueue = 1 << 24,
}
