namespace KvServer.Server.Commands.Options;

/// <summary>How a command's option says when a key ends.</summary>
internal enum ExpiryKind : byte
{
    /// <summary>No option given.</summary>
    None,

    /// <summary>EX: seconds from now.</summary>
    Seconds,

    /// <summary>PX: milliseconds from now.</summary>
    Milliseconds,

    /// <summary>EXAT: seconds since the Unix epoch.</summary>
    AtSeconds,

    /// <summary>PXAT: milliseconds since the Unix epoch.</summary>
    AtMilliseconds,

    /// <summary>KEEPTTL: whatever it is now.</summary>
    KeepTtl,

    /// <summary>PERSIST: never.</summary>
    Persist,
}
