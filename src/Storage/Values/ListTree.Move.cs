namespace KvServer.Storage;

/// <content>Moving leaves out of slabs that are to be emptied.</content>
internal readonly unsafe partial struct ListTree
{
    /// <summary>Moves a leaf if it lies in such a slab and no other tree shares it.</summary>
    /// <param name="index">The place of an element: 0, or what the last call returned.</param>
    /// <param name="budget">What may still be done.</param>
    /// <returns>The place of the next leaf's first element, as it is now; 0 after the last leaf.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    /// <remarks>O(height) beside the bytes of the leaf.</remarks>
    public ulong MoveLeaf(ulong index, ref MoveBudget budget)
    {
        if (index >= (ulong)_state->Count)
        {
            return 0;
        }

        ListPath path = default;
        Find((long)index, ref path);
        ulong next = index - (ulong)path.Offset + (ulong)ListNode.CountOf(path.Leaf);
        if (!IsShared(in path))
        {
            byte* leaf = path.Leaf;
            nuint bytes = ListNode.BytesOf(leaf);
            byte* moved = _heap.CopyOut(leaf, bytes, HeapTag.Value, ref budget);
            if (moved != null)
            {
                *path.LeafSlot(_state) = moved;
                _state->Head = _state->Head == leaf ? moved : _state->Head;
                _state->Tail = _state->Tail == leaf ? moved : _state->Tail;
                ListNode.Free(_heap, leaf);
            }
        }
        else
        {
            budget.CountLook();
        }

        return next < (ulong)_state->Count ? next : 0;
    }

    private static bool IsShared(in ListPath path)
    {
        bool isShared = ListNode.IsShared(path.Leaf);
        for (int level = 0; level < path.Height; level++)
        {
            isShared |= ListNode.IsShared(path.NodeAt(level));
        }

        return isShared;
    }
}
