using System.Diagnostics;

namespace KvServer.Storage;

/// <content>The structure: owning, inserting, removing, merging and compressing nodes.</content>
internal readonly unsafe partial struct ListTree
{
    // Siblings are merged when one of them is less than a quarter full and both together fit three quarters of a node.
    private const int Quarter = 4;

    // From this level up, what is dropped is worth handing to the background.
    private const int LargeSubtreeHeight = 2;

    // Before the structure changes in other places than the ends: counts must be right, and leaves at hand may go.
    private void BeginChange()
    {
        TellCounts(_state);
        _state->Head = null;
        _state->Tail = null;
    }

    /// <summary>Makes the inner nodes of a path this list's own.</summary>
    private void Own(ref ListPath path)
    {
        byte** slot = &_state->Root;
        for (int level = 0; level < path.Height; level++)
        {
            byte* node = OwnInner(slot);
            path.Set(level, node, path.IndexAt(level));
            slot = ListNode.SlotOf(node, path.IndexAt(level));
        }
    }

    private byte* OwnInner(byte** slot)
    {
        byte* node = *slot;
        if (!ListNode.IsShared(node))
        {
            return node;
        }

        byte* copy = ListNode.CreateInner(_heap);
        int used = ListNode.UsedOf(node);
        ListNode.MoveChildren(node, 0, copy, 0, used);
        ListNode.SetUsed(copy, used);
        for (int i = 0; i < used; i++)
        {
            ListNode.Share(ListNode.ChildOf(copy, i));
        }

        *slot = copy;
        ListNode.Release(_heap, node, FreeFrom.CommandLoop);
        return copy;
    }

    /// <summary>Makes the leaf of a path this list's own and a packed one, unless it is one long element, which never
    /// changes.</summary>
    private void OwnLeaf(ref ListPath path)
    {
        byte* leaf = path.Leaf;
        ListNodeKind kind = ListNode.KindOf(leaf);
        if (kind == ListNodeKind.Plain || (kind == ListNodeKind.Packed && !ListNode.IsShared(leaf)))
        {
            return;
        }

        PackedList list = View(leaf);
        int bytes = ListNode.LeafHeaderBytes + list.LengthBytes;
        ReplaceLeaf(ref path, Rebuilt(list, bytes, atEnd: false));
    }

    private void ReplaceLeaf(ref ListPath path, byte* leaf)
    {
        *path.LeafSlot(_state) = leaf;
        ListNode.Release(_heap, path.Leaf, FreeFrom.CommandLoop);
        path.Leaf = leaf;
    }

    /// <summary>Goes to the leaf that holds an element and makes the way there this list's own.</summary>
    private void FindOwned(long index, ref ListPath path)
    {
        Find(index, ref path);
        Own(ref path);
    }

    // The counts above a leaf that has gained or lost elements.
    private static void AddToCounts(ref ListPath path, long difference, int levels)
    {
        for (int level = 0; level < levels; level++)
        {
            ListNode.CountBelow(path.NodeAt(level), path.IndexAt(level)) += difference;
        }
    }

    /// <summary>Puts a leaf into the tree next to the one a path leads to; frees it when there is no memory for that.</summary>
    /// <param name="path">Owned; no longer valid afterwards.</param>
    /// <param name="leaf">The new leaf.</param>
    /// <param name="count">Its elements.</param>
    /// <param name="after">Behind that leaf rather than before it.</param>
    private void InsertBeside(ref ListPath path, byte* leaf, long count, bool after)
    {
        byte** spares = stackalloc byte*[ListPath.MaxHeight + 1];
        ReserveInner(ref path, spares, leaf);
        InsertUpwards(ref path, leaf, count, after, spares);
    }

    // Makes all inner nodes that putting a leaf beside another will need, so that doing it cannot fail.
    private void ReserveInner(ref ListPath path, byte** spares, byte* leaf)
    {
        int count = 0;
        try
        {
            int level = path.Height - 1;
            while (level >= 0 && ListNode.UsedOf(path.NodeAt(level)) == ListNode.Fanout)
            {
                spares[count] = ListNode.CreateInner(_heap);
                count++;
                level--;
            }

            if (level < 0)
            {
                Invariant.Check(path.Height < ListPath.MaxHeight, "a list's tree is no deeper than memory is large");
                spares[count] = ListNode.CreateInner(_heap);
            }
        }
        catch (OutOfMemoryException)
        {
            while (count > 0)
            {
                count--;
                ListNode.Free(_heap, spares[count]);
            }

            ListNode.Free(_heap, leaf);
            throw;
        }
    }

    private void InsertUpwards(ref ListPath path, byte* child, long count, bool after, byte** spares)
    {
        long gained = count;
        _state->LeafCount++;
        for (int level = path.Height - 1; level >= 0; level--)
        {
            byte* node = path.NodeAt(level);
            int at = path.IndexAt(level) + (after ? 1 : 0);
            if (ListNode.UsedOf(node) < ListNode.Fanout)
            {
                ListNode.InsertChild(node, at, child, count);
                AddToCounts(ref path, gained, level);
                return;
            }

            byte* right = *spares++;
            SplitInner(node, right, at, child, count);
            if (level > 0)
            {
                ListNode.CountBelow(path.NodeAt(level - 1), path.IndexAt(level - 1)) = ListNode.SumOf(node);
            }

            child = right;
            count = ListNode.SumOf(right);
            after = true;
        }

        // The root has become two.
        byte* root = *spares;
        byte* old = _state->Root;
        long oldCount = path.Height == 0 ? ListNode.CountOf(old) : ListNode.SumOf(old);
        ListNode.InsertChild(root, 0, old, oldCount);
        ListNode.InsertChild(root, after ? 1 : 0, child, count);
        _state->Root = root;
        _state->Height++;
    }

    // Divides a full node and puts a new child into the half it belongs to. At the ends nothing is divided: lists grow
    // there, and nodes shall be full.
    private static void SplitInner(byte* node, byte* right, int at, byte* child, long count)
    {
        int keep = at is 0 or ListNode.Fanout ? at : ListNode.Fanout / 2;
        ListNode.MoveChildren(node, keep, right, 0, ListNode.Fanout - keep);
        ListNode.SetUsed(right, ListNode.Fanout - keep);
        ListNode.SetUsed(node, keep);
        if (at < keep || keep == 0)
        {
            ListNode.InsertChild(node, at, child, count);
        }
        else
        {
            ListNode.InsertChild(right, at - keep, child, count);
        }
    }

    /// <summary>Removes the leaf an owned path leads to. Its elements are the caller's business, the counts above are not.</summary>
    private void RemoveLeaf(ref ListPath path)
    {
        int count = ListNode.CountOf(path.Leaf);
        byte* leaf = path.Leaf;
        _state->LeafCount--;
        Unlink(ref path, path.Height - 1, count);
        Drop(_keyspace, leaf, height: 0);
        _state->Head = null;
        _state->Tail = null;
    }

    // Takes a child out of the node at a level (-1: the root itself), and nodes that have no children then.
    private void Unlink(ref ListPath path, int level, long count)
    {
        for (; level >= 0; level--)
        {
            byte* node = path.NodeAt(level);
            ListNode.RemoveChild(node, path.IndexAt(level));
            if (ListNode.UsedOf(node) > 0)
            {
                AddToCounts(ref path, -count, level);
                Collapse();
                return;
            }

            ListNode.Free(_heap, node);
        }

        _state->Root = null;
        _state->Height = 0;
    }

    // A root with one child makes way for it.
    private void Collapse()
    {
        while (_state->Height > 0 && ListNode.UsedOf(_state->Root) == 1 && !ListNode.IsShared(_state->Root))
        {
            byte* root = _state->Root;
            _state->Root = ListNode.ChildOf(root, 0);
            _state->Height--;
            ListNode.Free(_heap, root);
        }
    }

    // Removes the whole subtree below a child of an owned path's node.
    private void DropSubtree(ref ListPath path, int level)
    {
        byte* node = path.NodeAt(level);
        int index = path.IndexAt(level);
        byte* child = ListNode.ChildOf(node, index);
        long count = ListNode.CountBelow(node, index);
        int height = path.Height - level - 1;
        _state->LeafCount -= LeavesBelow(child, height);
        _state->Count -= count;
        Unlink(ref path, level, count);
        Drop(_keyspace, child, height);
    }

    /// <summary>Gives up the ownership of a node and all below it, in the background where that is much.</summary>
    internal static void Drop(Keyspace keyspace, byte* node, int height)
    {
        bool isLarge = height >= LargeSubtreeHeight || ListNode.BytesOf(node) >= ValueLifetime.LargeBlockBytes;
        if (isLarge && !ListNode.IsShared(node))
        {
            keyspace.Reclaimer.FreeListNode(node);
        }
        else
        {
            ListNode.Release(keyspace.Heap, node, FreeFrom.CommandLoop);
        }
    }

    // Looks at the inner nodes alone, one for every 31 leaves.
    private static long LeavesBelow(byte* node, int height)
    {
        if (height <= 1)
        {
            return height == 0 ? 1 : ListNode.UsedOf(node);
        }

        long leaves = 0;
        for (int i = 0; i < ListNode.UsedOf(node); i++)
        {
            leaves += LeavesBelow(ListNode.ChildOf(node, i), height - 1);
        }

        return leaves;
    }

    // Merges what a removal has left nearly empty around an element. Skipped without memory: it can wait.
    private void Tidy(long index)
    {
        if (_state->Count == 0)
        {
            return;
        }

        try
        {
            ListPath path = default;
            FindOwned(Math.Clamp(index, 0, _state->Count - 1), ref path);
            if (IsSparse(path.Leaf))
            {
                OwnLeaf(ref path);
                if (!TryMergeLeaf(ref path))
                {
                    GiveBackRoom(ref path);
                }
            }

            for (int level = path.Height - 1; level > 0; level--)
            {
                TryMergeInner(ref path, level);
            }

            Collapse();
        }
        catch (OutOfMemoryException)
        {
            // Nothing has been changed half-way, and the next removal tries again.
        }
    }

    private bool IsSparse(byte* leaf) =>
        ListNode.KindOf(leaf) == ListNodeKind.Packed
        && (ListNode.PackedBytesOf(leaf) < MaxPackedBytes / Quarter || ListNode.CountOf(leaf) < _limits.NodeCount / Quarter);

    private bool TryMergeLeaf(ref ListPath path)
    {
        if (path.Height == 0)
        {
            return false;
        }

        int level = path.Height - 1;
        byte* parent = path.NodeAt(level);
        int index = path.IndexAt(level);
        return (index + 1 < ListNode.UsedOf(parent) && TryMergeLeaves(ref path, index))
            || (index > 0 && TryMergeLeaves(ref path, index - 1));
    }

    // Appends a leaf's right neighbour under the same parent to it.
    private bool TryMergeLeaves(ref ListPath path, int leftIndex)
    {
        int level = path.Height - 1;
        byte* parent = path.NodeAt(level);
        byte* right = ListNode.ChildOf(parent, leftIndex + 1);
        byte* left = ListNode.ChildOf(parent, leftIndex);
        if (ListNode.KindOf(left) != ListNodeKind.Packed || ListNode.KindOf(right) != ListNodeKind.Packed)
        {
            return false;
        }

        PackedList first = ListNode.PackedOf(left);
        PackedList second = ListNode.PackedOf(right);
        int bytes = first.LengthBytes + second.ElementBytes;
        int secondCount = second.Count;
        if (bytes > MaxPackedBytes / Quarter * 3 || first.Count + secondCount > (long)_limits.NodeCount / Quarter * 3)
        {
            return false;
        }

        byte* merged = Rebuilt(first, ListNode.LeafHeaderBytes + bytes, atEnd: false);
        ListNode.PackedOf(merged).AppendRun(second.ElementsFrom(second.First), secondCount);
        *ListNode.SlotOf(parent, leftIndex) = merged;
        ListNode.CountBelow(parent, leftIndex) += ListNode.CountBelow(parent, leftIndex + 1);
        ListNode.RemoveChild(parent, leftIndex + 1);
        ListNode.Release(_heap, left, FreeFrom.CommandLoop);
        ListNode.Release(_heap, right, FreeFrom.CommandLoop);
        _state->LeafCount--;
        return true;
    }

    private void TryMergeInner(ref ListPath path, int level)
    {
        byte* node = path.NodeAt(level);
        byte* parent = path.NodeAt(level - 1);
        int index = path.IndexAt(level - 1);
        if (ListNode.UsedOf(node) >= ListNode.Fanout / Quarter || ListNode.UsedOf(parent) == 1)
        {
            return;
        }

        int leftIndex = index + 1 < ListNode.UsedOf(parent) ? index : index - 1;
        byte** leftSlot = ListNode.SlotOf(parent, leftIndex);
        byte** rightSlot = ListNode.SlotOf(parent, leftIndex + 1);
        int leftUsed = ListNode.UsedOf(*leftSlot);
        int rightUsed = ListNode.UsedOf(*rightSlot);
        if (leftUsed + rightUsed > ListNode.Fanout / Quarter * 3)
        {
            return;
        }

        byte* left = OwnInner(leftSlot);
        byte* right = OwnInner(rightSlot);
        ListNode.MoveChildren(right, 0, left, leftUsed, rightUsed);
        ListNode.SetUsed(left, leftUsed + rightUsed);
        ListNode.CountBelow(parent, leftIndex) += ListNode.CountBelow(parent, leftIndex + 1);
        ListNode.RemoveChild(parent, leftIndex + 1);
        ListNode.Free(_heap, right);
    }

    private void GiveBackRoom(ref ListPath path)
    {
        PackedList list = ListNode.PackedOf(path.Leaf);
        int needed = ListNode.LeafHeaderBytes + list.LengthBytes;
        if ((int)ListNode.BytesOf(path.Leaf) > Math.Max(2 * needed, FirstLeafBytes))
        {
            ReplaceLeaf(ref path, Rebuilt(list, needed, atEnd: false));
        }
    }

    // A new leaf at an end moves another one out of the zone that is not compressed.
    private void CompressBehindEnd(bool atHead)
    {
        ListPath path = default;
        path.DescendToEnd(_state, atHead);
        for (int i = 0; i < _limits.CompressDepth; i++)
        {
            if (!path.Step(forward: atHead))
            {
                return;
            }
        }

        TryCompress(ref path);
    }

    // Compresses again what a change around an element has left as packed lists: its leaf, and the two beside it.
    private void CompressAround(long index)
    {
        if (_limits.CompressDepth == 0 || _state->Count == 0)
        {
            return;
        }

        ListPath path = default;
        Find(Math.Clamp(index, 0, _state->Count - 1), ref path);
        TryCompress(ref path);
        if (path.Step(forward: true))
        {
            TryCompress(ref path);
            path.Step(forward: false);
        }

        if (path.Step(forward: false))
        {
            TryCompress(ref path);
        }
    }

    private void TryCompress(ref ListPath path)
    {
        if (ListNode.KindOf(path.Leaf) != ListNodeKind.Packed || !IsInside(path, forward: true) || !IsInside(path, forward: false))
        {
            return;
        }

        try
        {
            Own(ref path);
            byte* compressed = _keyspace.ListCompressor.TryCompress(_heap, path.Leaf);
            if (compressed != null)
            {
                Debug.Assert(path.Leaf != _state->Head && path.Leaf != _state->Tail, "the ends are not compressed");
                ReplaceLeaf(ref path, compressed);
            }
        }
        catch (OutOfMemoryException)
        {
            // It stays as it is.
        }
    }

    private bool IsInside(ListPath path, bool forward)
    {
        for (int i = 0; i < _limits.CompressDepth; i++)
        {
            if (!path.Step(forward))
            {
                return false;
            }
        }

        return true;
    }
}
