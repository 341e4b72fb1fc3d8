namespace KvServer.Storage;

/// <summary>Up to where a sorted set stays packed.</summary>
/// <param name="PackedEntries">Members of a packed list.</param>
/// <param name="PackedValueBytes">Bytes of each member of a packed list.</param>
public readonly record struct SortedSetLimits(int PackedEntries, int PackedValueBytes)
{
    /// <summary>The limits of a server that nobody has configured.</summary>
    public static SortedSetLimits Default => new(PackedEntries: 128, PackedValueBytes: 64);

    /// <summary>Limits from configuration, cut to what the encodings can hold.</summary>
    public static SortedSetLimits From(long packedEntries, long packedValueBytes) => new(
        (int)Math.Min(packedEntries, int.MaxValue / 2),
        (int)Math.Min(packedValueBytes, PackedList.MaxBytes));
}
