namespace KvServer.Storage;

/// <summary>What is said about the use of a key; which of them is written follows from maxmemory-policy.</summary>
public enum AccessHintKind : byte
{
    /// <summary>Nothing: the policies that choose at random or by expiry time, and noeviction.</summary>
    None,

    /// <summary>Seconds since the last access: the LRU policies.</summary>
    IdleSeconds,

    /// <summary>The logarithmic access counter: the LFU policies.</summary>
    Frequency,
}
