using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The way from the root of a stream's tree to a slot: inner nodes, and which child is taken at each.</summary>
/// <remarks>Level 0 is the root. Valid until the tree changes.</remarks>
internal unsafe struct StreamTreePath
{
    /// <summary>Levels of inner nodes a tree can have. A level more takes sixteen times as many insertions, so that is
    /// far more than memory can hold.</summary>
    public const int MaxHeight = TreePath.MaxHeight;

    /// <summary>Levels of inner nodes.</summary>
    public int Height;

    /// <summary>The leaf; null in an empty tree.</summary>
    public byte* Leaf;

    /// <summary>Which of its slots.</summary>
    public int Index;

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
}
