namespace KvServer.Storage;

/// <summary>Bytes that are no RDB file or payload, or one that cannot be loaded here.</summary>
public sealed class RdbFormatException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="offset">Where in the file, in bytes from its start.</param>
    /// <param name="reason">What is wrong, as a sentence without its end.</param>
    /// <param name="isCutShort">Whether the bytes simply ended too early.</param>
    public RdbFormatException(long offset, string reason, bool isCutShort = false)
        : base($"{reason} (at offset {offset})")
    {
        Offset = offset;
        Reason = reason;
        IsCutShort = isCutShort;
    }

    /// <summary>Where in the file, in bytes from its start.</summary>
    public long Offset { get; }

    /// <summary>What is wrong.</summary>
    public string Reason { get; }

    /// <summary>Whether the bytes simply ended too early.</summary>
    public bool IsCutShort { get; }
}
