namespace KvServer.Server.Commands.Options;

/// <summary>What is wrong with an expiry a client gave.</summary>
internal enum ExpiryFault : byte
{
    None,

    /// <summary>The text is no 64-bit integer.</summary>
    NotAnInteger,

    /// <summary>Zero, negative, or too far away to count in milliseconds.</summary>
    Invalid,
}
