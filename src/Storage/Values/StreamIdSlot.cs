namespace KvServer.Storage;

/// <summary>An entry that a consumer has pending; the rest stands with the group (<see cref="StreamPendingSlot"/>).</summary>
internal unsafe struct StreamIdSlot : IStreamTreeLayout<StreamId, StreamIdSlot>
{
    /// <summary>The entry's id.</summary>
    public StreamId Id;

    /// <inheritdoc/>
    public static StreamId KeyOf(StreamIdSlot* slot) => slot->Id;

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
    public static void ShareSlot(StreamIdSlot* slot)
    {
        // Ids own nothing.
    }

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamIdSlot* slot, FreeFrom from)
    {
        // Ids own nothing.
    }
}
