namespace KvServer.Server.Commands;

/// <summary>By what a stream is trimmed.</summary>
internal enum StreamTrimStrategy : byte
{
    None,

    /// <summary>By the number of entries that stay.</summary>
    MaxLength,

    /// <summary>By the smallest id that stays.</summary>
    MinId,
}
