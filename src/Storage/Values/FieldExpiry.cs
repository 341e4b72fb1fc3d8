namespace KvServer.Storage;

/// <summary>What a hash with expiring fields keeps about them: native memory that belongs to the hash.</summary>
/// <remarks>While the hash is a key's value, its database has this in a queue of its own, ordered by the earliest
/// field, which is how the cron finds hashes that have something to expire.</remarks>
internal unsafe struct FieldExpiry : IDueLayout
{
    /// <summary>The fields that expire, in the order of their times; never empty once one has been added.</summary>
    public DueQueue<FieldLayout> Fields;

    /// <summary>The key's entry, or null for a hash that belongs to no key.</summary>
    public byte* Owner;

    private int _slot;

    /// <inheritdoc/>
    public static long DueAt(byte* item) => FieldLayout.DueAt(((FieldExpiry*)item)->Fields.First);

    /// <inheritdoc/>
    public static int SlotOf(byte* item) => ((FieldExpiry*)item)->_slot;

    /// <inheritdoc/>
    public static void SetSlot(byte* item, int slot) => ((FieldExpiry*)item)->_slot = slot;

    /// <summary>Makes one without fields.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static FieldExpiry* Create(NativeHeap heap)
    {
        var expiry = (FieldExpiry*)heap.Allocate((nuint)sizeof(FieldExpiry), HeapTag.Expiry);
        *expiry = default;
        return expiry;
    }

    /// <summary>Frees one with its queue, not the fields. Any thread that owns the hash.</summary>
    public static void Free(NativeHeap heap, FieldExpiry* expiry, FreeFrom from)
    {
        expiry->Fields.Free(heap, from);
        heap.Free((byte*)expiry, (nuint)sizeof(FieldExpiry), HeapTag.Expiry, from);
    }
}
