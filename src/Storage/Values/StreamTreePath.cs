using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The way from the root of a stream's tree to a slot: inner nodes, and which child is taken at each.</summary>
/// <remarks>Level 0 is the root. Valid until the tree changes.</remarks>
internal unsafe struct StreamTreePath
{
    /// <summary>Levels of inner nodes a tree can have. A level more takes sixteen times as many insertions, so that is
    /// far more than memory can hold.</summary>
    public const int MaxHeight = 16;

    /// <summary>Levels of inner nodes.</summary>
    public int Height;

    /// <summary>The leaf; null in an empty tree.</summary>
    public byte* Leaf;

    /// <summary>Which of its slots.</summary>
    public int Index;

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
