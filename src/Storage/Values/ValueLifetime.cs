using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>What differs by encoding in the life of a value: freeing, copying, and what it costs. One place for all.</summary>
internal static unsafe class ValueLifetime
{
    /// <summary>Values with more parts than this are worth handing to the background when freed lazily.</summary>
    public const long LazyFreeThreshold = 64;

    /// <summary>Values with more parts than this go to the background whatever is asked for: freeing them here would be a
    /// pause for everybody.</summary>
    public const long EagerFreeLimit = 1000;

    /// <summary>Blocks from this size on are always freed in the background: unmapping takes time in proportion.</summary>
    public const nuint LargeBlockBytes = 1024 * 1024;

    /// <summary>Frees an entry with its value. Any thread that owns it.</summary>
    public static void FreeEntry(NativeHeap heap, byte* block, FreeFrom from)
    {
        FreeValue(heap, block, from);
        heap.Free(block, EntryBlock.BytesOf(block), HeapTag.Entry, from);
    }

    /// <summary>Frees what a value owns outside of its entry. The entry's value area is stale afterwards.</summary>
    public static void FreeValue(NativeHeap heap, byte* block, FreeFrom from)
    {
        byte* area = EntryBlock.ValueStart(block);
        switch (EntryBlock.EncodingOf(block))
        {
            case ValueEncoding.Block:
                var text = Unsafe.ReadUnaligned<BlockString>(area);
                heap.Free(text.Start, text.Capacity, HeapTag.Value, from);
                break;
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                DictCollection.Of(EntryBlock.TypeOf(block)).Free(heap, (DictState*)PointerOf(area), from);
                break;
            case ValueEncoding.QuickList:
                ListTree.FreeAll(heap, (ListState*)PointerOf(area), from);
                break;
            case ValueEncoding.Stream:
                StreamState.Free(heap, (StreamState*)PointerOf(area), from);
                break;
        }
    }

    /// <summary>How many parts must be freed one by one.</summary>
    public static long Effort(byte* block) => EntryBlock.EncodingOf(block) switch
    {
        ValueEncoding.HashTable or ValueEncoding.SkipList =>
            DictCollection.CountOf((DictState*)PointerOf(EntryBlock.ValueStart(block))),
        ValueEncoding.QuickList => ((ListState*)PointerOf(EntryBlock.ValueStart(block)))->LeafCount,
        ValueEncoding.Stream => StreamState.EffortOf((StreamState*)PointerOf(EntryBlock.ValueStart(block))),
        _ => 1,
    };

    /// <summary>Elements of a value, 1 for a string.</summary>
    public static long ElementsOf(byte* block)
    {
        byte* area = EntryBlock.ValueStart(block);
        switch (EntryBlock.EncodingOf(block))
        {
            case ValueEncoding.PackedList:
                int count = new PackedList(EntryBlock.InlineOf(area)).Count;
                return EntryBlock.TypeOf(block) is ValueType.Hash or ValueType.SortedSet ? count / 2 : count;
            case ValueEncoding.IntSet:
                return new IntSet(EntryBlock.InlineOf(area)).Count;
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                return DictCollection.CountOf((DictState*)PointerOf(area));
            case ValueEncoding.QuickList:
                return ((ListState*)PointerOf(area))->Count;
            case ValueEncoding.Stream:
                return ((StreamState*)PointerOf(area))->Counters.Length;
            default:
                return 1;
        }
    }

    /// <summary>Whether a value is handed to the background rather than freed at once.</summary>
    /// <param name="block">Its entry.</param>
    /// <param name="lazily">Whether that is wanted for values of any size worth it.</param>
    public static bool IsForBackground(byte* block, bool lazily) =>
        Effort(block) > (lazily ? LazyFreeThreshold : EagerFreeLimit);

    /// <summary>Bytes of a string block that should be freed in the background, or 0.</summary>
    public static bool OwnsLargeBlock(byte* block) =>
        EntryBlock.EncodingOf(block) == ValueEncoding.Block
        && Unsafe.ReadUnaligned<BlockString>(EntryBlock.ValueStart(block)).Capacity >= LargeBlockBytes;

    /// <summary>Copies the value of <paramref name="source"/> into the value area of a new entry.</summary>
    /// <remarks>The areas have the same size. O(value). On failure the target owns nothing.</remarks>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static void CopyValue(DictRuntime runtime, byte* source, byte* targetArea)
    {
        byte* area = EntryBlock.ValueStart(source);
        switch (EntryBlock.EncodingOf(source))
        {
            case ValueEncoding.Block:
                var text = Unsafe.ReadUnaligned<BlockString>(area);
                var copy = new BlockString { Length = text.Length, Capacity = Math.Max(text.Length, 1) };
                copy.Start = runtime.Heap.Allocate(copy.Capacity, HeapTag.Value);
                Buffer.MemoryCopy(text.Start, copy.Start, copy.Capacity, text.Length);
                Unsafe.WriteUnaligned(targetArea, copy);
                break;
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                DictCollection collection = DictCollection.Of(EntryBlock.TypeOf(source));
                Unsafe.WriteUnaligned(targetArea, (nint)collection.Copy(runtime, (DictState*)PointerOf(area)));
                break;
            case ValueEncoding.QuickList:
                Unsafe.WriteUnaligned(targetArea, (nint)ListTree.Copy(runtime.Heap, (ListState*)PointerOf(area)));
                break;
            case ValueEncoding.Stream:
                Unsafe.WriteUnaligned(targetArea, (nint)StreamState.Share(runtime.Heap, (StreamState*)PointerOf(area)));
                break;
            default:
                long bytes = EntryBlock.AreaBytesOf(source);
                Debug.Assert(bytes > 0, "a value area is never empty");
                Buffer.MemoryCopy(area, targetArea, bytes, bytes);
                break;
        }
    }

    /// <summary>Bytes a value takes outside of its entry; elements of large dicts are estimated from a sample.</summary>
    /// <param name="block">The entry.</param>
    /// <param name="sampleSize">Elements to look at; 0 means all.</param>
    public static long ExternalBytes(byte* block, long sampleSize)
    {
        byte* area = EntryBlock.ValueStart(block);
        switch (EntryBlock.EncodingOf(block))
        {
            case ValueEncoding.Block:
                return (long)NativeHeap.UsableSize(Unsafe.ReadUnaligned<BlockString>(area).Capacity);
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                return DictCollection.Of(EntryBlock.TypeOf(block)).BytesOf((DictState*)PointerOf(area), sampleSize);
            case ValueEncoding.QuickList:
                return ListTree.BytesOf((ListState*)PointerOf(area), sampleSize);
            case ValueEncoding.Stream:
                return StreamState.BytesOf((StreamState*)PointerOf(area), sampleSize);
            default:
                return 0;
        }
    }

    /// <summary>The dict a value is made of; null when it has none, or one nobody walks over.</summary>
    public static DictState* TableOf(byte* block) =>
        EntryBlock.EncodingOf(block) == ValueEncoding.HashTable ? (DictState*)PointerOf(EntryBlock.ValueStart(block)) : null;

    private static nint PointerOf(byte* area) => Unsafe.ReadUnaligned<nint>(area);
}
