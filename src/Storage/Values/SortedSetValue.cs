using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A handle to one sorted set: the value of a key, or a set that belongs to no key yet.</summary>
/// <remarks>
/// <para>A sorted set has one of two encodings, and leaves the first for good when it gets too large for it:</para>
/// <code>
/// listpack    member, score, member, score ... in order, inside the entry     while few and all short
/// skiplist    one block per member, in a dict and in a skip list              otherwise
/// </code>
/// <para>The order is by score, then by the members' bytes; a rank counts from 0 in it. Scores are never NaN. Minus zero
/// is kept in a skip list and becomes zero in a listpack, as with the reference server.</para>
/// <para>The limits come with the handle, so a change of configuration counts from the next change of a set on. Get one
/// from <see cref="Open"/> for a key, where it is valid until something else changes the database, or from
/// <see cref="Create"/>, and then dispose it unless a key has adopted it. Every look-up by name in a skip list first
/// moves its dict's rehash on by one bucket. Command loop only.</para>
/// </remarks>
public unsafe ref partial struct SortedSetValue : IMemberCollection
{
    private readonly SortedSetLimits _limits;
    private readonly Keyspace _keyspace;
    private readonly Database? _database;
    private Entry _entry;
    private SkipListState* _state;
    private Span<byte> _bytes;
    private byte* _block;
    private int _blockBytes;

    /// <summary>How the set is stored.</summary>
    public ValueEncoding Encoding { get; private set; }

    /// <summary>The entry of the key whose set it is. Valid until the next change.</summary>
    public readonly Entry Entry => _entry;

    /// <summary>Number of members.</summary>
    public readonly long Count => Encoding == ValueEncoding.PackedList ? Packed.Count : List.Count;

    /// <summary>The bytes of a packed set as they stand in snapshots and dumps; empty for a skip list.</summary>
    public readonly ReadOnlySpan<byte> PackedBytes =>
        Encoding == ValueEncoding.PackedList ? new PackedList(_bytes).Bytes : default;

    /// <summary>Sizes and fill of the tables of a set that has some; zeros for a packed one.</summary>
    public readonly DictFigures Figures => Encoding == ValueEncoding.PackedList
        ? default
        : new DictFigures(
            List.Dict.BucketCountOf(0),
            List.Dict.UsedOf(0),
            List.Dict.BucketCountOf(1),
            List.Dict.UsedOf(1),
            List.Dict.RehashIndex,
            _keyspace.MemberRuntime.Statistics);

    /// <summary>The list of a set that is one.</summary>
    internal readonly SkipList List => new(_state, _keyspace.MemberRuntime);

    private readonly PackedSortedSet Packed => new(_bytes);

    /// <summary>Finds a member's score. O(1), or O(members) for a packed set.</summary>
    public readonly bool TryGetScore(ReadOnlySpan<byte> member, out double score)
    {
        if (Encoding == ValueEncoding.PackedList)
        {
            return TryGetPackedScore(PackedElement.Of(member), out score);
        }

        return TryGetListScore(_keyspace.HashOf(member), member, out score);
    }

    /// <summary>Finds the score of a member of another collection.</summary>
    public readonly bool TryGetScore(SetMember member, out double score)
    {
        if (Encoding == ValueEncoding.PackedList)
        {
            return TryGetPackedScore(member.AsElement(), out score);
        }

        ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
        return TryGetListScore(member.HashOf(text, _keyspace), text, out score);
    }

    /// <summary>Finds a member's rank, from 0.</summary>
    /// <param name="member">The member.</param>
    /// <param name="score">Its score.</param>
    /// <returns>The rank in ascending order, or -1.</returns>
    /// <remarks>O(log members), or O(members) for a packed set.</remarks>
    public readonly long RankOf(ReadOnlySpan<byte> member, out double score)
    {
        score = 0;
        if (Encoding == ValueEncoding.PackedList)
        {
            PackedSortedSet packed = Packed;
            int position = packed.Find(PackedElement.Of(member));
            if (position == PackedList.None)
            {
                return -1;
            }

            score = packed.ScoreAt(position);
            return packed.RankOf(position);
        }

        SkipList list = List;
        byte* node = list.Find(_keyspace.HashOf(member), member);
        if (node == null)
        {
            return -1;
        }

        score = SortedMemberLayout.ScoreOf(node);
        return list.RankOf(node);
    }

    /// <summary>Adds a member, or changes its score.</summary>
    /// <param name="member">The member; must not lie in this set.</param>
    /// <param name="score">Its score, or with <see cref="SortedSetAddFlags.Increment"/> what is added to it; no NaN.
    /// </param>
    /// <param name="flags">What restricts it.</param>
    /// <param name="newScore">The score the member has afterwards, unless refused or not a number.</param>
    /// <remarks>O(log members), or O(members) for a packed set. A set that gets too large for its encoding is converted,
    /// once.</remarks>
    /// <exception cref="OutOfMemoryException">The members are what they were.</exception>
    public SortedSetChange Add(
        scoped ReadOnlySpan<byte> member, double score, SortedSetAddFlags flags, out double newScore)
    {
        newScore = score;
        return Encoding == ValueEncoding.PackedList
            ? AddToPacked(member, flags, ref newScore)
            : AddToList(member, flags, ref newScore);
    }

    /// <summary>Removes a member.</summary>
    /// <returns>False when it was none.</returns>
    public bool Remove(ReadOnlySpan<byte> member)
    {
        if (Encoding == ValueEncoding.PackedList)
        {
            int position = Packed.Find(PackedElement.Of(member));
            if (position == PackedList.None)
            {
                return false;
            }

            RemovePacked(position, 1);
            return true;
        }

        SkipList list = List;
        byte* node = list.Find(_keyspace.HashOf(member), member);
        if (node == null)
        {
            return false;
        }

        BeforeChange(node);
        list.Unlink(node);
        SortedMemberLayout.Free(_keyspace.Heap, node, FreeFrom.CommandLoop);
        Shrink();
        return true;
    }

    /// <summary>Removes members that stand in a row.</summary>
    /// <param name="slice">Which ones.</param>
    /// <remarks>O(log members + count). Each is freed before the next one is touched.</remarks>
    public void RemoveRange(SortedSetSlice slice)
    {
        if (slice.Count == 0)
        {
            return;
        }

        if (Encoding == ValueEncoding.PackedList)
        {
            RemovePacked(Packed.PositionAt((int)slice.Start), (int)slice.Count);
            return;
        }

        BeforeChange();
        List.RemoveRange(slice.Start, slice.Count, _keyspace.Snapshot);
        Shrink();
    }

    /// <summary>Members from a rank on, as far as there are any.</summary>
    /// <param name="start">The first rank, at least 0.</param>
    /// <param name="count">How many at most.</param>
    public readonly SortedSetSlice Slice(long start, long count) =>
        new(start, Math.Clamp(Count - start, 0, count));

    /// <summary>The members with scores in a range. O(log members), or O(members) for a packed set.</summary>
    public readonly SortedSetSlice Locate(ScoreRange range) => Locate(in range, reversed: false);

    /// <summary>The members in a range of members. O(log members), or O(members) for a packed set.</summary>
    /// <param name="range">The bounds.</param>
    /// <param name="reversed">Whether to look from the end; a difference only where scores are not all the same.</param>
    public readonly SortedSetSlice Locate(scoped LexRange range, bool reversed) =>
        Locate<LexRange>(in range, reversed);

    /// <summary>Walks over members that stand in a row.</summary>
    /// <param name="slice">Which ones, as they are now.</param>
    /// <param name="reversed">Whether to begin at the end.</param>
    public readonly SortedSetEnumerator Range(SortedSetSlice slice, bool reversed)
    {
        if (slice.Count == 0)
        {
            return default;
        }

        long rank = reversed ? slice.Start + slice.Count - 1 : slice.Start;
        if (Encoding == ValueEncoding.PackedList)
        {
            return new SortedSetEnumerator(_bytes, Packed.PositionAt((int)rank), slice.Count, reversed);
        }

        byte* known = reversed ? slice.Last : slice.First;
        return new SortedSetEnumerator(known != null ? known : List.AtRank(rank), slice.Count, reversed);
    }

    /// <summary>The member at a place where a walk over this set has stood. O(1).</summary>
    public readonly SortedSetMember At(SortedSetPlace place) => Encoding == ValueEncoding.PackedList
        ? new SortedSetMember(SetMember.Of(Packed.MemberAt((int)place.Value)), Packed.ScoreAt((int)place.Value))
        : SortedSetEnumerator.MemberOf((byte*)place.Value);

    /// <summary>Walks over all members in order.</summary>
    public readonly SortedSetEnumerator GetEnumerator() => Range(Slice(0, Count), reversed: false);

    /// <summary>Walks over <paramref name="count"/> members chosen at random, none twice; all of them when there are
    /// no more.</summary>
    public readonly SortedSetSample Sample(long count) => new(in this, count, _keyspace.Random);

    /// <summary>Chooses a member at random, each with the same chance. The set must not be empty.</summary>
    /// <remarks>O(log members), or O(members) for a packed set.</remarks>
    public readonly SortedSetMember PickRandom()
    {
        SortedSetEnumerator walk = Range(Slice(_keyspace.Random.NextInt64(Count), 1), reversed: false);
        walk.MoveNext();
        return walk.Current;
    }

    /// <summary>Visits the members at a cursor and hands them to a receiver.</summary>
    /// <returns>The next cursor; 0 when all have been visited. A packed set is visited whole.</returns>
    /// <remarks>See <see cref="Dict{TLayout}.Scan"/> for what is guaranteed across resizes.</remarks>
    public readonly ulong Scan<TReceiver>(ulong cursor, ref TReceiver receiver)
        where TReceiver : struct, ISortedSetMemberReceiver, allows ref struct
    {
        if (Encoding == ValueEncoding.SkipList)
        {
            return List.Dict.Scan<nint, TReceiver, ScanAction<TReceiver>>(cursor, 0, ref receiver);
        }

        PackedSortedSet packed = Packed;
        for (int position = packed.First; position != PackedList.None; position = packed.Next(position))
        {
            SetMember member = SetMember.Of(packed.MemberAt(position));
            PackedElement score = packed.ScoreElementAt(position);
            if (score.IsInteger)
            {
                receiver.Receive(member, score.Integer);
            }
            else
            {
                receiver.Receive(new SortedSetMember(member, PackedSortedSet.ScoreOf(score)));
            }
        }

        return 0;
    }

    private readonly SortedSetSlice Locate<TRange>(scoped in TRange range, bool reversed)
        where TRange : struct, ISortedRange, allows ref struct
    {
        if (Encoding == ValueEncoding.PackedList)
        {
            (int start, int count) = Packed.Locate(in range, reversed);
            return new SortedSetSlice(start, count);
        }

        byte* first = List.FirstIn(in range, out long firstRank);
        byte* last = List.LastIn(in range, out long lastRank);
        return firstRank > lastRank
            ? new SortedSetSlice(firstRank, 0)
            : new SortedSetSlice(firstRank, lastRank - firstRank + 1, first, last);
    }

    private readonly bool TryGetPackedScore(PackedElement member, out double score)
    {
        PackedSortedSet packed = Packed;
        int position = packed.Find(member);
        score = position == PackedList.None ? 0 : packed.ScoreAt(position);
        return position != PackedList.None;
    }

    private readonly bool TryGetListScore(ulong hash, ReadOnlySpan<byte> member, out double score)
    {
        byte* node = List.Find(hash, member);
        score = node == null ? 0 : SortedMemberLayout.ScoreOf(node);
        return node != null;
    }

    private readonly SortedSetChange AddToList(
        scoped ReadOnlySpan<byte> member, SortedSetAddFlags flags, ref double score)
    {
        ulong hash = _keyspace.HashOf(member);
        SkipList list = List;
        byte* node = list.Find(hash, member);
        if (node != null)
        {
            SortedSetChange change = Decide(SortedMemberLayout.ScoreOf(node), flags, ref score);
            if (change == SortedSetChange.Updated)
            {
                BeforeChange(node);
                list.Move(node, score);
            }

            return change;
        }

        if ((flags & SortedSetAddFlags.OnlyExisting) != SortedSetAddFlags.None)
        {
            return SortedSetChange.Refused;
        }

        BeforeChange();
        list.Dict.EnsureTable(); // Before there is a member that could leak.
        list.Add(SortedMemberLayout.Create(
            _keyspace.MemberRuntime, hash, member, score, SkipList.ChooseLevels(_keyspace.Random)));
        return SortedSetChange.Added;
    }

    private SortedSetChange AddToPacked(scoped ReadOnlySpan<byte> member, SortedSetAddFlags flags, ref double score)
    {
        PackedSortedSet packed = Packed;
        PackedElement element = PackedElement.Of(member);
        int position = packed.Find(element);
        if (position != PackedList.None)
        {
            SortedSetChange change = Decide(packed.ScoreAt(position), flags, ref score);
            if (change == SortedSetChange.Updated)
            {
                MovePacked(position, element, score);
            }

            return change;
        }

        if ((flags & SortedSetAddFlags.OnlyExisting) != SortedSetAddFlags.None)
        {
            return SortedSetChange.Refused;
        }

        PackedElement scoreElement = PackedSortedSet.ElementOf(score, stackalloc byte[ScoreText.MaxLength]);
        long size = (long)packed.List.LengthBytes + PackedList.SizeOf(element) + PackedList.SizeOf(scoreElement);
        if (packed.Count >= _limits.PackedEntries
            || member.Length > _limits.PackedValueBytes
            || size > PackedList.MaxBytes)
        {
            ConvertToList(packed.Count + 1L);
            return AddToList(member, flags, ref score);
        }

        int place = packed.FindPlace(score, member);
        Reserve((int)size);
        Packed.Insert(place, element, scoreElement);
        return SortedSetChange.Added;
    }

    /// <summary>Whether a member that exists gets another score, and which.</summary>
    private static SortedSetChange Decide(double current, SortedSetAddFlags flags, ref double score)
    {
        if ((flags & SortedSetAddFlags.OnlyNew) != SortedSetAddFlags.None)
        {
            return SortedSetChange.Refused;
        }

        double wanted = (flags & SortedSetAddFlags.Increment) == SortedSetAddFlags.None ? score : current + score;
        if (double.IsNaN(wanted))
        {
            return SortedSetChange.NotANumber;
        }

        if (((flags & SortedSetAddFlags.OnlyLess) != SortedSetAddFlags.None && wanted >= current)
            || ((flags & SortedSetAddFlags.OnlyGreater) != SortedSetAddFlags.None && wanted <= current))
        {
            return SortedSetChange.Refused;
        }

        score = wanted;
        return wanted == current ? SortedSetChange.Same : SortedSetChange.Updated;
    }

    private readonly void Shrink()
    {
        Dict<SortedMemberLayout> dict = List.Dict;
        if (dict.WantsShrink)
        {
            dict.TryShrink();
        }
    }

    // The snapshot that is being taken wants to see a key's set as it was at the cut.
    private readonly void BeforeChange()
    {
        if (_database is not null)
        {
            _database.BeforeChange(_entry.Block);
        }
    }

    // The same for a member that gets another score or goes.
    private readonly void BeforeChange(byte* node)
    {
        BeforeChange();
        if (_keyspace.Snapshot is { } cut)
        {
            cut.BeforeElementChange(&_state->Dict, node);
        }
    }

    private readonly struct ScanAction<TReceiver> : IEntryAction<nint, TReceiver>
        where TReceiver : struct, ISortedSetMemberReceiver, allows ref struct
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Visit(nint context, ref TReceiver state, byte* entry) =>
            state.Receive(SortedSetEnumerator.MemberOf(entry));
    }
}
