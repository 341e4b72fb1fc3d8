namespace KvServer.Storage;

/// <summary>A consumer group by its name.</summary>
internal unsafe struct StreamGroupSlot : IStreamTreeLayout<StreamName, StreamGroupSlot>
{
    /// <summary>The name.</summary>
    public StreamName Name;

    /// <summary>The group.</summary>
    public StreamGroupState* Group;

    /// <inheritdoc/>
    public static StreamName KeyOf(StreamGroupSlot* slot) => slot->Name;

    /// <inheritdoc/>
    public static int Compare(in StreamName left, in StreamName right) => left.Bytes.SequenceCompareTo(right.Bytes);

    /// <inheritdoc/>
    public static void ShareKey(in StreamName key) => key.Share();

    /// <inheritdoc/>
    public static void ReleaseKey(NativeHeap heap, in StreamName key, FreeFrom from) => key.Release(heap, from);

    /// <inheritdoc/>
    public static void ShareSlot(StreamGroupSlot* slot)
    {
        slot->Name.Share();
        SharedBlock.Share((byte*)slot->Group);
    }

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamGroupSlot* slot, FreeFrom from)
    {
        slot->Name.Release(heap, from);
        StreamGroupState.Release(heap, (byte*)slot->Group, from);
    }
}
