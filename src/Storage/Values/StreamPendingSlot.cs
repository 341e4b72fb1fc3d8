namespace KvServer.Storage;

/// <summary>A pending entry of a group: delivered to a consumer and not acknowledged.</summary>
internal unsafe struct StreamPendingSlot : IStreamTreeLayout<StreamId, StreamPendingSlot>
{
    /// <summary>The entry's id.</summary>
    public StreamId Id;

    /// <summary>When it was last delivered.</summary>
    public long DeliveredMs;

    /// <summary>How often.</summary>
    public long Deliveries;

    /// <summary>The number of the consumer that has it.</summary>
    public long Consumer;

    /// <inheritdoc/>
    public static StreamId KeyOf(StreamPendingSlot* slot) => slot->Id;

    /// <inheritdoc/>
    public static int Compare(in StreamId left, in StreamId right) => left.CompareTo(right);

    /// <inheritdoc/>
    public static void ShareKey(in StreamId key)
    {
        // Ids own nothing.
    }

    /// <inheritdoc/>
    public static void ReleaseKey(NativeHeap heap, in StreamId key, FreeFrom from)
    {
        // Ids own nothing.
    }

    /// <inheritdoc/>
    public static void ShareSlot(StreamPendingSlot* slot)
    {
        // Numbers own nothing.
    }

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamPendingSlot* slot, FreeFrom from)
    {
        // Numbers own nothing.
    }
}
