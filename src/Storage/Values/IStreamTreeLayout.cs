namespace KvServer.Storage;

/// <summary>What a <see cref="StreamTree{TLayout,TKey,TSlot}"/> keeps: slots in the order of their keys.</summary>
/// <typeparam name="TKey">What slots are ordered by. Inner nodes hold keys too.</typeparam>
/// <typeparam name="TSlot">What a leaf holds per key.</typeparam>
internal unsafe interface IStreamTreeLayout<TKey, TSlot>
    where TKey : unmanaged
    where TSlot : unmanaged
{
    /// <summary>The key of a slot.</summary>
    static abstract TKey KeyOf(TSlot* slot);

    /// <summary>Which of two keys comes first.</summary>
    static abstract int Compare(in TKey left, in TKey right);

    /// <summary>A key has one more place that owns it.</summary>
    static abstract void ShareKey(in TKey key);

    /// <summary>A key has one place less.</summary>
    static abstract void ReleaseKey(NativeHeap heap, in TKey key, FreeFrom from);

    /// <summary>What a slot points to, its key included, has one more owner.</summary>
    static abstract void ShareSlot(TSlot* slot);

    /// <summary>What a slot points to, its key included, has one owner less.</summary>
    static abstract void ReleaseSlot(NativeHeap heap, TSlot* slot, FreeFrom from);
}
