namespace KvServer.Storage;

/// <content>For tests: whether the tree is what it should be.</content>
internal readonly unsafe partial struct ListTree
{
    /// <summary>Looks at every node.</summary>
    /// <returns>What is wrong, or null. O(leaves).</returns>
    public string? FindFault()
    {
        TellCounts(_state);
        if (_state->Root == null)
        {
            return _state->Count == 0 && _state->LeafCount == 0 && _state->Height == 0 ? null : "an empty list has counts";
        }

        if (_state->Height > 0 && ListNode.UsedOf(_state->Root) < 2 && !ListNode.IsShared(_state->Root))
        {
            return "the root has one child";
        }

        long leaves = 0;
        string? fault = FindFault(_state->Root, _state->Height, _state->Count, ref leaves);
        return fault ?? (leaves == _state->LeafCount ? null : $"{leaves} leaves, counted as {_state->LeafCount}");
    }

    private string? FindFault(byte* node, int height, long count, ref long leaves)
    {
        if ((ListNode.KindOf(node) == ListNodeKind.Inner) != (height > 0))
        {
            return "leaves are not equally deep";
        }

        if (height == 0)
        {
            leaves++;
            return FindFaultOfLeaf(node, count);
        }

        if (ListNode.UsedOf(node) == 0 || ListNode.SumOf(node) != count)
        {
            return $"{ListNode.SumOf(node)} elements below a node, counted as {count}";
        }

        string? fault = null;
        for (int i = 0; i < ListNode.UsedOf(node) && fault is null; i++)
        {
            fault = FindFault(ListNode.ChildOf(node, i), height - 1, ListNode.CountBelow(node, i), ref leaves);
        }

        return fault;
    }

    private string? FindFaultOfLeaf(byte* leaf, long count)
    {
        if (count == 0 || ListNode.CountOf(leaf) != count)
        {
            return $"{ListNode.CountOf(leaf)} elements in a leaf, counted as {count}";
        }

        if (ListNode.KindOf(leaf) == ListNodeKind.Plain)
        {
            return null;
        }

        PackedList list = View(leaf);
        return !PackedList.IsValid(list.Bytes) || list.LengthBytes > MaxPackedBytes || list.Count > _limits.NodeCount
            ? "a leaf is no packed list within the limits"
            : null;
    }
}
