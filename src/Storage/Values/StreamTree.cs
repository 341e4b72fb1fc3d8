using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>An ordered map of a stream: a B+ tree of slots of one size.</summary>
/// <remarks>
/// <code>
/// every node   [owners:4|is inner:1|used:1|capacity:1|-:1]
/// inner        ... up to 31 x (least key below it, address of the child); the first key is not looked at
/// leaf         ... 2, 4, 8, 16 or 31 slots
/// </code>
/// <para>Entries, groups, consumers and pending entries all lie in such trees, which differ in their slots
/// (<typeparamref name="TLayout"/>). All leaves are equally deep. What is only added to at its end has full nodes;
/// a node that is less than a quarter full after a removal is merged with a neighbour if both fit three quarters.</para>
/// <para>Trees share nodes: a snapshot or a copy becomes one more owner of the root, and nothing else. Afterwards each
/// change first copies the nodes it changes, from the root down, once. Copying a node changes nothing for anyone, so
/// running out of memory between two copies does no harm: every method that can run out of memory leaves the map as it
/// was.</para>
/// <para>A tree that nobody shares is walked and changed by the command loop only; any thread may give up a share.</para>
/// </remarks>
/// <typeparam name="TLayout">How slots are ordered and owned.</typeparam>
/// <typeparam name="TKey">What slots are ordered by.</typeparam>
/// <typeparam name="TSlot">What a leaf holds per key.</typeparam>
/// <param name="heap">Where nodes come from.</param>
/// <param name="root">Where the address of the root stands, in native memory; null is an empty tree.</param>
internal readonly unsafe partial struct StreamTree<TLayout, TKey, TSlot>(NativeHeap heap, byte** root)
    where TLayout : IStreamTreeLayout<TKey, TSlot>
    where TKey : unmanaged
    where TSlot : unmanaged
{
    private const int HeaderBytes = 8;
    private const int IsInnerOffset = 4;
    private const int UsedOffset = 5;
    private const int CapacityOffset = 6;
    private const int FirstCapacity = 2;

    // So many that nodes just fit their size classes.
    private const int MaxUsed = 31;

    private readonly NativeHeap _heap = heap;
    private readonly byte** _root = root;

    /// <summary>Becomes one more owner of a whole tree. O(1).</summary>
    public static byte* Share(byte* root)
    {
        if (root != null)
        {
            SharedBlock.Share(root);
        }

        return root;
    }

    /// <summary>Gives up the ownership of a tree; the last owner frees it with all that only it owns. O(nodes freed).</summary>
    public static void Release(NativeHeap heap, byte* root, FreeFrom from)
    {
        if (root == null || !SharedBlock.Leave(root))
        {
            return;
        }

        for (int i = 0; i < UsedOf(root); i++)
        {
            if (IsInner(root))
            {
                ReleaseChild(heap, Children(root) + i, from);
            }
            else
            {
                TLayout.ReleaseSlot(heap, Slots(root) + i, from);
            }
        }

        FreeNode(heap, root, from);
    }

    /// <summary>Number of nodes of a tree, and their bytes. O(nodes).</summary>
    public static long NodesOf(byte* root, out long bytes)
    {
        bytes = 0;
        if (root == null)
        {
            return 0;
        }

        long nodes = 1;
        bytes = (long)NativeHeap.UsableSize(BytesOf(root));
        for (int i = 0; IsInner(root) && i < UsedOf(root); i++)
        {
            nodes += NodesOf(Children(root)[i].Child, out long below);
            bytes += below;
        }

        return nodes;
    }

    /// <summary>The slot of a key, to read.</summary>
    /// <returns>Null when there is none; valid until the tree changes.</returns>
    /// <remarks>O(log n).</remarks>
    public TSlot* Find(in TKey key)
    {
        StreamTreePath path = default;
        return Seek(key, ref path) && TLayout.Compare(TLayout.KeyOf(SlotOf(ref path)), key) == 0 ? SlotOf(ref path) : null;
    }

    /// <summary>The slot of a key, to change what it holds beside the key.</summary>
    /// <returns>Null when there is none; valid until the tree changes or somebody becomes an owner of it.</returns>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public TSlot* FindOwned(in TKey key)
    {
        StreamTreePath path = default;
        if (!Seek(key, ref path) || TLayout.Compare(TLayout.KeyOf(SlotOf(ref path)), key) != 0)
        {
            return null;
        }

        Own(ref path);
        return SlotOf(ref path);
    }

    /// <summary>Goes to the first slot whose key is not less than one.</summary>
    /// <returns>False when there is none.</returns>
    public bool Seek(in TKey key, ref StreamTreePath path)
    {
        Descend(key, ref path);
        return path.Leaf != null && (path.Index < UsedOf(path.Leaf) || Step(ref path, forward: true));
    }

    /// <summary>Goes to the last slot whose key is not greater than one.</summary>
    /// <returns>False when there is none.</returns>
    public bool SeekBack(in TKey key, ref StreamTreePath path)
    {
        Descend(key, ref path);
        if (path.Leaf == null)
        {
            return false;
        }

        bool isThere = path.Index < UsedOf(path.Leaf) && TLayout.Compare(TLayout.KeyOf(SlotOf(ref path)), key) == 0;
        return isThere || Step(ref path, forward: false);
    }

    /// <summary>Goes to the first or the last slot.</summary>
    /// <returns>False when there are none.</returns>
    public bool SeekEnd(bool first, ref StreamTreePath path)
    {
        path.Height = 0;
        path.Leaf = null;
        if (*_root != null)
        {
            DescendToEnd(*_root, 0, first, ref path);
        }

        return path.Leaf != null;
    }

    /// <summary>Goes to the next slot, or to the one before.</summary>
    /// <returns>False when there is none; the path is of no use then.</returns>
    /// <remarks>O(1) amortized.</remarks>
    public static bool Step(ref StreamTreePath path, bool forward)
    {
        int index = path.Index + (forward ? 1 : -1);
        if (index >= 0 && index < UsedOf(path.Leaf))
        {
            path.Index = index;
            return true;
        }

        for (int level = path.Height - 1; level >= 0; level--)
        {
            byte* node = path.NodeAt(level);
            index = path.IndexAt(level) + (forward ? 1 : -1);
            if (index >= 0 && index < UsedOf(node))
            {
                path.Set(level, node, index);
                DescendToEnd(Children(node)[index].Child, level + 1, forward, ref path);
                return true;
            }
        }

        return false;
    }

    /// <summary>The slot a path leads to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSlot* SlotOf(ref StreamTreePath path) => Slots(path.Leaf) + path.Index;

    private static bool IsInner(byte* node) => node[IsInnerOffset] != 0;

    private static int UsedOf(byte* node) => node[UsedOffset];

    private static void SetUsed(byte* node, int used) => node[UsedOffset] = (byte)used;

    private static TSlot* Slots(byte* leaf) => (TSlot*)(leaf + HeaderBytes);

    private static ChildSlot* Children(byte* node) => (ChildSlot*)(node + HeaderBytes);

    private static nuint BytesOf(byte* node) =>
        HeaderBytes + ((nuint)node[CapacityOffset] * (nuint)(IsInner(node) ? sizeof(ChildSlot) : sizeof(TSlot)));

    private static void FreeNode(NativeHeap heap, byte* node, FreeFrom from) =>
        heap.Free(node, BytesOf(node), HeapTag.Value, from);

    private static void ReleaseChild(NativeHeap heap, ChildSlot* child, FreeFrom from)
    {
        TLayout.ReleaseKey(heap, child->Key, from);
        Release(heap, child->Child, from);
    }

    private static void DescendToEnd(byte* node, int level, bool first, ref StreamTreePath path)
    {
        for (; IsInner(node); level++)
        {
            int index = first ? 0 : UsedOf(node) - 1;
            path.Set(level, node, index);
            node = Children(node)[index].Child;
        }

        path.Height = level;
        path.Leaf = node;
        path.Index = first ? 0 : UsedOf(node) - 1;
    }

    // Goes to the place of a key, perhaps behind the last slot of a leaf.
    private void Descend(in TKey key, ref StreamTreePath path)
    {
        path.Height = 0;
        path.Leaf = null;
        byte* node = *_root;
        if (node == null)
        {
            return;
        }

        for (; IsInner(node); path.Height++)
        {
            int child = ChildWith(node, key);
            path.Set(path.Height, node, child);
            node = Children(node)[child].Child;
        }

        path.Leaf = node;
        path.Index = LowerBound(node, key);
    }

    private static int ChildWith(byte* node, in TKey key)
    {
        int low = 0;
        int high = UsedOf(node) - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (TLayout.Compare(Children(node)[middle].Key, key) <= 0)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private static int LowerBound(byte* leaf, in TKey key)
    {
        int low = 0;
        int high = UsedOf(leaf);
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (TLayout.Compare(TLayout.KeyOf(Slots(leaf) + middle), key) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ChildSlot
    {
        public TKey Key;
        public byte* Child;
    }
}
