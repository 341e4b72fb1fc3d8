using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Members of a sorted set that is a skip list: one block is the dict's entry and the list's node.</summary>
/// <remarks>
/// <code>
/// offset 0      6        8      12      20     26
///        [next:6|meta:2  |hash:4|score:8|back:6|tower            |length:4 if the short one is 2047] bytes
///
/// meta   mark:1 | levels less one:4 | length:11
/// tower  levels times [forward:6|span:4]
/// </code>
/// <para>The first 12 bytes are what all dict entries have; the mark is the one that snapshots use
/// (<see cref="ElementMark"/>). <c>back</c> is the node before this one, or null. A tower's level leads <c>span</c>
/// members ahead, to <c>forward</c>; where nothing follows, <c>span</c> counts the members that are left. The head of a
/// list is a tower without a node, so the list is walked from tower to tower.</para>
/// <para>With a third more than one level on average, a member of 10 bytes takes 50, beside 8 to 16 for its bucket.
/// All fields may lie at odd addresses.</para>
/// </remarks>
internal readonly unsafe struct SortedMemberLayout : IElementLayout
{
    /// <summary>Levels of the highest tower: a quarter of the nodes of a level are in the next one, so these serve 2^32.
    /// </summary>
    public const int MaxLevels = 16;

    /// <summary>Bytes of one level of a tower.</summary>
    public const int LevelBytes = 10;

    /// <summary>Where the tower lies in a node.</summary>
    public const int TowerOffset = 26;

    private const int MetaOffset = 6;
    private const int ScoreOffset = 12;
    private const int BackOffset = 20;
    private const int SpanOffset = 6;
    private const int LengthMask = (1 << 11) - 1;
    private const int LevelShift = 11;
    private const ulong AddressMask = 0xFFFF_FFFF_FFFF;

    /// <summary>The member; valid until it is removed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> BytesOf(byte* node)
    {
        int meta = *(ushort*)(node + MetaOffset);
        int length = meta & LengthMask;
        byte* end = node + TowerOffset + (LevelsIn(meta) * LevelBytes);
        return length < LengthMask
            ? new ReadOnlySpan<byte>(end, length)
            : new ReadOnlySpan<byte>(end + sizeof(int), Unsafe.ReadUnaligned<int>(end));
    }

    /// <summary>The score.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ScoreOf(byte* node) => Unsafe.ReadUnaligned<double>(node + ScoreOffset);

    /// <summary>Sets the score; the list has to be in order afterwards.</summary>
    public static void SetScore(byte* node, double score) => Unsafe.WriteUnaligned(node + ScoreOffset, score);

    /// <summary>The node before this one, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* BackOf(byte* node) => (byte*)(Unsafe.ReadUnaligned<ulong>(node + BackOffset) & AddressMask);

    /// <summary>Sets the node before this one.</summary>
    public static void SetBack(byte* node, byte* back) => WriteAddress(node + BackOffset, back);

    /// <summary>Levels of a node's tower, at least 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LevelsOf(byte* node) => LevelsIn(*(ushort*)(node + MetaOffset));

    /// <summary>The node that a level of a tower leads to, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Forward(byte* tower, int level) =>
        (byte*)(Unsafe.ReadUnaligned<ulong>(tower + (level * LevelBytes)) & AddressMask);

    /// <summary>Members that a level of a tower leads ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Span(byte* tower, int level) =>
        Unsafe.ReadUnaligned<uint>(tower + (level * LevelBytes) + SpanOffset);

    /// <summary>Sets where a level leads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetForward(byte* tower, int level, byte* node) => WriteAddress(tower + (level * LevelBytes), node);

    /// <summary>Sets how far a level leads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetSpan(byte* tower, int level, uint span) =>
        Unsafe.WriteUnaligned(tower + (level * LevelBytes) + SpanOffset, span);

    /// <summary>Whether a node comes before a score with a member: by score, then by the members' bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsBefore(byte* node, double score, ReadOnlySpan<byte> member)
    {
        double own = ScoreOf(node);
        return own < score || (own == score && BytesOf(node).SequenceCompareTo(member) < 0);
    }

    /// <summary>Makes a node that belongs to no list yet; its tower is undefined.</summary>
    /// <param name="runtime">Where memory comes from, and the mark that members made now carry.</param>
    /// <param name="hash">The member's hash.</param>
    /// <param name="member">Its bytes.</param>
    /// <param name="score">Its score.</param>
    /// <param name="levels">Levels of its tower.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static byte* Create(DictRuntime runtime, ulong hash, ReadOnlySpan<byte> member, double score, int levels)
    {
        Debug.Assert(levels is >= 1 and <= MaxLevels, "The meta field has 4 bits for the levels.");
        byte* node = runtime.Heap.Allocate(BlockBytes(member.Length, levels), HeapTag.Member);
        bool isLong = member.Length >= LengthMask;
        int meta = (isLong ? LengthMask : member.Length)
            | ((levels - 1) << LevelShift)
            | (runtime.MarksMembers ? ElementMark.Bit : 0);
        *(ulong*)node = (ulong)meta << 48;
        EntryLink.SetHash(node, (uint)hash);
        SetScore(node, score);
        SetBack(node, null);
        byte* bytes = node + TowerOffset + (levels * LevelBytes);
        if (isLong)
        {
            Unsafe.WriteUnaligned(bytes, member.Length);
            bytes += sizeof(int);
        }

        member.CopyTo(new Span<byte>(bytes, member.Length));
        return node;
    }

    /// <summary>Bytes of the block, as asked from the heap.</summary>
    public static nuint BlockBytesOf(byte* element) => BlockBytes(BytesOf(element).Length, LevelsOf(element));

    /// <inheritdoc/>
    public static int StateBytes => SkipListState.Bytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Matches(byte* entry, ReadOnlySpan<byte> key) => BytesOf(entry).SequenceEqual(key);

    /// <inheritdoc/>
    public static void Free(NativeHeap heap, byte* entry, FreeFrom from) =>
        heap.Free(entry, BlockBytesOf(entry), HeapTag.Member, from);

    /// <summary>Makes a node like this one that belongs to no list yet.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static byte* Copy(DictRuntime runtime, byte* element) =>
        Create(runtime, EntryLink.Hash(element), BytesOf(element), ScoreOf(element), LevelsOf(element));

    /// <inheritdoc/>
    public static void HandOver(SnapshotRecordWriter writer, byte* element) =>
        writer.ScoredMember(ScoreOf(element), BytesOf(element));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LevelsIn(int meta) => ((meta >> LevelShift) & (MaxLevels - 1)) + 1;

    // The 16 bits above an address belong to what follows it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteAddress(byte* at, byte* address)
    {
        ulong old = Unsafe.ReadUnaligned<ulong>(at);
        Unsafe.WriteUnaligned(at, (old & ~AddressMask) | (ulong)address);
    }

    private static nuint BlockBytes(int length, int levels) =>
        (nuint)(TowerOffset + (levels * LevelBytes) + (length >= LengthMask ? sizeof(int) : 0) + (long)length);
}
