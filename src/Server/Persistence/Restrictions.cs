namespace KvServer.Server.Persistence;

/// <summary>What the state of the dataset forbids; zero in normal operation, so that one look is enough.</summary>
[Flags]
internal enum Restrictions
{
    None = 0,

    /// <summary>The dataset is being loaded: only what says so may run.</summary>
    Loading = 1,

    /// <summary>The last save failed and stop-writes-on-bgsave-error is set.</summary>
    WritesRefused = 2,

    /// <summary>The dataset has been saved for the last time: what came now would be lost.</summary>
    Stopping = 4,

    /// <summary>The append-only file cannot be written.</summary>
    AofFails = 8,
}
