namespace KvServer.Storage;

/// <summary>Where a node of a stream's entries stands in their tree.</summary>
internal unsafe struct StreamNodeSlot : IStreamTreeLayout<StreamId, StreamNodeSlot>
{
    /// <summary>The id that those of its entries are told as differences to: that of its first entry when it was made.</summary>
    public StreamId Id;

    /// <summary>The node (<see cref="StreamNode"/>).</summary>
    public byte* Node;

    /// <inheritdoc/>
    public static StreamId KeyOf(StreamNodeSlot* slot) => slot->Id;

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
    public static void ShareSlot(StreamNodeSlot* slot) => SharedBlock.Share(slot->Node);

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamNodeSlot* slot, FreeFrom from) =>
        StreamNode.Release(heap, slot->Node, from);
}
