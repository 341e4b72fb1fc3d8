namespace KvServer.Storage;

/// <summary>Up to where a set stays packed.</summary>
/// <param name="IntSetEntries">Members of a set of integers.</param>
/// <param name="PackedEntries">Members of a packed list.</param>
/// <param name="PackedValueBytes">Bytes of each member of a packed list.</param>
public readonly record struct SetLimits(int IntSetEntries, int PackedEntries, int PackedValueBytes)
{
    /// <summary>The limits of a server that nobody has configured.</summary>
    public static SetLimits Default => new(IntSetEntries: 512, PackedEntries: 128, PackedValueBytes: 64);

    /// <summary>Limits from configuration, cut to what the encodings can hold.</summary>
    public static SetLimits From(long intSetEntries, long packedEntries, long packedValueBytes) => new(
        (int)Math.Min(intSetEntries, IntSet.MaxCount),
        (int)Math.Min(packedEntries, int.MaxValue),
        (int)Math.Min(packedValueBytes, PackedList.MaxBytes));
}
