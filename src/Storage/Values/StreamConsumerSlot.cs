namespace KvServer.Storage;

/// <summary>A consumer by its number.</summary>
internal unsafe struct StreamConsumerSlot : IStreamTreeLayout<long, StreamConsumerSlot>
{
    /// <summary>The number, which no other consumer of the group ever has.</summary>
    public long Number;

    /// <summary>The consumer.</summary>
    public StreamConsumerState* Consumer;

    /// <inheritdoc/>
    public static long KeyOf(StreamConsumerSlot* slot) => slot->Number;

    /// <inheritdoc/>
    public static int Compare(in long left, in long right) => left.CompareTo(right);

    /// <inheritdoc/>
    public static void ShareKey(in long key)
    {
        // Numbers own nothing.
    }

    /// <inheritdoc/>
    public static void ReleaseKey(NativeHeap heap, in long key, FreeFrom from)
    {
        // Numbers own nothing.
    }

    /// <inheritdoc/>
    public static void ShareSlot(StreamConsumerSlot* slot) => SharedBlock.Share((byte*)slot->Consumer);

    /// <inheritdoc/>
    public static void ReleaseSlot(NativeHeap heap, StreamConsumerSlot* slot, FreeFrom from) =>
        StreamConsumerState.Release(heap, slot->Consumer, from);
}
