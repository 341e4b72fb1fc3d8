namespace KvServer.Server.Persistence.Aof;

/// <summary>What a path given to <c>--check-aof</c> is.</summary>
internal enum AofCheckTargetKind
{
    /// <summary>Nothing that can be checked.</summary>
    None,

    /// <summary>A file of requests, perhaps behind a snapshot.</summary>
    File,

    /// <summary>A manifest.</summary>
    Manifest,
}
