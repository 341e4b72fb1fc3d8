namespace KvServer.Server.Metrics;

/// <summary>Whether the server can be sent requests.</summary>
internal enum ServerHealth
{
    /// <summary>It serves clients.</summary>
    Healthy,

    /// <summary>It does not listen yet.</summary>
    Starting,

    /// <summary>The dataset is being loaded.</summary>
    Loading,

    /// <summary>It is on its way down.</summary>
    Stopping,

    /// <summary>The command loop does not answer in time.</summary>
    Busy,
}
