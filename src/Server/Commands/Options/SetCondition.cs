namespace KvServer.Server.Commands.Options;

/// <summary>When a write is to happen at all.</summary>
internal enum SetCondition : byte
{
    Always,

    /// <summary>NX: only when the key is missing.</summary>
    IfMissing,

    /// <summary>XX: only when the key is there.</summary>
    IfPresent,
}
