namespace KvServer.Storage;

/// <content>Changes at any position.</content>
internal readonly unsafe partial struct ListTree
{
    /// <summary>Puts an element before the one at an index. O(log n), and moving at most one leaf.</summary>
    /// <param name="index">From 0 to the number of elements.</param>
    /// <param name="text">Its bytes; not a part of this list.</param>
    public void Insert(long index, ReadOnlySpan<byte> text)
    {
        if (index == 0 || index == _state->Count)
        {
            Push(text, atHead: index == 0);
            return;
        }

        BeginChange();
        InsertInside(index, text);
        CompressAround(index);
    }

    /// <summary>Puts an element in place of another. O(log n), and moving at most one leaf.</summary>
    /// <param name="index">That of an element.</param>
    /// <param name="text">Its bytes; not a part of this list.</param>
    public void Set(long index, ReadOnlySpan<byte> text)
    {
        BeginChange();
        ListPath path = default;
        FindOwned(index, ref path);
        OwnLeaf(ref path);
        PackedElement element = PackedElement.Of(text);
        if (!TryReplace(ref path, element))
        {
            // The new one comes first: then removing the other has all it needs.
            InsertInside(index, text);
            RemoveInside(index + 1, 1);
            Tidy(index);
        }

        CompressAround(index);
    }

    /// <summary>Removes elements that stand in a row. O(log n), and the inner nodes above what is removed.</summary>
    /// <param name="start">The first one.</param>
    /// <param name="count">How many; there are so many.</param>
    public void RemoveRange(long start, long count)
    {
        PrepareRemoveRange(start, count);
        RemoveInside(start, count);
        Tidy(start);
        if (start > 0)
        {
            Tidy(start - 1);
            CompressAround(start - 1);
        }

        CompressAround(start);
    }

    /// <summary>Removes all elements but some that stand in a row. O(log n), and the inner nodes above what is removed.</summary>
    /// <param name="start">The first one that stays.</param>
    /// <param name="count">How many stay, at least 1; there are so many.</param>
    public void Keep(long start, long count)
    {
        long end = start + count;
        long behind = _state->Count - end;
        BeginChange();
        if (start > 0)
        {
            PrepareRemoveRange(0, start);
        }

        if (behind > 0)
        {
            PrepareRemoveRange(end, behind);
        }

        RemoveInside(end, behind);
        RemoveInside(0, start);
        Tidy(_state->Count);
        Tidy(0);
        CompressAround(_state->Count);
        CompressAround(0);
    }

    /// <summary>Makes <see cref="RemoveRange"/> of these elements certain to succeed. O(log n) and two leaves.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public void PrepareRemoveRange(long start, long count)
    {
        BeginChange();
        OwnForRemoval(start, start, count);
        OwnForRemoval(start + count - 1, start, count);
    }

    /// <summary>Removes elements equal to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="limit">How many at most, at least 1.</param>
    /// <param name="fromTail">Begin with the last ones.</param>
    /// <returns>How many there were.</returns>
    /// <remarks>O(elements passed), and twice that where nodes have been shared or compressed.</remarks>
    public long RemoveEqual(PackedElement value, long limit, bool fromTail)
    {
        BeginChange();
        if (_state->WasShared || _limits.CompressDepth > 0)
        {
            PassEqual(value, limit, fromTail, removes: false); // Whatever may fail comes before the first change.
        }

        return PassEqual(value, limit, fromTail, removes: true);
    }

    private long PassEqual(PackedElement value, long limit, bool fromTail, bool removes)
    {
        long passed = 0;
        long next = fromTail ? _state->Count : 0;
        while (passed < limit && (fromTail ? next > 0 : next < _state->Count))
        {
            ListPath path = default;
            Find(fromTail ? next - 1 : next, ref path);
            int from = fromTail ? 0 : path.Offset;
            int to = fromTail ? path.Offset + 1 : ListNode.CountOf(path.Leaf);
            int taken = PassLeaf(ref path, value, from, to, limit - passed, fromTail, next, removes);
            passed += taken;
            next += fromTail ? -(to - from) : to - from - (removes ? taken : 0);
        }

        return passed;
    }

    // Removes equal elements from one leaf, from one of its elements up to another, or makes ready to do so.
    private int PassLeaf(
        ref ListPath path, PackedElement value, int from, int to, long limit, bool fromTail, long next, bool removes)
    {
        int found = CountEqual(path.Leaf, value, from, to);
        if (found == 0)
        {
            return 0;
        }

        int take = (int)Math.Min(found, limit);
        int skip = fromTail ? found - take : 0;
        bool isWhole = take == ListNode.CountOf(path.Leaf);
        Own(ref path);
        if (!isWhole)
        {
            OwnLeaf(ref path);
        }

        if (!removes)
        {
            return take;
        }

        _state->Count -= take;
        if (isWhole)
        {
            RemoveLeaf(ref path);
            return take;
        }

        ListNode.PackedOf(path.Leaf).RemoveEqual(value, from, to, skip, take);
        AddToCounts(ref path, -take, path.Height);
        long around = fromTail ? next - 1 - take : next;
        if (IsSparse(path.Leaf))
        {
            Tidy(around);
        }

        CompressAround(around);
        return take;
    }

    private int CountEqual(byte* leaf, PackedElement value, int from, int to) =>
        ListNode.KindOf(leaf) == ListNodeKind.Plain
            ? (ListNode.PlainOf(leaf).SequenceEqual(value.Bytes) ? 1 : 0)
            : View(leaf).CountEqual(value, from, to);

    // Owns the way to an element at the border of what will be removed, and the leaf if some of it stays.
    private void OwnForRemoval(long border, long start, long count)
    {
        ListPath path = default;
        FindOwned(border, ref path);
        long first = border - path.Offset;
        if (first < start || first + ListNode.CountOf(path.Leaf) > start + count)
        {
            OwnLeaf(ref path);
        }
    }

    // Removes elements when the ways to the first and the last of them are owned: no node that stays is beside those.
    private void RemoveInside(long start, long count)
    {
        while (count > 0)
        {
            count -= count == _state->Count ? RemoveAll() : RemoveSome(start, count);
        }
    }

    private long RemoveAll()
    {
        long count = _state->Count;
        byte* root = _state->Root;
        int height = _state->Height;
        _state->Root = null;
        _state->Height = 0;
        _state->Count = 0;
        _state->LeafCount = 0;
        Drop(_keyspace, root, height);
        return count;
    }

    // Removes the largest subtree that begins with an element, or what is wanted of its leaf. Returns how much that was.
    private long RemoveSome(long start, long count)
    {
        ListPath path = default;
        path.Height = _state->Height;
        byte** slot = &_state->Root;
        for (int level = 0; level < path.Height; level++)
        {
            byte* node = OwnInner(slot);
            int child = ChildWith(node, ref start);
            path.Set(level, node, child);
            long below = ListNode.CountBelow(node, child);
            if (start == 0 && below <= count)
            {
                DropSubtree(ref path, level);
                return below;
            }

            slot = ListNode.SlotOf(node, child);
        }

        path.Leaf = *slot;
        OwnLeaf(ref path);
        PackedList list = ListNode.PackedOf(path.Leaf);
        var removed = (int)Math.Min(count, list.Count - start);
        if (start == 0)
        {
            RemoveFirst(path.Leaf, removed);
        }
        else
        {
            list.RemoveRange(list.PositionAt((int)start), removed);
        }

        AddToCounts(ref path, -removed, path.Height);
        _state->Count -= removed;
        return removed;
    }

    private bool TryReplace(ref ListPath path, PackedElement element)
    {
        int size = PackedList.SizeOf(element);
        if (ListNode.KindOf(path.Leaf) != ListNodeKind.Packed || IsLong(size))
        {
            return false;
        }

        PackedList list = ListNode.PackedOf(path.Leaf);
        int position = list.PositionAt(path.Offset);
        int more = size - list.SizeAt(position);
        if (list.LengthBytes + more > MaxPackedBytes)
        {
            return false;
        }

        MakeRoomInside(ref path, more);
        ListNode.PackedOf(path.Leaf).Replace(position, element);
        return true;
    }

    // The leaf of an owned path gets room behind its list.
    private void MakeRoomInside(ref ListPath path, int more)
    {
        PackedList list = ListNode.PackedOf(path.Leaf);
        var blockBytes = (int)ListNode.BytesOf(path.Leaf);
        int start = ListNode.StartOf(path.Leaf);
        if (blockBytes - start - list.LengthBytes >= more)
        {
            return;
        }

        int needed = ListNode.LeafHeaderBytes + list.LengthBytes + more;
        if (needed <= blockBytes)
        {
            MoveList(path.Leaf, list, ListNode.LeafHeaderBytes);
            return;
        }

        int grown = Math.Clamp(blockBytes + (blockBytes / 2), needed, Math.Max(needed, _limits.NodeBytes));
        ReplaceLeaf(ref path, Rebuilt(list, grown, atEnd: false));
    }

    // Puts an element before another one; the counts are right and no leaf is at hand.
    private void InsertInside(long index, ReadOnlySpan<byte> text)
    {
        PackedElement element = PackedElement.Of(text);
        int size = PackedList.SizeOf(element);
        bool isLong = IsLong(size);
        while (true)
        {
            ListPath path = default;
            FindOwned(index, ref path);
            if (!isLong && TryInsertInto(ref path, element, size))
            {
                return;
            }

            // At the border of two leaves the one before has room more often.
            if (path.Offset == 0 && !isLong && TryInsertBefore(index, element, size))
            {
                return;
            }

            bool isPacked = ListNode.KindOf(path.Leaf) != ListNodeKind.Plain;
            int count = ListNode.CountOf(path.Leaf);
            if (path.Offset == 0 && (isLong || !isPacked || count == 1))
            {
                InsertLeaf(ref path, text, element, isLong);
                return;
            }

            OwnLeaf(ref path);
            SplitLeaf(ref path, isLong ? path.Offset : HalfOf(ListNode.PackedOf(path.Leaf)));
        }
    }

    private bool TryInsertBefore(long index, PackedElement element, int size)
    {
        ListPath path = default;
        FindOwned(index - 1, ref path);
        path.Offset++;
        return TryInsertInto(ref path, element, size);
    }

    private bool TryInsertInto(ref ListPath path, PackedElement element, int size)
    {
        if (ListNode.KindOf(path.Leaf) == ListNodeKind.Plain
            || ListNode.PackedBytesOf(path.Leaf) + size > MaxPackedBytes
            || ListNode.CountOf(path.Leaf) >= _limits.NodeCount)
        {
            return false;
        }

        OwnLeaf(ref path);
        MakeRoomInside(ref path, size);
        PackedList list = ListNode.PackedOf(path.Leaf);
        list.Insert(path.Offset == list.Count ? PackedList.None : list.PositionAt(path.Offset), element);
        AddToCounts(ref path, 1, path.Height);
        _state->Count++;
        return true;
    }

    // A leaf with this one element, before the one a path leads to.
    private void InsertLeaf(ref ListPath path, ReadOnlySpan<byte> text, PackedElement element, bool isLong)
    {
        byte* leaf;
        if (isLong)
        {
            leaf = ListNode.CreatePlain(_heap, text);
        }
        else
        {
            int bytes = ListNode.LeafHeaderBytes + PackedList.EmptyBytes + PackedList.SizeOf(element);
            leaf = ListNode.CreatePacked(_heap, bytes, atEnd: false);
            ListNode.PackedOf(leaf).Append(element);
        }

        InsertBeside(ref path, leaf, 1, after: false);
        _state->Count++;
    }

    // Moves the elements of a packed leaf from one on into a new leaf behind it. Changes nothing for those who look.
    private void SplitLeaf(ref ListPath path, int keep)
    {
        PackedList list = ListNode.PackedOf(path.Leaf);
        int position = list.PositionAt(keep);
        int moved = list.Count - keep;
        ReadOnlySpan<byte> run = list.ElementsFrom(position);
        byte* right = ListNode.CreatePacked(
            _heap, ListNode.LeafHeaderBytes + PackedList.EmptyBytes + run.Length, atEnd: false);
        ListNode.PackedOf(right).AppendRun(run, moved);
        byte** spares = stackalloc byte*[ListPath.MaxHeight + 1];
        ReserveInner(ref path, spares, right);
        list.Truncate(position, moved);
        AddToCounts(ref path, -moved, path.Height);
        InsertUpwards(ref path, right, moved, after: true, spares);
    }

    // The element at which a list of several is divided: not the first.
    private static int HalfOf(PackedList list)
    {
        int half = list.LengthBytes / 2;
        int index = 0;
        int position = list.First;
        int last = list.Count - 1;
        while (index < last && (index == 0 || position < half))
        {
            position = list.Next(position);
            index++;
        }

        return index;
    }
}
