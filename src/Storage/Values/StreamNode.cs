using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The bytes of a node of entries: everything that knows what stands in its packed list.</summary>
/// <remarks>
/// <code>
/// block   [owners:4|block bytes:4] packed list | free room
/// list    entries, deleted ones, n, field 1 ... field n, 0               of the first entry
///         flags, ms, sequence,                    value 1 ... value n, elements before this one     the same fields
///         flags, ms, sequence, m, field 1, value 1 ... value m,        elements before this one     others
/// </code>
/// <para>The list is what snapshots and dumps carry, as redis-server writes it. Times and sequences are differences to
/// the node's id. A deleted entry stays where it is with a flag. The last number of an entry says how many elements to go
/// back to its flags.</para>
/// </remarks>
internal static unsafe class StreamNode
{
    /// <summary>Bytes before the packed list.</summary>
    public const int HeaderBytes = 8;

    /// <summary>The flag of an entry that has been deleted.</summary>
    public const long Deleted = 1;

    /// <summary>The flag of an entry whose fields are those of the node's first.</summary>
    public const long SameFields = 2;

    /// <summary>Bytes by which the number of entries at the head of a list may grow when one is added.</summary>
    public const int CounterRoom = 8;

    private const int NumbersOfEntry = 5;
    private const int BlockBytesOffset = 4;
    private const int FirstBlockBytes = 256;

    /// <summary>Bytes of a node's block.</summary>
    public static int BlockBytesOf(byte* node) => Unsafe.ReadUnaligned<int>(node + BlockBytesOffset);

    /// <summary>The packed list with the free room behind it.</summary>
    public static PackedList ListOf(byte* node) => new(SpanOf(node));

    /// <summary>The bytes of the packed list, and the free room.</summary>
    public static Span<byte> SpanOf(byte* node) => new(node + HeaderBytes, BlockBytesOf(node) - HeaderBytes);

    /// <summary>Gives up a share; the last owner frees the node. O(1).</summary>
    public static void Release(NativeHeap heap, byte* node, FreeFrom from)
    {
        if (SharedBlock.Leave(node))
        {
            heap.Free(node, (nuint)BlockBytesOf(node), HeapTag.Value, from);
        }
    }

    /// <summary>Makes a node of a packed list.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static byte* Create(NativeHeap heap, ReadOnlySpan<byte> list, int blockBytes)
    {
        byte* node = heap.Allocate((nuint)blockBytes, HeapTag.Value);
        SharedBlock.Begin(node);
        Unsafe.WriteUnaligned(node + BlockBytesOffset, blockBytes);
        list.CopyTo(new Span<byte>(node + HeaderBytes, blockBytes - HeaderBytes));
        return node;
    }

    /// <summary>Makes the node of a slot, which is owned, the slot's own, with room for more.</summary>
    /// <param name="heap">Where memory comes from.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="moreBytes">Bytes by which the list may grow.</param>
    /// <param name="limitBytes">What a node that grows step by step shall not exceed without need.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public static void Own(NativeHeap heap, StreamNodeSlot* slot, long moreBytes, long limitBytes)
    {
        byte* node = slot->Node;
        ReadOnlySpan<byte> list = ListOf(node).Bytes;
        long needed = HeaderBytes + list.Length + moreBytes;
        int blockBytes = BlockBytesOf(node);
        if (!SharedBlock.IsShared(node) && needed <= blockBytes)
        {
            return;
        }

        long grown = needed <= blockBytes ? blockBytes : Math.Max(blockBytes + (blockBytes / 2), FirstBlockBytes);
        slot->Node = Create(heap, list, (int)Math.Max(needed, Math.Min(grown, limitBytes + HeaderBytes)));
        Release(heap, node, FreeFrom.CommandLoop);
    }

    /// <summary>Gives back free room of a node that will not grow any more, when that is worth it and possible.</summary>
    public static void Shrink(NativeHeap heap, StreamNodeSlot* slot)
    {
        byte* node = slot->Node;
        int needed = HeaderBytes + ListOf(node).LengthBytes;
        if (SharedBlock.IsShared(node) || NativeHeap.UsableSize((nuint)needed) == NativeHeap.UsableSize((nuint)BlockBytesOf(node)))
        {
            return;
        }

        try
        {
            slot->Node = Create(heap, ListOf(node).Bytes, needed);
            Release(heap, node, FreeFrom.CommandLoop);
        }
        catch (OutOfMemoryException)
        {
            // A smaller block would have been better, that is all.
        }
    }

    /// <summary>Moves the node of a slot, which is owned, out of a slab that is to be emptied, unless it is shared.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public static void Move(NativeHeap heap, StreamNodeSlot* slot, ref MoveBudget budget)
    {
        byte* node = slot->Node;
        var bytes = (nuint)BlockBytesOf(node);
        byte* moved = SharedBlock.IsShared(node) ? null : heap.CopyOut(node, bytes, HeapTag.Value, ref budget);
        if (moved != null)
        {
            slot->Node = moved;
            heap.Free(node, bytes, HeapTag.Value);
        }
    }

    /// <summary>Number of entries that are not deleted.</summary>
    public static long CountOf(PackedList list) => list[list.First].Integer;

