namespace KvServer.Storage;

/// <content>Moving nodes out of slabs that are to be emptied.</content>
internal readonly unsafe partial struct StreamTree<TLayout, TKey, TSlot>
{
    /// <summary>Moves the nodes on the way to a slot, the root first, up to one that other trees share.</summary>
    /// <param name="path">Leads to the same slot afterwards.</param>
    /// <param name="budget">What may still be done.</param>
    /// <returns>Whether nobody shares any of them, so that the slot may be changed.</returns>
    /// <exception cref="OutOfMemoryException">Some of them may have moved.</exception>
    /// <remarks>O(height).</remarks>
    public bool MoveWay(ref StreamTreePath path, ref MoveBudget budget)
    {
        for (int level = 0; level <= path.Height; level++)
        {
            byte* node = level < path.Height ? path.NodeAt(level) : path.Leaf;
            if (SharedBlock.IsShared(node))
            {
                return false;
            }

            byte* moved = _heap.CopyOut(node, BytesOf(node), HeapTag.Value, ref budget);
            if (moved == null)
            {
                continue;
            }

            *PlaceOf(ref path, level) = moved;
            FreeNode(_heap, node, FreeFrom.CommandLoop);
            if (level < path.Height)
            {
                path.Set(level, moved, path.IndexAt(level));
            }
            else
            {
                path.Leaf = moved;
            }
        }

        return true;
    }
}
