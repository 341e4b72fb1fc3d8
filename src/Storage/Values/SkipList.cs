using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvServer.Storage;

/// <summary>Members in order of score and bytes, with their ranks, and by name: the encoding of large sorted sets.</summary>
/// <remarks>
/// <code>
/// level 2  head ------------- 3 ------------> d ---- 2 ----|          the numbers are spans: members ahead
/// level 1  head -- 1 --> a ------- 2 -------> d ---- 2 ----|
/// level 0  head -- 1 --> a - 1 -> b - 1 ----> d - 1 -> e -1-|          back links: null &lt;- a &lt;- b &lt;- d &lt;- e
/// dict     [0] -> e   [1] -> b -> a   [2]   [3] -> d                   the same blocks, chained by hash
/// </code>
/// <para>A node has a tower of one level with the chance 3/4, of two with 3/16, and so on. A search begins at the top of
/// the head, goes ahead while the next node comes before what is wanted, and then one level down: O(log members). The
/// spans it passes add up to the rank. Nothing depends on the order of insertion.</para>
/// <para>Each member is one block (<see cref="SortedMemberLayout"/>) that is in the dict and in the list. Every look-up
/// by name first moves the dict's rehash on by one bucket. A handle to native memory that a value owns; command loop
/// only.</para>
/// </remarks>
internal readonly unsafe struct SkipList
{
    // Kept, because a comparer would be boxed for each run of members with one score.
    private static readonly Comparison<nint> ByMember = CompareMembers;

    private readonly SkipListState* _state;
    private readonly DictRuntime _runtime;

    /// <summary>Makes a handle for a state made by <see cref="Create"/>.</summary>
    public SkipList(SkipListState* state, DictRuntime runtime)
    {
        _state = state;
        _runtime = runtime;
    }

    /// <summary>The native memory behind this handle.</summary>
    public SkipListState* State => _state;

    /// <summary>The members by name.</summary>
    public Dict<SortedMemberLayout> Dict => new(&_state->Dict, _runtime);

    /// <summary>Number of members.</summary>
    public long Count => _state->Dict.Table0.Used + _state->Dict.Table1.Used;

    /// <summary>The first node, or null.</summary>
    public byte* First => SortedMemberLayout.Forward(Head, 0);

    /// <summary>The last node, or null.</summary>
    public byte* Last => _state->Tail;

    private byte* Head => _state->Head;

    /// <summary>Makes an empty list.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static SkipList Create(DictRuntime runtime)
    {
        var state = (SkipListState*)Dict<SortedMemberLayout>.Create(runtime).State;
        state->Levels = 1;
        return new SkipList(state, runtime);
    }

    /// <summary>Frees a list with all its members. O(members). Any thread that owns the list outright.</summary>
    public static void FreeAll(NativeHeap heap, SkipListState* state, FreeFrom from) =>
        Dict<SortedMemberLayout>.FreeAll(heap, &state->Dict, from);

    /// <summary>The node after one, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* NextOf(byte* node) => SortedMemberLayout.Forward(node + SortedMemberLayout.TowerOffset, 0);

    /// <summary>How many levels the next node gets, by chance.</summary>
    public static int ChooseLevels(Random random)
    {
        uint bits = (uint)random.Next() | (1U << (2 * (SortedMemberLayout.MaxLevels - 1)));
        return 1 + (BitOperations.TrailingZeroCount(bits) / 2);
    }

    /// <summary>Finds a member by name, after the rehash step every look-up owes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Find(ulong hash, ReadOnlySpan<byte> member) => Dict.Find(hash, member);

    /// <summary>Adds a node whose member is not in the list. The dict must have its table.</summary>
    /// <remarks>O(log members). Cannot fail.</remarks>
    public void Add(byte* node)
    {
        Link(node);
        Dict.Add(node);
    }

    /// <summary>Takes a node out; it now belongs to the caller. O(log members).</summary>
    public void Unlink(byte* node)
    {
        Path path;
        FindPlace(SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node), &path);
        Detach(node, &path);
        Dict.Unlink(node);
    }

    /// <summary>Puts a copy of a node in its place; the node itself now belongs to the caller. O(log members).</summary>
    public void Replace(byte* node, byte* copy)
    {
        Path path;
        FindPlace(SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node), &path);
        for (int level = 0; level < SortedMemberLayout.LevelsOf(node); level++)
        {
            SortedMemberLayout.SetForward((byte*)path.Towers[level], level, copy);
        }

        byte* next = NextOf(node);
        if (next != null)
        {
            SortedMemberLayout.SetBack(next, copy);
        }
        else
        {
            _state->Tail = copy;
        }

        Dict.Replace(node, copy);
    }

    /// <summary>Gives a node another score, and the place that goes with it.</summary>
    /// <remarks>O(1) while it stays between its neighbours, else O(log members).</remarks>
    public void Move(byte* node, double score)
    {
        byte* back = SortedMemberLayout.BackOf(node);
        byte* next = NextOf(node);
        if ((back == null || SortedMemberLayout.ScoreOf(back) < score)
            && (next == null || SortedMemberLayout.ScoreOf(next) > score))
        {
            SortedMemberLayout.SetScore(node, score);
            return;
        }

        Path path;
        FindPlace(SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node), &path);
        Detach(node, &path);
        SortedMemberLayout.SetScore(node, score);
        Link(node, Count - 1);
    }

    /// <summary>The rank of a node, from 0. O(log members).</summary>
    public long RankOf(byte* node)
    {
        Path path;
        FindPlace(SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node), &path);
        return path.Ranks[0];
    }

    /// <summary>The node with a rank, or null. O(log members).</summary>
    public byte* AtRank(long rank)
    {
        if ((ulong)rank >= (ulong)Count)
        {
            return null;
        }

        byte* tower = Head;
        long left = rank + 1;
        for (int level = _state->Levels - 1; level >= 0; level--)
        {
            while (left > 0 && SortedMemberLayout.Span(tower, level) <= left)
            {
                byte* next = SortedMemberLayout.Forward(tower, level);
                if (next == null)
                {
                    break;
                }

                left -= SortedMemberLayout.Span(tower, level);
                tower = next + SortedMemberLayout.TowerOffset;
            }
        }

        return tower - SortedMemberLayout.TowerOffset;
    }

    /// <summary>The first node that a lower bound lets in.</summary>
    /// <param name="range">Gives the bound.</param>
    /// <param name="rank">Its rank; the number of members when there is none.</param>
    public byte* FirstIn<TRange>(scoped in TRange range, out long rank)
        where TRange : struct, ISortedRange, allows ref struct
    {
        byte* tower = Head;
        rank = 0;
        for (int level = _state->Levels - 1; level >= 0; level--)
        {
            byte* next;
            while ((next = SortedMemberLayout.Forward(tower, level)) != null && !range.IsAboveMin(next))
            {
                rank += SortedMemberLayout.Span(tower, level);
                tower = next + SortedMemberLayout.TowerOffset;
            }
        }

        return SortedMemberLayout.Forward(tower, 0);
    }

    /// <summary>The last node that an upper bound lets in.</summary>
    /// <param name="range">Gives the bound.</param>
    /// <param name="rank">Its rank; -1 when there is none.</param>
    public byte* LastIn<TRange>(scoped in TRange range, out long rank)
        where TRange : struct, ISortedRange, allows ref struct
    {
        byte* tower = Head;
        rank = -1;
        for (int level = _state->Levels - 1; level >= 0; level--)
        {
            byte* next;
            while ((next = SortedMemberLayout.Forward(tower, level)) != null && range.IsBelowMax(next))
            {
                rank += SortedMemberLayout.Span(tower, level);
                tower = next + SortedMemberLayout.TowerOffset;
            }
        }

        return rank < 0 ? null : tower - SortedMemberLayout.TowerOffset;
    }

    /// <summary>Takes out and frees members that stand in a row.</summary>
    /// <param name="start">Rank of the first one.</param>
    /// <param name="count">How many; there must be so many.</param>
    /// <param name="cut">The snapshot that is to be told before each removal, if there is one.</param>
    /// <remarks>O(log members + count).</remarks>
    public void RemoveRange(long start, long count, SnapshotCut? cut)
    {
        Path path;
        byte* node = FindRank(start, &path);
        for (; count > 0; count--)
        {
            cut?.BeforeElementChange(&_state->Dict, node);
            byte* next = NextOf(node);
            Detach(node, &path);
            Dict.Unlink(node);
            SortedMemberLayout.Free(_runtime.Heap, node, FreeFrom.CommandLoop);
            node = next;
        }
    }

    /// <summary>Puts members that are only in the dict so far in order. The list must not be used before.</summary>
    /// <remarks>Sorts by score and then, where scores are the same, by members: O(members * log members), and less than
    /// adding them one by one. Needs 16 bytes per member meanwhile.</remarks>
    /// <exception cref="OutOfMemoryException">The system has no memory; nothing has changed.</exception>
    public void Order()
    {
        nuint bytes = (nuint)Count * (sizeof(double) + (nuint)sizeof(nint));
        byte* room = _runtime.Heap.Allocate(Math.Max(bytes, 1), HeapTag.Buffer);
        try
        {
            Span<nint> nodes = SortNodes(room);
            SkipListBuilder builder = new(_state);
            foreach (nint node in nodes)
            {
                builder.Append((byte*)node);
            }

            builder.Finish();
        }
        finally
        {
            _runtime.Heap.Free(room, Math.Max(bytes, 1), HeapTag.Buffer);
        }
    }

    /// <summary>Lists the dict's nodes in order.</summary>
    /// <param name="room">16 bytes per member; the result lies in it.</param>
    public Span<nint> SortNodes(byte* room)
    {
        Collected collected = new()
        {
            Scores = new Span<double>(room, checked((int)Count)),
            Nodes = new Span<nint>(room + (Count * sizeof(double)), (int)Count),
        };
        Dict.ForEach<nint, Collected, Collect>(0, ref collected);
        collected.Scores.Sort(collected.Nodes);
        int start = 0;
        for (int end = 1; end <= collected.Count; end++)
        {
            if (end == collected.Count || collected.Scores[end] != collected.Scores[start])
            {
                if (end - start > 1)
                {
                    collected.Nodes[start..end].Sort(ByMember);
                }

                start = end;
            }
        }

        return collected.Nodes;
    }

    /// <summary>Checks every link, span and rank, for tests. O(members * levels).</summary>
    public void Verify()
    {
        Span<long> ahead = stackalloc long[SortedMemberLayout.MaxLevels];
        long rank = 0;
        byte* back = null;
        for (int level = 0; level < _state->Levels; level++)
        {
            ahead[level] = SortedMemberLayout.Span(Head, level);
        }

        for (byte* node = First; node != null; node = NextOf(node))
        {
            rank++;
            Invariant.Check(SortedMemberLayout.BackOf(node) == back, "a back link leads to the node before");
            Invariant.Check(
                back == null || SortedMemberLayout.IsBefore(
                    back, SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node)),
                "members are in order");
            int levels = SortedMemberLayout.LevelsOf(node);
            Invariant.Check(levels <= _state->Levels, "no tower is higher than the list");
            for (int level = 0; level < levels; level++)
            {
                Invariant.Check(ahead[level] == rank, "a span leads to its node");
                ahead[level] += SortedMemberLayout.Span(node + SortedMemberLayout.TowerOffset, level);
            }

            back = node;
        }

        Invariant.Check(_state->Tail == back, "the tail is the last node");
        Invariant.Check(rank == Count, "list and dict hold the same members");
        for (int level = 0; level < _state->Levels; level++)
        {
            Invariant.Check(ahead[level] == rank, "the last span of a level counts what is left");
        }

        Invariant.Check(
            _state->Levels == 1 || SortedMemberLayout.Forward(Head, _state->Levels - 1) != null,
            "the top level has a node");
    }

    private void Link(byte* node) => Link(node, Count);

    /// <param name="node">Its score is set.</param>
    /// <param name="count">Nodes in the list without this one.</param>
    private void Link(byte* node, long count)
    {
        Path path;
        FindPlace(SortedMemberLayout.ScoreOf(node), SortedMemberLayout.BytesOf(node), &path);
        int levels = SortedMemberLayout.LevelsOf(node);
        for (int level = _state->Levels; level < levels; level++)
        {
            path.Towers[level] = (nint)Head;
            path.Ranks[level] = 0;
            SortedMemberLayout.SetForward(Head, level, null);
            SortedMemberLayout.SetSpan(Head, level, (uint)count);
        }

        _state->Levels = Math.Max(_state->Levels, levels);
        byte* own = node + SortedMemberLayout.TowerOffset;
        for (int level = 0; level < levels; level++)
        {
            // The span of the tower before is split where the new node comes in.
            var tower = (byte*)path.Towers[level];
            uint before = path.Ranks[0] - path.Ranks[level];
            SortedMemberLayout.SetForward(own, level, SortedMemberLayout.Forward(tower, level));
            SortedMemberLayout.SetSpan(own, level, SortedMemberLayout.Span(tower, level) - before);
            SortedMemberLayout.SetForward(tower, level, node);
            SortedMemberLayout.SetSpan(tower, level, before + 1);
        }

        for (int level = levels; level < _state->Levels; level++)
        {
            var tower = (byte*)path.Towers[level];
            SortedMemberLayout.SetSpan(tower, level, SortedMemberLayout.Span(tower, level) + 1);
        }

        var first = (byte*)path.Towers[0];
        SortedMemberLayout.SetBack(node, first == Head ? null : first - SortedMemberLayout.TowerOffset);
        byte* next = NextOf(node);
        if (next != null)
        {
            SortedMemberLayout.SetBack(next, node);
        }
        else
        {
            _state->Tail = node;
        }
    }

    // Takes a node out of the list; the path leads to it.
    private void Detach(byte* node, Path* path)
    {
        int levels = SortedMemberLayout.LevelsOf(node);
        byte* own = node + SortedMemberLayout.TowerOffset;
        byte* next = SortedMemberLayout.Forward(own, 0);
        for (int level = 0; level < _state->Levels; level++)
        {
            var tower = (byte*)path->Towers[level];
            uint span = SortedMemberLayout.Span(tower, level) - 1;
            if (level < levels)
            {
                Debug.Assert(SortedMemberLayout.Forward(tower, level) == node, "the path leads to the node");
                span += SortedMemberLayout.Span(own, level);
                SortedMemberLayout.SetForward(tower, level, SortedMemberLayout.Forward(own, level));
            }

            SortedMemberLayout.SetSpan(tower, level, span);
        }

        byte* back = SortedMemberLayout.BackOf(node);
        if (next != null)
        {
            SortedMemberLayout.SetBack(next, back);
        }
        else
        {
            _state->Tail = back;
        }

        while (_state->Levels > 1 && SortedMemberLayout.Forward(Head, _state->Levels - 1) == null)
        {
            _state->Levels--;
        }
    }

    // Finds the tower of each level after which a score with a member has its place, and their ranks.
    private void FindPlace(double score, ReadOnlySpan<byte> member, Path* path)
    {
        byte* tower = Head;
        byte* stop = null;
        uint rank = 0;
        for (int level = _state->Levels - 1; level >= 0; level--)
        {
            while (true)
            {
                byte* next = SortedMemberLayout.Forward(tower, level);
                if (next == stop)
                {
                    break; // The end, or a node that the level above has compared.
                }

                if (level > 0 && Sse.IsSupported)
                {
                    // Half of the comparisons lead down: the node that is compared there comes meanwhile.
                    Sse.Prefetch0(SortedMemberLayout.Forward(tower, level - 1));
                }

                if (!SortedMemberLayout.IsBefore(next, score, member))
                {
                    stop = next;
                    break;
                }

                rank += SortedMemberLayout.Span(tower, level);
                tower = next + SortedMemberLayout.TowerOffset;
            }

            path->Towers[level] = (nint)tower;
            path->Ranks[level] = rank;
        }
    }

    // The same for a rank; returns the node that has it.
    private byte* FindRank(long rank, Path* path)
    {
        byte* tower = Head;
        long left = rank;
        for (int level = _state->Levels - 1; level >= 0; level--)
        {
            while (SortedMemberLayout.Forward(tower, level) is var next
                && next != null
                && SortedMemberLayout.Span(tower, level) <= left)
            {
                left -= SortedMemberLayout.Span(tower, level);
                tower = next + SortedMemberLayout.TowerOffset;
            }

            path->Towers[level] = (nint)tower;
        }

        return SortedMemberLayout.Forward(tower, 0);
    }

    private static int CompareMembers(nint x, nint y) =>
        SortedMemberLayout.BytesOf((byte*)x).SequenceCompareTo(SortedMemberLayout.BytesOf((byte*)y));

    private ref struct Collected
    {
        public Span<double> Scores;
        public Span<nint> Nodes;
        public int Count;
    }

    private readonly struct Collect : IEntryAction<nint, Collected>
    {
        public static void Visit(nint context, ref Collected state, byte* entry)
        {
            state.Scores[state.Count] = SortedMemberLayout.ScoreOf(entry);
            state.Nodes[state.Count++] = (nint)entry;
        }
    }

    /// <summary>Where a search came down from each level.</summary>
    private struct Path
    {
        public fixed long Towers[SortedMemberLayout.MaxLevels];
        public fixed uint Ranks[SortedMemberLayout.MaxLevels];
    }
}
