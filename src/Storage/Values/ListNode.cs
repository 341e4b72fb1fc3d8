using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The bytes of the nodes of a list's tree; everything that knows where their fields lie.</summary>
/// <remarks>
/// <code>
/// every node    [owners:4|kind:1|used:1|-:2]
/// inner         ... child address:8 times 31, then elements below each: 8 times 31
/// packed        ... [block bytes:4|start:4] free room | packed list, from start on | free room
/// plain         ... [block bytes:4|length:4] bytes of the one element
/// compressed    ... [block bytes:4|length:4] [elements:4|bytes as a packed list:4] LZF bytes
/// </code>
/// <para>A node may have several owners: trees share what they have in common after a copy, and a snapshot holds the tree
/// it has to write. Who wants to change a node must be its only owner, as of all nodes above it, and otherwise makes a
/// copy first. Owners are counted with interlocked operations, because the background frees trees whose nodes others
/// may share.</para>
/// </remarks>
internal static unsafe class ListNode
{
    /// <summary>Children of an inner node at most.</summary>
    public const int Fanout = 31;

    /// <summary>Bytes of an inner node.</summary>
    public const int InnerBytes = HeaderBytes + (Fanout * (sizeof(long) + sizeof(long)));

    /// <summary>Bytes before what a leaf holds.</summary>
    public const int LeafHeaderBytes = 16;

    private const int HeaderBytes = 8;
    private const int KindOffset = 4;
    private const int UsedOffset = 5;
    private const int BlockBytesOffset = 8;
    private const int StartOffset = 12;
    private const int CompressedHeaderBytes = 8;
    private const int CountsOffset = HeaderBytes + (Fanout * sizeof(long));

    /// <summary>What a node holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ListNodeKind KindOf(byte* node) => (ListNodeKind)node[KindOffset];

    /// <summary>Whether more than one tree or snapshot owns a node directly.</summary>
    public static bool IsShared(byte* node) => Volatile.Read(ref Owners(node)) != 1;

    /// <summary>Notes one more owner. O(1).</summary>
    public static void Share(byte* node) => Interlocked.Increment(ref Owners(node));

    /// <summary>Gives up the ownership of a node; the last owner frees it with all that only it owns.</summary>
    /// <remarks>O(nodes freed).</remarks>
    public static void Release(NativeHeap heap, byte* node, FreeFrom from)
    {
        if (IsShared(node) && Interlocked.Decrement(ref Owners(node)) > 0)
        {
            return;
        }

        if (KindOf(node) == ListNodeKind.Inner)
        {
            for (int i = 0; i < UsedOf(node); i++)
            {
                if (ChildOf(node, i) != null)
                {
                    Release(heap, ChildOf(node, i), from);
                }
            }
        }

        Free(heap, node, from);
    }

    /// <summary>Frees a node alone, whose children have new owners.</summary>
    public static void Free(NativeHeap heap, byte* node, FreeFrom from = FreeFrom.CommandLoop) =>
        heap.Free(node, BytesOf(node), HeapTag.Value, from);

    /// <summary>Bytes of a node's block.</summary>
    public static nuint BytesOf(byte* node) =>
        KindOf(node) == ListNodeKind.Inner ? InnerBytes : Unsafe.ReadUnaligned<uint>(node + BlockBytesOffset);

    /// <summary>Makes an inner node without children.</summary>
    public static byte* CreateInner(NativeHeap heap)
    {
        byte* node = heap.Allocate(InnerBytes, HeapTag.Value);
        Begin(node, ListNodeKind.Inner);
        return node;
    }

    /// <summary>Number of children of an inner node.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int UsedOf(byte* node) => node[UsedOffset];

    /// <summary>Sets the number of children.</summary>
    public static void SetUsed(byte* node, int used)
    {
        Debug.Assert(used is >= 0 and <= Fanout, "children fit their node");
        node[UsedOffset] = (byte)used;
    }

    /// <summary>A child; the place can be assigned to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ChildOf(byte* node, int index) => *SlotOf(node, index);

    /// <summary>Where the address of a child stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte** SlotOf(byte* node, int index) => (byte**)(node + HeaderBytes) + index;

    /// <summary>Number of elements below a child.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref long CountBelow(byte* node, int index) =>
        ref Unsafe.AsRef<long>(node + CountsOffset + (index * sizeof(long)));

    /// <summary>Number of elements below all children.</summary>
    public static long SumOf(byte* node)
    {
        long sum = 0;
        for (int i = 0; i < UsedOf(node); i++)
        {
            sum += CountBelow(node, i);
        }

        return sum;
    }

    /// <summary>Puts a child at a place; the node has room for it.</summary>
    public static void InsertChild(byte* node, int index, byte* child, long count)
    {
        int used = UsedOf(node);
        MoveChildren(node, index, node, index + 1, used - index);
        *SlotOf(node, index) = child;
        CountBelow(node, index) = count;
        SetUsed(node, used + 1);
    }

    /// <summary>Takes a child out.</summary>
    public static void RemoveChild(byte* node, int index)
    {
        int used = UsedOf(node);
        MoveChildren(node, index + 1, node, index, used - index - 1);
        SetUsed(node, used - 1);
    }

