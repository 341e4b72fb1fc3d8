namespace KvServer.Server.Persistence.Aof;

/// <summary>Why an <see cref="AofReader"/> reads no further.</summary>
internal enum AofEnding
{
    /// <summary>It does.</summary>
    None,

    /// <summary>The file ends behind a request.</summary>
    Clean,

    /// <summary>The file ends inside a request, or in zero bytes that were never written.</summary>
    Truncated,

    /// <summary>Something stands there that is no part of a request.</summary>
    Corrupt,

    /// <summary>The requests that follow are later than was asked for.</summary>
    Timestamp,
}
