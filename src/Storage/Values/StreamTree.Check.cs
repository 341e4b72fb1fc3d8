namespace KvServer.Storage;

/// <content>For tests: whether the tree is what it should be.</content>
internal readonly unsafe partial struct StreamTree<TLayout, TKey, TSlot>
{
    /// <summary>Looks at every node.</summary>
    /// <returns>What is wrong, or null. O(slots).</returns>
    public string? FindFault(out long slots)
    {
        slots = 0;
        byte* top = *_root;
        if (top == null)
        {
            return null;
        }

        int height = 0;
        for (byte* node = top; IsInner(node); node = Children(node)[0].Child)
        {
            height++;
        }

        string? fault = UsedOf(top) == 0 || (height > 0 && UsedOf(top) < 2) ? "the root has too little" : null;
        return fault ?? FindFault(top, height, null, null, ref slots);
    }

    // Keys below a node are at least one and less than the other, where these are given.
    private static string? FindFault(byte* node, int height, TKey* least, TKey* end, ref long slots)
    {
        if (IsInner(node) != (height > 0))
        {
            return "leaves are not equally deep";
        }

        int used = UsedOf(node);
        if (used == 0 || used > node[CapacityOffset])
        {
            return $"{used} slots in a node for {node[CapacityOffset]}";
        }

        string? fault = null;
        for (int i = 0; i < used && fault is null; i++)
        {
            TKey key = height > 0 ? Children(node)[i].Key : TLayout.KeyOf(Slots(node) + i);
            if (height > 0)
            {
                TKey next = i + 1 < used ? Children(node)[i + 1].Key : default;
                fault = FindFault(
                    Children(node)[i].Child, height - 1, i > 0 ? &key : least, i + 1 < used ? &next : end, ref slots);
                continue;
            }

            slots++;
            bool isBelow = least != null && TLayout.Compare(key, *least) < 0;
            bool isBeyond = end != null && TLayout.Compare(key, *end) >= 0;
            bool isOutOfOrder = i > 0 && TLayout.Compare(TLayout.KeyOf(Slots(node) + i - 1), key) >= 0;
            fault = isBelow || isBeyond || isOutOfOrder ? "keys are out of order" : null;
        }

        return fault;
    }
}
