using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A large list: a counted B+ tree whose leaves are packed lists.</summary>
/// <remarks>
/// <code>
///                    state: root, first and last leaf, counts
///                                  |
///              [ 9 below | 14 below | 12 below ]            inner nodes, up to 31 children
///                /            |           \
///          [5 | 4]        [6 | 5 | 3]     [7 | 5]
///           |   |          |   |   |       |   |
///          leaf leaf  ...                      leaf         packed lists, or one long element each
/// </code>
/// <para>All leaves are equally deep. A position is found by the counts, so everything that names one is O(log n) and
/// the size of a leaf. The ends are at hand: a push or pop touches one leaf, which has free room on the side of its end,
/// and only what crosses into another leaf goes through the tree. What it changes in the number of elements is noted
/// in the state and told to the counts above the leaf when somebody needs them.</para>
/// <para>Leaves split in the middle where one is inserted into, and not at all at the ends, so a list that is only
/// pushed to has full leaves. After a removal, neighbours that fit three quarters of one node are merged when one of
/// them is less than a quarter full.</para>
/// <para>Trees share nodes (<see cref="ListNode"/>): a snapshot or a copy takes the root and nothing else. Afterwards
/// each change first copies the nodes it changes, from the root down, once: what is written in place belongs to this
/// tree alone. Copying a node changes nothing for anyone, so running out of memory between two copies does no
/// harm.</para>
/// <para>Command loop only. Calls that run out of memory leave the elements as they were.</para>
/// </remarks>
internal readonly unsafe partial struct ListTree(ListState* state, Keyspace keyspace, ListLimits limits)
{
    // A leaf begins with room for little and grows by half.
    private const int FirstLeafBytes = 256;

    private readonly ListState* _state = state;
    private readonly Keyspace _keyspace = keyspace;
    private readonly NativeHeap _heap = keyspace.Heap;
    private readonly ListLimits _limits = limits;

    /// <summary>The state in native memory.</summary>
    public ListState* State => _state;

    /// <summary>Number of elements.</summary>
    public long Count => _state->Count;

    private int MaxPackedBytes => _limits.NodeBytes - ListNode.LeafHeaderBytes;

    /// <summary>Makes an empty list.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static ListTree Create(Keyspace keyspace, ListLimits limits)
    {
        var state = (ListState*)keyspace.Heap.Allocate(ListState.Bytes, HeapTag.State);
        *state = default;
        return new ListTree(state, keyspace, limits);
    }

    /// <summary>Frees a list, but for nodes that others share. O(leaves). Any thread that owns it.</summary>
    public static void FreeAll(NativeHeap heap, ListState* state, FreeFrom from)
    {
        if (state->Root != null)
        {
            ListNode.Release(heap, state->Root, from);
        }

        heap.Free((byte*)state, ListState.Bytes, HeapTag.State, from);
    }

    /// <summary>Makes a list with the same elements, which shares all nodes until one of the two changes. O(height).</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static ListState* Copy(NativeHeap heap, ListState* source)
    {
        var copy = (ListState*)heap.Allocate(ListState.Bytes, HeapTag.State);
        byte* root = ShareRoot(source);
        *copy = *source;
        copy->Root = root;
        return copy;
    }

    /// <summary>Takes part in the ownership of all nodes as they are now.</summary>
    /// <returns>The root; to be given up with <see cref="ListNode.Release"/>.</returns>
    /// <remarks>O(height).</remarks>
    public static byte* ShareRoot(ListState* state)
    {
        TellCounts(state);
        state->Head = null;
        state->Tail = null;
        state->WasShared = true;
        ListNode.Share(state->Root);
        return state->Root;
    }

    /// <summary>Bytes of all nodes and the state, estimated from the first leaves.</summary>
    /// <param name="state">The list.</param>
    /// <param name="sampleSize">Leaves to look at; 0 means all.</param>
    public static long BytesOf(ListState* state, long sampleSize)
    {
        long seen = 0;
        long bytes = 0;
        ListPath path = default;
        if (state->Root != null)
        {
            path.DescendToEnd(state, atHead: true);
            do
            {
                bytes += (long)NativeHeap.UsableSize(ListNode.BytesOf(path.Leaf));
                seen++;
            }
            while (seen != sampleSize && path.Step(forward: true));
        }

        long leaves = seen == 0 ? 0 : (long)((double)bytes / seen * state->LeafCount);
        long inner = 0;
        for (long nodes = state->LeafCount, level = 0; level < state->Height; level++)
        {
            nodes = (nodes + ListNode.Fanout - 1) / ListNode.Fanout;
            inner += nodes * (long)NativeHeap.UsableSize(ListNode.InnerBytes);
        }

        return ListState.Bytes + leaves + inner;
    }

    /// <summary>The packed list that the whole list is, if it is one leaf.</summary>
    public bool TryGetSinglePacked(out PackedList list)
    {
        list = default;
        if (_state->LeafCount != 1 || ListNode.KindOf(_state->Root) != ListNodeKind.Packed)
        {
            return false;
        }

        list = ListNode.PackedOf(_state->Root);
        return true;
    }

    /// <summary>Adds an element at an end. O(1) amortized, beside its length.</summary>
    /// <param name="text">Its bytes; not a part of this list.</param>
    /// <param name="atHead">At the first end rather than the last.</param>
    public void Push(ReadOnlySpan<byte> text, bool atHead)
    {
        PackedElement element = PackedElement.Of(text);
        int size = PackedList.SizeOf(element);
        byte* leaf = atHead ? _state->Head : _state->Tail;
        if (leaf == null || !HasRoom(leaf, size, atHead))
        {
            leaf = MakeRoomToPush(element, size, atHead);
            if (leaf == null)
            {
                PushLong(text, atHead);
                return;
            }
        }

        Add(leaf, element, size, atHead);
        _state->Count++;
        if (atHead)
        {
            _state->HeadPending++;
        }
        else
        {
            _state->TailPending++;
        }
    }

    /// <summary>The element at an end of a list that has some.</summary>
    /// <returns>Valid until the next change of any list.</returns>
    public PackedElement Peek(bool atHead)
    {
        byte* leaf = atHead ? _state->Head : _state->Tail;
        if (leaf == null)
        {
            ListPath path = default;
            path.DescendToEnd(_state, atHead);
            leaf = path.Leaf;
        }

        if (ListNode.KindOf(leaf) == ListNodeKind.Plain)
        {
            return PackedElement.OfString(ListNode.PlainOf(leaf));
        }

        PackedList list = View(leaf);
        return list[atHead ? list.First : list.Last];
    }

    /// <summary>Makes <see cref="RemoveEnd"/> of one element certain to succeed. O(height and one leaf).</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public void PrepareRemoveEnd(bool atHead)
    {
        if ((atHead ? _state->Head : _state->Tail) == null)
        {
            TakeEnd(atHead);
        }
    }

    /// <summary>Removes the element at an end of a list that has some. O(1) amortized.</summary>
    public void RemoveEnd(bool atHead)
    {
        byte* leaf = atHead ? _state->Head : _state->Tail;
        if (leaf == null)
        {
            leaf = TakeEnd(atHead);
        }

        if (ListNode.KindOf(leaf) == ListNodeKind.Plain || ListNode.PackedOf(leaf).Count == 1)
        {
            RemoveEndLeaf(atHead);
            return;
        }

        if (atHead)
        {
            RemoveFirst(leaf, 1);
            _state->HeadPending--;
        }
        else
        {
            PackedList list = ListNode.PackedOf(leaf);
            list.Truncate(list.Last, 1);
            _state->TailPending--;
        }

        _state->Count--;
    }

    /// <summary>Goes to the leaf that holds an element.</summary>
    /// <param name="index">From 0 to the number of elements; that number leads behind the last one.</param>
    /// <param name="path">The way there.</param>
    /// <remarks>O(height).</remarks>
    public void Find(long index, ref ListPath path)
    {
        TellCounts(_state);
        path.Height = _state->Height;
        byte* node = _state->Root;
        for (int level = 0; level < path.Height; level++)
        {
            int child = ChildWith(node, ref index);
            path.Set(level, node, child);
            node = ListNode.ChildOf(node, child);
        }

        path.Leaf = node;
        path.Offset = (int)index;
    }

    /// <summary>The packed list of a leaf that is one, restored if need be; only to read.</summary>
    public PackedList View(byte* leaf) => ListNode.KindOf(leaf) == ListNodeKind.Compressed
        ? _keyspace.ListCompressor.Restore(leaf)
        : ListNode.PackedOf(leaf);

    // Tells the counts above the first and the last leaf what these have gained. Only a list that owns the way to an
    // end pushes there, so those counts are its own.
    private static void TellCounts(ListState* state)
    {
        if (state->HeadPending != 0)
        {
            TellCounts(state, state->HeadPending, atHead: true);
            state->HeadPending = 0;
        }

        if (state->TailPending != 0)
        {
            TellCounts(state, state->TailPending, atHead: false);
            state->TailPending = 0;
        }
    }

    private static void TellCounts(ListState* state, int gained, bool atHead)
    {
        byte* node = state->Root;
        for (int level = 0; level < state->Height; level++)
        {
            int child = atHead ? 0 : ListNode.UsedOf(node) - 1;
            ListNode.CountBelow(node, child) += gained;
            node = ListNode.ChildOf(node, child);
        }
    }

    // Which child holds an element; the index becomes one among the elements below it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ChildWith(byte* node, ref long index)
    {
        int child = 0;
        int last = ListNode.UsedOf(node) - 1;
        while (child < last && index >= ListNode.CountBelow(node, child))
        {
            index -= ListNode.CountBelow(node, child);
            child++;
        }

        return child;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(byte* leaf, PackedElement element, int size, bool atHead)
    {
        if (atHead)
        {
            ListNode.SetStart(
                leaf, PackedList.PrependBefore(ListNode.BlockOf(leaf), ListNode.StartOf(leaf), element, size));
        }
        else
        {
            ListNode.PackedOf(leaf).Append(element);
        }
    }

    private static void RemoveFirst(byte* leaf, int count) =>
        ListNode.SetStart(leaf, PackedList.RemoveFirst(ListNode.BlockOf(leaf), ListNode.StartOf(leaf), count));

    // Whether an element can be added to a leaf without moving anything.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool HasRoom(byte* leaf, int size, bool atHead)
    {
        if (ListNode.KindOf(leaf) != ListNodeKind.Packed)
        {
            return false;
        }

        PackedList list = ListNode.PackedOf(leaf);
        int start = ListNode.StartOf(leaf);
        int lengthBytes = list.LengthBytes;
        int room = atHead
            ? start - ListNode.LeafHeaderBytes
            : (int)ListNode.BytesOf(leaf) - start - lengthBytes;
        return size <= room && lengthBytes + size <= MaxPackedBytes && list.Count < _limits.NodeCount;
    }

    private bool Fits(PackedList list, int size) =>
        list.LengthBytes + size <= MaxPackedBytes && list.Count < _limits.NodeCount;

    private bool IsLong(int size) => PackedList.EmptyBytes + size > MaxPackedBytes;

    // The leaf an element can be pushed to, made ready for it: null for one that needs a leaf of its own.
    private byte* MakeRoomToPush(PackedElement element, int size, bool atHead)
    {
        if (IsLong(size))
        {
            return null;
        }

        byte* leaf = atHead ? _state->Head : _state->Tail;
        if (leaf == null && _state->Root != null)
        {
            leaf = TakeEnd(atHead);
        }

        if (leaf != null && HasRoom(leaf, size, atHead))
        {
            return leaf;
        }

        if (leaf != null && ListNode.KindOf(leaf) == ListNodeKind.Packed && Fits(ListNode.PackedOf(leaf), size))
        {
            byte* roomy = WithRoom(leaf, size, atHead);
            ReplaceEnd(leaf, roomy, atHead);
            return roomy;
        }

        int bytes = Math.Max(FirstLeafBytes, ListNode.LeafHeaderBytes + PackedList.EmptyBytes + size);
        leaf = ListNode.CreatePacked(_heap, Math.Min(bytes, _limits.NodeBytes), atHead);
        AddEndLeaf(leaf, 0, atHead);
        return leaf;
    }

    private void PushLong(ReadOnlySpan<byte> text, bool atHead)
    {
        if (_state->Root != null)
        {
            PrepareRemoveEnd(atHead); // Owns the way there.
        }

        AddEndLeaf(ListNode.CreatePlain(_heap, text), 1, atHead);
        _state->Count++;
    }

    // Makes the way to an end, and the leaf unless it is a long element, this list's own.
    private byte* TakeEnd(bool atHead)
    {
        ListPath path = default;
        path.DescendToEnd(_state, atHead);
        Own(ref path);
        OwnLeaf(ref path);
        if (atHead)
        {
            _state->Head = path.Leaf;
        }
        else
        {
            _state->Tail = path.Leaf;
        }

        return path.Leaf;
    }

    // Adds a leaf at an end to which this list owns the way; frees the leaf when there is no memory to do so.
    private void AddEndLeaf(byte* leaf, int count, bool atHead)
    {
        TellCounts(_state);
        if (_state->Root == null)
        {
            _state->Root = leaf;
            _state->LeafCount = 1;
        }
        else
        {
            ListPath path = default;
            path.DescendToEnd(_state, atHead);
            InsertBeside(ref path, leaf, count, after: !atHead);
        }

        if (atHead)
        {
            _state->Head = leaf;
        }
        else
        {
            _state->Tail = leaf;
        }

        if (_limits.CompressDepth > 0)
        {
            CompressBehindEnd(atHead);
        }
    }

    private void RemoveEndLeaf(bool atHead)
    {
        TellCounts(_state);
        ListPath path = default;
        path.DescendToEnd(_state, atHead);
        _state->Count -= ListNode.CountOf(path.Leaf);
        RemoveLeaf(ref path);
    }

    // The leaf itself after moving what is in it, or a larger one in its place, with room on one side.
    private byte* WithRoom(byte* leaf, int size, bool atHead)
    {
        PackedList list = ListNode.PackedOf(leaf);
        int lengthBytes = list.LengthBytes;
        var blockBytes = (int)ListNode.BytesOf(leaf);
        int needed = ListNode.LeafHeaderBytes + lengthBytes + size;
        if (needed <= blockBytes && (blockBytes >= _limits.NodeBytes || blockBytes - needed >= blockBytes / 4))
        {
            // Most of the free room goes to the side that is pushed to.
            int spare = (blockBytes - needed) / 4;
            MoveList(leaf, list, atHead ? blockBytes - lengthBytes - spare : ListNode.LeafHeaderBytes + spare);
            return leaf;
        }

        int grown = Math.Clamp(blockBytes + (blockBytes / 2), needed, Math.Max(needed, _limits.NodeBytes));
        return Rebuilt(list, grown, atHead);
    }

    private byte* Rebuilt(PackedList list, int blockBytes, bool atEnd)
    {
        byte* leaf = ListNode.CreatePacked(_heap, blockBytes, atEnd: false);
        MoveList(leaf, list, atEnd ? blockBytes - list.LengthBytes : ListNode.LeafHeaderBytes);
        return leaf;
    }

    private static void MoveList(byte* leaf, PackedList list, int start)
    {
        list.Bytes.CopyTo(ListNode.BlockOf(leaf)[start..]);
        ListNode.SetStart(leaf, start);
    }

    private void ReplaceEnd(byte* old, byte* leaf, bool atHead)
    {
        if (old == leaf)
        {
            return;
        }

        ListPath path = default;
        path.DescendToEnd(_state, atHead);
        Debug.Assert(path.Leaf == old, "the leaf at hand is the one in the tree");
        *path.LeafSlot(_state) = leaf;
        _state->Head = _state->Head == old ? leaf : _state->Head;
        _state->Tail = _state->Tail == old ? leaf : _state->Tail;
        ListNode.Free(_heap, old);
    }
}
