namespace KvServer.Storage;

/// <summary>What a file or payload says about how a key has been used, for eviction.</summary>
/// <param name="Kind">Which of the two it is, if any.</param>
/// <param name="Value">Seconds since the last access, or the logarithmic access counter (0 to 255).</param>
public readonly record struct AccessHint(AccessHintKind Kind, long Value)
{
    /// <summary>Nothing is said.</summary>
    public static AccessHint None => default;

    /// <summary>So many seconds since the last access.</summary>
    public static AccessHint OfIdleSeconds(long seconds) => new(AccessHintKind.IdleSeconds, seconds);

    /// <summary>An access counter.</summary>
    public static AccessHint OfFrequency(int counter) => new(AccessHintKind.Frequency, counter);
}
