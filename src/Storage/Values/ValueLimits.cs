namespace KvServer.Storage;

/// <summary>Up to where values of each type stay packed, for what builds values of any type.</summary>
public readonly record struct ValueLimits
{
    /// <summary>The limits of a server that nobody has configured.</summary>
    public ValueLimits()
    {
    }

    /// <summary>Sets.</summary>
    public SetLimits Sets { get; init; } = SetLimits.Default;

    /// <summary>Hashes.</summary>
    public HashLimits Hashes { get; init; } = HashLimits.Default;

    /// <summary>Lists.</summary>
    public ListLimits Lists { get; init; } = ListLimits.Default;

    /// <summary>Sorted sets.</summary>
    public SortedSetLimits SortedSets { get; init; } = SortedSetLimits.Default;

    /// <summary>Streams.</summary>
    public StreamLimits Streams { get; init; } = StreamLimits.Default;
}
