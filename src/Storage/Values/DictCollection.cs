namespace KvServer.Storage;

/// <summary>What the rest of the store does with collections that are a dict with one block per element, whatever their
/// type: free, copy, measure and snapshot them. One object per type.</summary>
/// <remarks>A new type of that kind adds its layout, its record kinds and a row to the table here. The address in its
/// entry is that of the dict's state; what else it owns may follow the state in the same block
/// (<see cref="IEntryLayout.StateBytes"/>), and is the business of a class of its own derived from
/// <see cref="DictCollection{TLayout}"/>.</remarks>
internal abstract unsafe class DictCollection
{
    private static readonly DictCollection?[] ByType = Table();

    /// <summary>The record that begins such a collection in a snapshot.</summary>
    public abstract SnapshotRecordKind RecordKind { get; }

    /// <summary>The collections of one type.</summary>
    public static DictCollection Of(ValueType type)
    {
        DictCollection? collection = ByType[(int)type];
        Invariant.Check(collection is not null, "a type whose values are dicts has a row in the table");
        return collection!;
    }

    /// <summary>Number of elements.</summary>
    public static long CountOf(DictState* state) => state->Table0.Used + state->Table1.Used;

    /// <summary>Frees a collection with all its elements. O(elements). Any thread that owns it outright.</summary>
    public abstract void Free(NativeHeap heap, DictState* state, FreeFrom from);

    /// <summary>Makes a collection like this one. O(elements).</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory; nothing is left behind.</exception>
    public abstract DictState* Copy(DictRuntime runtime, DictState* source);

    /// <summary>Bytes of a collection, estimated from some of its elements.</summary>
    /// <param name="state">The collection.</param>
    /// <param name="sampleSize">Elements to look at; 0 means all.</param>
    public abstract long BytesOf(DictState* state, long sampleSize);

    /// <summary>The earliest time at which an element expires, or <see cref="Database.NoExpiry"/>. O(1).</summary>
    public virtual long FirstExpiryMsOf(DictState* state) => Database.NoExpiry;

    /// <summary>Moves some of what a collection owns out of slabs that are to be emptied.</summary>
    /// <param name="runtime">Whose it is.</param>
    /// <param name="state">Follows when the state moves.</param>
    /// <param name="cursor">Where in the table to go on; 0 begins, and 0 is the end.</param>
    /// <param name="budget">What may be done; one bucket is looked at in any case.</param>
    /// <exception cref="OutOfMemoryException">Some may have moved, but nothing is lost.</exception>
    public abstract ulong MoveParts(DictRuntime runtime, ref DictState* state, ulong cursor, ref MoveBudget budget);

    /// <summary>Bytes of all elements in a chain.</summary>
    public abstract long ChainBytes(byte* chain);

    /// <summary>Writes an element into a snapshot, as it is now.</summary>
    public abstract void HandOver(SnapshotRecordWriter writer, byte* element);

    /// <summary>Writes those elements of a chain into a snapshot that have a mark, and gives them the other one.</summary>
    /// <returns>How many there were.</returns>
    public abstract int HandOverChain(SnapshotRecordWriter writer, byte* chain, bool mark);

    /// <summary>The text of DEBUG HTSTATS-KEY. O(buckets).</summary>
    public abstract void Describe(DictRuntime runtime, DictState* state, System.Text.StringBuilder text);

    private static DictCollection?[] Table()
    {
        var table = new DictCollection?[(int)ValueType.Stream + 1];
        table[(int)ValueType.Hash] = new HashCollection();
        table[(int)ValueType.Set] = new DictCollection<MemberLayout>(SnapshotRecordKind.Set);
        table[(int)ValueType.SortedSet] = new SkipListCollection();
        return table;
    }
}
