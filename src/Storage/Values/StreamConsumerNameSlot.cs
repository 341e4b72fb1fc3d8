namespace KvServer.Storage;

/// <summary>The number of the consumer with a name.</summary>
internal unsafe struct StreamConsumerNameSlot : IStreamTreeLayout<StreamName, StreamConsumerNameSlot>
{
    /// <summary>The name.</summary>
    public StreamName Name;

    /// <summary>The number.</summary>
    public long Number;

    /// <inheritdoc/>
    public static StreamName KeyOf(StreamConsumerNameSlot* slot) => slot->Name;

    /// <inheritdoc/>
    public static int Compare(in StreamName left, in StreamName right) => left.Bytes.SequenceCompareTo(right.Bytes);

    /// <inheritdoc/>
    public static void ShareKey(in StreamName key) => key.Share();

    /// <inheritdoc/>
    public static void ReleaseKey(NativeHeap heap, in StreamName key, FreeFrom from) => key.Release(heap, from);

    /// <inheritdoc/>
    public static void ShareSlot(StreamConsumerNameSlot* slot) => slot->Name.Share();

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamConsumerNameSlot* slot, FreeFrom from) =>
        slot->Name.Release(heap, from);
}
