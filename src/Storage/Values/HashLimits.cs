namespace KvServer.Storage;

/// <summary>Up to where a hash stays packed.</summary>
/// <param name="PackedEntries">Fields of a packed list.</param>
/// <param name="PackedValueBytes">Bytes of each field and of each value in a packed list.</param>
public readonly record struct HashLimits(int PackedEntries, int PackedValueBytes)
{
    /// <summary>The limits of a server that nobody has configured.</summary>
    public static HashLimits Default => new(PackedEntries: 128, PackedValueBytes: 64);

    /// <summary>Limits from configuration, cut to what the encoding can hold.</summary>
    public static HashLimits From(long packedEntries, long packedValueBytes) => new(
        (int)Math.Min(packedEntries, int.MaxValue - 1),
        (int)Math.Min(packedValueBytes, PackedList.MaxBytes));
}
