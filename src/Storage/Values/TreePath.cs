using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The inner nodes on the way from a tree's root to a leaf, and which child is taken at each.</summary>
/// <remarks>Level 0 is the root. Valid until the tree's structure changes.</remarks>
internal unsafe struct TreePath
{
    /// <summary>Levels of inner nodes it has room for. Inner nodes of both kinds of trees have at least seven children on
    /// the average, so that is far more than memory can hold.</summary>
    public const int MaxHeight = 16;

    private NodeArray _nodes;
    private IndexArray _indices;

    /// <summary>The inner node at a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly byte* NodeAt(int level) => (byte*)_nodes[level];

    /// <summary>Which child of that node is taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int IndexAt(int level) => _indices[level];

    /// <summary>Notes the way at one level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int level, byte* node, int index)
    {
        _nodes[level] = (nint)node;
        _indices[level] = (byte)index;
    }

    [InlineArray(MaxHeight)]
    private struct NodeArray
    {
        private nint _first;
    }

    [InlineArray(MaxHeight)]
    private struct IndexArray
    {
        private byte _first;
    }
}