    /// <summary>Copies addresses and counts of children; the numbers of children are the caller's business.</summary>
    public static void MoveChildren(byte* from, int fromIndex, byte* to, int toIndex, int count)
    {
        long bytes = (long)count * sizeof(long);
        Buffer.MemoryCopy(SlotOf(from, fromIndex), SlotOf(to, toIndex), bytes, bytes);
        fixed (long* source = &CountBelow(from, fromIndex), target = &CountBelow(to, toIndex))
        {
            Buffer.MemoryCopy(source, target, bytes, bytes);
        }
    }

    /// <summary>Makes a leaf with an empty packed list.</summary>
    /// <param name="heap">Where its memory comes from.</param>
    /// <param name="blockBytes">Bytes of the whole block.</param>
    /// <param name="atEnd">Leave the free room before the list, not behind it.</param>
    public static byte* CreatePacked(NativeHeap heap, int blockBytes, bool atEnd)
    {
        byte* leaf = heap.Allocate((nuint)blockBytes, HeapTag.Value);
        Begin(leaf, ListNodeKind.Packed);
        Unsafe.WriteUnaligned(leaf + BlockBytesOffset, blockBytes);
        SetStart(leaf, atEnd ? blockBytes - PackedList.EmptyBytes : LeafHeaderBytes);
        PackedList.Create(PackedSpanOf(leaf));
        return leaf;
    }

    /// <summary>Makes a leaf of one element.</summary>
    public static byte* CreatePlain(NativeHeap heap, ReadOnlySpan<byte> element)
    {
        long blockBytes = LeafHeaderBytes + (long)element.Length;
        byte* leaf = heap.Allocate((nuint)blockBytes, HeapTag.Value);
        Begin(leaf, ListNodeKind.Plain);
        Unsafe.WriteUnaligned(leaf + BlockBytesOffset, (uint)blockBytes);
        SetStart(leaf, element.Length);
        element.CopyTo(new Span<byte>(leaf + LeafHeaderBytes, element.Length));
        return leaf;
    }

    /// <summary>Makes a leaf of LZF bytes.</summary>
    /// <param name="heap">Where its memory comes from.</param>
    /// <param name="list">What they stand for.</param>
    /// <param name="compressed">The bytes.</param>
    public static byte* CreateCompressed(NativeHeap heap, PackedList list, ReadOnlySpan<byte> compressed)
    {
        int blockBytes = LeafHeaderBytes + CompressedHeaderBytes + compressed.Length;
        byte* leaf = heap.Allocate((nuint)blockBytes, HeapTag.Value);
        Begin(leaf, ListNodeKind.Compressed);
        Unsafe.WriteUnaligned(leaf + BlockBytesOffset, blockBytes);
        SetStart(leaf, compressed.Length);
        Unsafe.WriteUnaligned(leaf + LeafHeaderBytes, list.Count);
        Unsafe.WriteUnaligned(leaf + LeafHeaderBytes + sizeof(int), list.LengthBytes);
        compressed.CopyTo(new Span<byte>(leaf + LeafHeaderBytes + CompressedHeaderBytes, compressed.Length));
        return leaf;
    }

    /// <summary>Number of elements in a leaf. O(1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountOf(byte* leaf) => KindOf(leaf) switch
    {
        ListNodeKind.Packed => PackedOf(leaf).Count,
        ListNodeKind.Plain => 1,
        _ => Unsafe.ReadUnaligned<int>(leaf + LeafHeaderBytes),
    };

    /// <summary>Where the packed list starts in its block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StartOf(byte* leaf) => Unsafe.ReadUnaligned<int>(leaf + StartOffset);

    /// <summary>Sets where the packed list starts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetStart(byte* leaf, int start) => Unsafe.WriteUnaligned(leaf + StartOffset, start);

    /// <summary>The whole block of a packed leaf.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Span<byte> BlockOf(byte* leaf) => new(leaf, (int)BytesOf(leaf));

    /// <summary>The packed list of a leaf with the free room behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PackedList PackedOf(byte* leaf) => new(PackedSpanOf(leaf));

    /// <summary>Bytes of the list in a packed leaf, whether it is compressed or not.</summary>
    public static int PackedBytesOf(byte* leaf) => KindOf(leaf) == ListNodeKind.Packed
        ? PackedOf(leaf).LengthBytes
        : Unsafe.ReadUnaligned<int>(leaf + LeafHeaderBytes + sizeof(int));

    /// <summary>The element of a plain leaf.</summary>
    public static ReadOnlySpan<byte> PlainOf(byte* leaf) => new(leaf + LeafHeaderBytes, StartOf(leaf));

    /// <summary>Restores the packed list of a compressed leaf.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="target">Exactly <see cref="PackedBytesOf"/> long.</param>
    public static void Decompress(byte* leaf, Span<byte> target)
    {
        ReadOnlySpan<byte> compressed = new(leaf + LeafHeaderBytes + CompressedHeaderBytes, StartOf(leaf));
        bool isSound = Lzf.TryDecompress(compressed, target);
        Invariant.Check(isSound, "a compressed node of a list can be restored");
    }

    private static Span<byte> PackedSpanOf(byte* leaf) =>
        new(leaf + StartOf(leaf), (int)BytesOf(leaf) - StartOf(leaf));

    private static ref int Owners(byte* node) => ref Unsafe.AsRef<int>(node);

    private static void Begin(byte* node, ListNodeKind kind)
    {
        Unsafe.WriteUnaligned(node, 1L);
        node[KindOffset] = (byte)kind;
    }
}
