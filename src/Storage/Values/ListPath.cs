using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The way from a list's root to one of its leaves: the inner nodes, and which child is taken at each.</summary>
/// <remarks>Level 0 is the root. Valid until the tree's structure changes.</remarks>
internal unsafe struct ListPath
{
    /// <summary>Levels of inner nodes a tree can have. With at least seven children each on the average (siblings that
    /// are emptier are merged) that is far more than memory can hold.</summary>
    public const int MaxHeight = TreePath.MaxHeight;

    /// <summary>Levels of inner nodes.</summary>
    public int Height;

    /// <summary>The leaf.</summary>
    public byte* Leaf;

    /// <summary>Which of the leaf's elements was looked for.</summary>
    public int Offset;

    private TreePath _inner;

    /// <inheritdoc cref="TreePath.NodeAt"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly byte* NodeAt(int level) => _inner.NodeAt(level);

    /// <inheritdoc cref="TreePath.IndexAt"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int IndexAt(int level) => _inner.IndexAt(level);

    /// <inheritdoc cref="TreePath.Set"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int level, byte* node, int index) => _inner.Set(level, node, index);

    /// <summary>Where the address of the leaf stands.</summary>
    public readonly byte** LeafSlot(ListState* state) =>
        Height == 0 ? &state->Root : ListNode.SlotOf(NodeAt(Height - 1), IndexAt(Height - 1));

    /// <summary>Goes down to the first or the last leaf.</summary>
    public void DescendToEnd(ListState* state, bool atHead)
    {
        Height = state->Height;
        DescendFrom(0, state->Root, atHead);
    }

    /// <summary>Goes to the next leaf, or to the one before.</summary>
    /// <returns>False when there is none; the path is as it was.</returns>
    /// <remarks>O(1) amortized.</remarks>
    public bool Step(bool forward)
    {
        for (int level = Height - 1; level >= 0; level--)
        {
            byte* node = NodeAt(level);
            int index = IndexAt(level) + (forward ? 1 : -1);
            if (index >= 0 && index < ListNode.UsedOf(node))
            {
                Set(level, node, index);
                DescendFrom(level + 1, ListNode.ChildOf(node, index), atHead: forward);
                return true;
            }
        }

        return false;
    }

    private void DescendFrom(int level, byte* node, bool atHead)
    {
        for (; level < Height; level++)
        {
            int index = atHead ? 0 : ListNode.UsedOf(node) - 1;
            Set(level, node, index);
            node = ListNode.ChildOf(node, index);
        }

        Leaf = node;
    }
}