    /// <summary>Number of deleted entries that are still there.</summary>
    public static long DeletedOf(PackedList list) => list[list.Next(list.First)].Integer;

    /// <summary>Bytes by which a list grows when more of its entries are marked as deleted.</summary>
    public static int RoomToDelete(PackedList list, long more)
    {
        int position = list.Next(list.First);
        return Math.Max(0, IntegerSize(list[position].Integer + more) - list.SizeAt(position));
    }

    /// <summary>Notes that some entries have been marked as deleted; the block has <see cref="RoomToDelete"/>.</summary>
    /// <remarks>Moves what follows when the numbers change in size.</remarks>
    public static void CountDeleted(PackedList list, long more)
    {
        int position = list.Next(list.First);
        list.Replace(position, PackedElement.OfInteger(list[position].Integer + more));
        list.Replace(list.First, PackedElement.OfInteger(CountOf(list) - more));
    }

    /// <summary>Takes the deleted entries out of a list that has others too. O(bytes).</summary>
    /// <param name="bytes">The list, and any room behind it.</param>
    /// <param name="id">The node's id.</param>
    public static void DropDeleted(Span<byte> bytes, StreamId id)
    {
        PackedList list = new(bytes);
        int listEnd = list.LengthBytes - 1;
        StreamNodeCursor cursor = new(list, id);
        bool isThere = cursor.MoveNext();
        int end = cursor.Position; // Of what stays.
        int dropped = 0;
        while (isThere)
        {
            int start = cursor.Position;
            bool isDeleted = cursor.IsDeleted;
            isThere = cursor.MoveNext();
            int next = isThere ? cursor.Position : listEnd;
            if (isDeleted)
            {
                dropped += (int)list[list.Previous(next)].Integer + 1;
                continue;
            }

            bytes[start..next].CopyTo(bytes[end..]);
            end += next - start;
        }

        list.Truncate(end, dropped);
        list.Replace(list.Next(list.First), PackedElement.OfInteger(0));
    }

    /// <summary>Whether an entry fits into a node that is the stream's own, whatever its numbers and fields take. O(1).</summary>
    /// <param name="node">The node.</param>
    /// <param name="textBytes">Bytes of all its fields and values.</param>
    /// <param name="fieldCount">How many fields it has.</param>
    /// <returns>False when there may be no room: then <see cref="SizeOf"/> tells.</returns>
    public static bool SurelyFits(byte* node, long textBytes, int fieldCount)
    {
        long most = textBytes + ((NumbersOfEntry + (2L * fieldCount)) * PackedList.MostOverhead) + CounterRoom;
        return !SharedBlock.IsShared(node) && HeaderBytes + ListOf(node).LengthBytes + most <= BlockBytesOf(node);
    }

    /// <summary>Bytes of an entry and, when it is the first of a node, of what stands before it.</summary>
    public static long SizeOf<TFields>(StreamId difference, scoped in TFields fields, bool isFirst, bool isSame)
        where TFields : IStreamFields, allows ref struct
    {
        int count = fields.Count;
        long size = 1 + 1 + IntegerSize((long)difference.Ms) + IntegerSize((long)difference.Sequence)
            + IntegerSize(ElementsBefore(count, isSame));
        size += isFirst ? (3 * (1 + 1)) + IntegerSize(count) : isSame ? 0 : IntegerSize(count);
        for (int i = 0; i < count; i++)
        {
            size += PackedList.SizeOf(PackedElement.Of(fields.ValueAt(i)));
            size += isSame && !isFirst ? 0 : PackedList.SizeOf(PackedElement.Of(fields.NameAt(i)));
        }

        return size;
    }

    /// <summary>Adds an entry to a list that has room for it; an empty one gets its head first.</summary>
    public static void Append<TFields>(Span<byte> bytes, StreamId difference, scoped in TFields fields, bool isSame)
        where TFields : IStreamFields, allows ref struct
    {
        int count = fields.Count;
        PackedAppender appender = new(bytes);
        bool isFirst = new PackedList(bytes).First == PackedList.None;
        if (isFirst)
        {
            appender.Add(1);
            appender.Add(0);
            appender.Add(count);
            for (int i = 0; i < count; i++)
            {
                appender.Add(PackedElement.Of(fields.NameAt(i)));
            }

            appender.Add(0);
        }

        appender.Add(isSame ? SameFields : 0);
        appender.Add((long)difference.Ms);
        appender.Add((long)difference.Sequence);
        if (!isSame)
        {
            appender.Add(count);
        }

        for (int i = 0; i < count; i++)
        {
            if (!isSame)
            {
                appender.Add(PackedElement.Of(fields.NameAt(i)));
            }

            appender.Add(PackedElement.Of(fields.ValueAt(i)));
        }

        appender.Add(ElementsBefore(count, isSame));
        appender.Complete();
        if (!isFirst)
        {
            PackedList list = new(bytes);
            list.Replace(list.First, PackedElement.OfInteger(CountOf(list) + 1));
        }
    }

    private static long ElementsBefore(int fieldCount, bool isSame) =>
        isSame ? 3L + fieldCount : 4L + fieldCount + fieldCount;

    private static int IntegerSize(long value) => PackedList.SizeOf(PackedElement.OfInteger(value));
}
