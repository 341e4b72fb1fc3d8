using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Owning, inserting, removing and merging.</content>
internal readonly unsafe partial struct StreamTree<TLayout, TKey, TSlot>
{
    private const int Quarter = MaxUsed / 4;

    /// <summary>Makes all nodes on a path this tree's own.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory. The map is as it was; the path is stale.</exception>
    public void Own(ref StreamTreePath path)
    {
        byte** place = _root;
        for (int level = 0; level < path.Height; level++)
        {
            byte* node = OwnNode(place);
            path.Set(level, node, path.IndexAt(level));
            place = &Children(node)[path.IndexAt(level)].Child;
        }

        path.Leaf = OwnNode(place);
    }

    /// <summary>Puts a slot where its key, which is not in the tree, belongs.</summary>
    /// <param name="slot">What it points to belongs to the tree from now on.</param>
    /// <returns>The slot in the tree; valid until the next change.</returns>
    /// <remarks>O(log n).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed; the slot's content is still the caller's.</exception>
    public TSlot* Insert(TSlot slot)
    {
        TKey key = TLayout.KeyOf(&slot);
        if (*_root == null)
        {
            *_root = CreateLeaf(FirstCapacity);
        }

        StreamTreePath path = default;
        Descend(key, ref path);
        Debug.Assert(
            path.Index == UsedOf(path.Leaf) || TLayout.Compare(TLayout.KeyOf(SlotOf(ref path)), key) != 0,
            "keys are inserted once");
        try
        {
            Own(ref path);
            if (UsedOf(path.Leaf) == path.Leaf[CapacityOffset])
            {
                MakeRoom(ref path);
            }
        }
        catch (OutOfMemoryException)
        {
            if (UsedOf(*_root) == 0)
            {
                FreeNode(_heap, *_root, FreeFrom.CommandLoop);
                *_root = null;
            }

            throw;
        }

        TSlot* slots = Slots(path.Leaf);
        Move(slots + path.Index, slots + path.Index + 1, UsedOf(path.Leaf) - path.Index);
        slots[path.Index] = slot;
        SetUsed(path.Leaf, UsedOf(path.Leaf) + 1);
        return slots + path.Index;
    }

    /// <summary>Removes the slot of a key and gives up what it points to.</summary>
    /// <returns>Whether there was one.</returns>
    /// <remarks>O(log n). Cannot fail when the key's path is owned already (<see cref="FindOwned"/>).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool Remove(in TKey key)
    {
        StreamTreePath path = default;
        if (!Seek(key, ref path) || TLayout.Compare(TLayout.KeyOf(SlotOf(ref path)), key) != 0)
        {
            return false;
        }

        Own(ref path);
        RemoveAt(ref path);
        return true;
    }

    /// <summary>Removes the slot that an owned path leads to. Cannot fail.</summary>
    public void RemoveAt(ref StreamTreePath path)
    {
        TLayout.ReleaseSlot(_heap, SlotOf(ref path), FreeFrom.CommandLoop);
        RemoveSlots(path.Leaf, path.Index, 1);
        Settle(ref path);
    }

    /// <summary>Removes all slots; what is more than a leaf is freed in the background. Cannot fail.</summary>
    public void Clear()
    {
        byte* top = *_root;
        *_root = null;
        DropNode(top);
    }

    /// <summary>Removes all slots before the one that an owned path leads to. Cannot fail.</summary>
    /// <remarks>O(log n): what is more than a leaf is freed in the background.</remarks>
    public void RemoveBefore(ref StreamTreePath path)
    {
        for (int i = 0; i < path.Index; i++)
        {
            TLayout.ReleaseSlot(_heap, Slots(path.Leaf) + i, FreeFrom.CommandLoop);
        }

        RemoveSlots(path.Leaf, 0, path.Index);
        path.Index = 0;
        for (int level = path.Height - 1; level >= 0; level--)
        {
            byte* node = path.NodeAt(level);
            int before = path.IndexAt(level);
            for (int i = 0; i < before; i++)
            {
                Drop(Children(node) + i);
            }

            RemoveChildren(node, 0, before);
            path.Set(level, node, 0);
        }

        Settle(ref path);
    }

    private void Drop(ChildSlot* child)
    {
        TLayout.ReleaseKey(_heap, child->Key, FreeFrom.CommandLoop);
        DropNode(child->Child);
    }

    private void DropNode(byte* node)
    {
        if (node != null && IsInner(node) && _heap.Reclaimer is { } reclaimer)
        {
            reclaimer.FreeShared(node, &Release);
            return;
        }

        Release(_heap, node, FreeFrom.CommandLoop);
    }

    private static void Move<T>(T* from, T* to, int count)
        where T : unmanaged => Buffer.MemoryCopy(from, to, (long)count * sizeof(T), (long)count * sizeof(T));

    private static void RemoveSlots(byte* leaf, int index, int count)
    {
        int used = UsedOf(leaf);
        Move(Slots(leaf) + index + count, Slots(leaf) + index, used - index - count);
        SetUsed(leaf, used - count);
    }

    private static void RemoveChildren(byte* node, int index, int count)
    {
        int used = UsedOf(node);
        Move(Children(node) + index + count, Children(node) + index, used - index - count);
        SetUsed(node, used - count);
    }

    private static void InsertChild(byte* node, int index, ChildSlot child)
    {
        int used = UsedOf(node);
        Move(Children(node) + index, Children(node) + index + 1, used - index);
        Children(node)[index] = child;
        SetUsed(node, used + 1);
    }

    private byte* CreateLeaf(int capacity) => CreateNode(capacity, isInner: false, sizeof(TSlot));

    private byte* CreateInner() => CreateNode(MaxUsed, isInner: true, sizeof(ChildSlot));

    private byte* CreateNode(int capacity, bool isInner, int slotBytes)
    {
        byte* node = _heap.Allocate((nuint)(HeaderBytes + (capacity * slotBytes)), HeapTag.Value);
        SharedBlock.Begin(node);
        node[IsInnerOffset] = isInner ? (byte)1 : (byte)0;
        node[UsedOffset] = 0;
        node[CapacityOffset] = (byte)capacity;
        node[CapacityOffset + 1] = 0;
        return node;
    }

    private byte* OwnNode(byte** place)
    {
        byte* node = *place;
        if (!SharedBlock.IsShared(node))
        {
            return node;
        }

        byte* copy = IsInner(node) ? CreateInner() : CreateLeaf(node[CapacityOffset]);
        int used = UsedOf(node);
        SetUsed(copy, used);
        if (IsInner(node))
        {
            Move(Children(node), Children(copy), used);
        }
        else
        {
            Move(Slots(node), Slots(copy), used);
        }

        for (int i = 0; i < used; i++)
        {
            if (IsInner(copy))
            {
                TLayout.ShareKey(Children(copy)[i].Key);
                SharedBlock.Share(Children(copy)[i].Child);
            }
            else
            {
                TLayout.ShareSlot(Slots(copy) + i);
            }
        }

        *place = copy;
        Release(_heap, node, FreeFrom.CommandLoop);
        return copy;
    }

    private byte** PlaceOf(ref StreamTreePath path, int level) =>
        level == 0 ? _root : &Children(path.NodeAt(level - 1))[path.IndexAt(level - 1)].Child;

    // Gives an owned leaf that is full a larger block, or divides it.
    private void MakeRoom(ref StreamTreePath path)
    {
        int capacity = path.Leaf[CapacityOffset];
        if (capacity < MaxUsed)
        {
            byte* leaf = CreateLeaf(Math.Min(capacity * 2, MaxUsed));
            Move(Slots(path.Leaf), Slots(leaf), capacity);
            SetUsed(leaf, capacity);
            *PlaceOf(ref path, path.Height) = leaf;
            FreeNode(_heap, path.Leaf, FreeFrom.CommandLoop);
            path.Leaf = leaf;
            return;
        }

        bool isAtEnd = path.Index == MaxUsed;
        for (int level = 0; level < path.Height; level++)
        {
            isAtEnd &= path.IndexAt(level) == UsedOf(path.NodeAt(level)) - 1;
        }

        Divide(ref path, isAtEnd);
    }

    private void Divide(ref StreamTreePath path, bool isAtEnd)
    {
        byte** spares = stackalloc byte*[StreamTreePath.MaxHeight + 1];
        byte* leaf = Reserve(ref path, spares);
        byte* left = path.Leaf;

        // What is only added to at its end is left full: the last slot goes along, because a leaf is never empty.
        int kept = isAtEnd ? MaxUsed - 1 : MaxUsed / 2;
        Move(Slots(left) + kept, Slots(leaf), MaxUsed - kept);
        SetUsed(leaf, MaxUsed - kept);
        SetUsed(left, kept);
        ChildSlot added = new() { Key = TLayout.KeyOf(Slots(leaf)), Child = leaf };
        TLayout.ShareKey(added.Key);
        if (path.Index > kept)
        {
            path.Leaf = leaf;
            path.Index -= kept;
        }

        InsertUpwards(ref path, added, spares, isAtEnd);
    }

    // Makes all nodes that dividing a leaf needs, so that doing it cannot fail.
    private byte* Reserve(ref StreamTreePath path, byte** spares)
    {
        int count = 0;
        byte* leaf = CreateLeaf(MaxUsed);
        try
        {
            int level = path.Height - 1;
            for (; level >= 0 && UsedOf(path.NodeAt(level)) == MaxUsed; level--)
            {
                spares[count] = CreateInner();
                count++;
            }

            if (level < 0)
            {
                Invariant.Check(path.Height < StreamTreePath.MaxHeight, "a stream's tree is no deeper than memory is large");
                spares[count] = CreateInner();
            }
        }
        catch (OutOfMemoryException)
        {
            for (int i = 0; i < count; i++)
            {
                FreeNode(_heap, spares[i], FreeFrom.CommandLoop);
            }

            FreeNode(_heap, leaf, FreeFrom.CommandLoop);
            throw;
        }

        return leaf;
    }

    private void InsertUpwards(ref StreamTreePath path, ChildSlot added, byte** spares, bool isAtEnd)
    {
        int spare = 0;
        for (int level = path.Height - 1; level >= 0; level--)
        {
            byte* node = path.NodeAt(level);
            int index = path.IndexAt(level) + 1;
            if (UsedOf(node) < MaxUsed)
            {
                InsertChild(node, index, added);
                return;
            }

            byte* right = spares[spare];
            spare++;
            int kept = isAtEnd ? MaxUsed - 1 : MaxUsed / 2;
            Move(Children(node) + kept, Children(right), MaxUsed - kept);
            SetUsed(right, MaxUsed - kept);
            SetUsed(node, kept);
            InsertChild(index > kept ? right : node, index > kept ? index - kept : index, added);
            added = new ChildSlot { Key = Children(right)[0].Key, Child = right };
            TLayout.ShareKey(added.Key);
        }

        byte* top = spares[spare];
        InsertChild(top, 0, new ChildSlot { Key = default, Child = *_root });
        InsertChild(top, 1, added);
        *_root = top;
    }

    // After removals at an owned path: takes out nodes that are empty and merges those that are nearly so.
    private void Settle(ref StreamTreePath path)
    {
        byte* node = path.Leaf;
        for (int level = path.Height - 1; level >= 0; level--)
        {
            byte* parent = path.NodeAt(level);
            if (UsedOf(node) == 0)
            {
                TLayout.ReleaseKey(_heap, Children(parent)[path.IndexAt(level)].Key, FreeFrom.CommandLoop);
                FreeNode(_heap, node, FreeFrom.CommandLoop);
                RemoveChildren(parent, path.IndexAt(level), 1);
            }
            else if (UsedOf(node) < Quarter)
            {
                Merge(parent, path.IndexAt(level));
            }

            node = parent;
        }

        if (UsedOf(node) == 0)
        {
            FreeNode(_heap, node, FreeFrom.CommandLoop);
            *_root = null;
            return;
        }

        while (IsInner(*_root) && UsedOf(*_root) == 1)
        {
            byte* top = *_root;
            *_root = Share(Children(top)[0].Child);
            Release(_heap, top, FreeFrom.CommandLoop);
        }
    }

    // Makes one node of a child and a neighbour, unless that would copy nodes that others own.
    private void Merge(byte* parent, int index)
    {
        index = index + 1 < UsedOf(parent) ? index : index - 1;
        if (index < 0)
        {
            return;
        }

        ChildSlot* places = Children(parent) + index;
        byte* left = places[0].Child;
        byte* right = places[1].Child;
        int count = UsedOf(left) + UsedOf(right);
        if (count > MaxUsed - Quarter || SharedBlock.IsShared(left) || SharedBlock.IsShared(right))
        {
            return;
        }

        if (IsInner(left))
        {
            // The key above the right node is the least below its first child.
            TLayout.ReleaseKey(_heap, Children(right)[0].Key, FreeFrom.CommandLoop);
            Children(right)[0].Key = places[1].Key;
            Move(Children(right), Children(left) + UsedOf(left), UsedOf(right));
        }
        else
        {
            if (left[CapacityOffset] < count && !TryEnlarge(ref left))
            {
                return;
            }

            places[0].Child = left;
            TLayout.ReleaseKey(_heap, places[1].Key, FreeFrom.CommandLoop);
            Move(Slots(right), Slots(left) + UsedOf(left), UsedOf(right));
        }

        SetUsed(left, count);
        FreeNode(_heap, right, FreeFrom.CommandLoop);
        RemoveChildren(parent, index + 1, 1);
    }

    private bool TryEnlarge(ref byte* leaf)
    {
        try
        {
            byte* larger = CreateLeaf(MaxUsed);
            Move(Slots(leaf), Slots(larger), UsedOf(leaf));
            SetUsed(larger, UsedOf(leaf));
            FreeNode(_heap, leaf, FreeFrom.CommandLoop);
            leaf = larger;
            return true;
        }
        catch (OutOfMemoryException)
        {
            // Two small nodes do as well.
            return false;
        }
    }
}
