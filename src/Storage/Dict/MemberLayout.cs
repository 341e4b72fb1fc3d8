using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Entries of the dict behind a set: nothing but the member's bytes.</summary>
/// <remarks>
/// <code>
/// offset 0      6        8        12
///        [next:6|length:2|hash:4  |length:4 if the short one is 32767] bytes
/// </code>
/// The highest bit of the short length is the mark that snapshots use; see <see cref="ElementMark"/>.
/// A member of 4 bytes takes 16, beside 8 to 16 for its bucket.
/// </remarks>
public readonly unsafe struct MemberLayout : IElementLayout
{
    private const int LengthOffset = 6;
    private const int LongMark = short.MaxValue;

    /// <summary>The member; valid until it is removed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> BytesOf(byte* entry)
    {
        int length = *(ushort*)(entry + LengthOffset) & LongMark;
        return length < LongMark
            ? new ReadOnlySpan<byte>(entry + EntryLink.Bytes, length)
            : new ReadOnlySpan<byte>(entry + EntryLink.Bytes + sizeof(int), *(int*)(entry + EntryLink.Bytes));
    }

    /// <summary>Bytes of the block, as asked from the heap.</summary>
    public static nuint BlockBytesOf(byte* element) => BlockBytes(BytesOf(element).Length);

    /// <summary>Makes an entry that the caller then adds to a dict.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static byte* Create(NativeHeap heap, ulong hash, ReadOnlySpan<byte> member) =>
        Create(heap, hash, member, isMarked: false);

    /// <summary>Makes an entry with the mark that members made now carry.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    internal static byte* Create(DictRuntime runtime, ulong hash, ReadOnlySpan<byte> member) =>
        Create(runtime.Heap, hash, member, runtime.MarksMembers);

    private static byte* Create(NativeHeap heap, ulong hash, ReadOnlySpan<byte> member, bool isMarked)
    {
        byte* entry = heap.Allocate(BlockBytes(member.Length), HeapTag.Member);
        bool isLong = member.Length >= LongMark;
        *(ulong*)entry = 0;
        *(ushort*)(entry + LengthOffset) = (ushort)((isLong ? LongMark : member.Length) | (isMarked ? ElementMark.Bit : 0));
        EntryLink.SetHash(entry, (uint)hash);
        byte* start = entry + EntryLink.Bytes;
        if (isLong)
        {
            *(int*)start = member.Length;
            start += sizeof(int);
        }

        member.CopyTo(new Span<byte>(start, member.Length));
        return entry;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Matches(byte* entry, ReadOnlySpan<byte> key) => BytesOf(entry).SequenceEqual(key);

    /// <inheritdoc/>
    public static void Free(NativeHeap heap, byte* entry, FreeFrom from) =>
        heap.Free(entry, BlockBytesOf(entry), HeapTag.Member, from);

    /// <inheritdoc/>
    static byte* IElementLayout.Copy(DictRuntime runtime, byte* element) =>
        Create(runtime, EntryLink.Hash(element), BytesOf(element));

    /// <inheritdoc/>
    static void IElementLayout.HandOver(SnapshotRecordWriter writer, byte* element) =>
        writer.Part(SnapshotRecordKind.Member, BytesOf(element));

    private static nuint BlockBytes(int length) =>
        (nuint)(EntryLink.Bytes + (length >= LongMark ? sizeof(int) : 0) + length);
}
