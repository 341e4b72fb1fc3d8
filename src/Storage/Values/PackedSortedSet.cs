using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A sorted set in a packed list: member, score, member, score, in order of score and then of the members.</summary>
/// <remarks>Whole scores are integers in the list, others text (<see cref="ScoreText"/>). A view like
/// <see cref="PackedList"/>: a position is a member's and holds until the next change before it. All searches are
/// linear: the list is short.</remarks>
internal readonly ref struct PackedSortedSet
{
    private readonly PackedList _list;

    /// <summary>Views the set at the start of a block.</summary>
    public PackedSortedSet(Span<byte> block) => _list = new PackedList(block);

    /// <summary>The list behind it.</summary>
    public PackedList List => _list;

    /// <summary>Number of members.</summary>
    public int Count => _list.Count / 2;

    /// <summary>Position of the first member, or <see cref="PackedList.None"/>.</summary>
    public int First => _list.First;

    /// <summary>Position of the last member, or <see cref="PackedList.None"/>.</summary>
    public int Last => _list.Last is var score && score != PackedList.None ? _list.Previous(score) : score;

    /// <summary>The element that stands for a score.</summary>
    /// <param name="score">The score.</param>
    /// <param name="scratch">At least <see cref="ScoreText.MaxLength"/> long; the element may point into it.</param>
    public static PackedElement ElementOf(double score, Span<byte> scratch) => ScoreText.TryGetInteger(score, out long integer)
        ? PackedElement.OfInteger(integer)
        : PackedElement.OfString(scratch[..ScoreText.Format(score, scratch)]);

    /// <summary>The score that an element stands for; 0 for text that is none, which only a faulty list holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ScoreOf(PackedElement element) =>
        element.IsInteger ? element.Integer : ScoreText.TryParse(element.Bytes, out double score) ? score : 0;

    /// <summary>The member at a position.</summary>
    public PackedElement MemberAt(int position) => _list[position];

    /// <summary>The score of the member at a position.</summary>
    public double ScoreAt(int position) => ScoreOf(ScoreElementAt(position));

    /// <summary>The element that stands for the score of the member at a position.</summary>
    public PackedElement ScoreElementAt(int position) => _list[_list.Next(position)];

    /// <summary>Position of the member after one.</summary>
    public int Next(int position) => _list.Next(_list.Next(position));

    /// <summary>Position of the member before one.</summary>
    public int Previous(int position)
    {
        int score = _list.Previous(position);
        return score == PackedList.None ? score : _list.Previous(score);
    }

    /// <summary>Position of a member.</summary>
    public int Find(PackedElement member) => _list.Find(member, _list.First, skip: 1);

    /// <summary>Position of the member with a rank, which must exist.</summary>
    public int PositionAt(int rank) => _list.PositionAt(rank * 2);

    /// <summary>Rank of the member at a position.</summary>
    public int RankOf(int position)
    {
        int rank = 0;
        for (int at = First; at != position; at = Next(at))
        {
            rank++;
        }

        return rank;
    }

    /// <summary>Position before which a score with a member has its place; none for the end.</summary>
    public int FindPlace(double score, ReadOnlySpan<byte> member)
    {
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        int last = Last;
        if (last == PackedList.None || !IsBehind(last, score, member, scratch))
        {
            return PackedList.None; // Members often come in ascending order.
        }

        for (int at = First; at != PackedList.None; at = Next(at))
        {
            if (IsBehind(at, score, member, scratch))
            {
                return at;
            }
        }

        return PackedList.None;
    }

    /// <summary>Inserts a member before a position; the block must have room.</summary>
    public void Insert(int position, PackedElement member, PackedElement score)
    {
        // The score first: the position is the same for both then.
        _list.Insert(position, score);
        _list.Insert(position == PackedList.None ? _list.Last : position, member);
    }

    /// <summary>Members that a range lets in, as start and number.</summary>
    /// <param name="range">The bounds.</param>
    /// <param name="reversed">Whether to look from the end, which makes a difference only for members whose order does
    /// not fit the range.</param>
    public (int Start, int Count) Locate<TRange>(scoped in TRange range, bool reversed)
        where TRange : struct, ISortedRange, allows ref struct
    {
        if (First == PackedList.None || !range.IsAboveMin(this, Last) || !range.IsBelowMax(this, First))
        {
            return default;
        }

        int count = 0;
        int rank;
        if (reversed)
        {
            rank = Count - 1;
            int at = Last;
            for (; at != PackedList.None && !range.IsBelowMax(this, at); at = Previous(at))
            {
                rank--;
            }

            for (; at != PackedList.None && range.IsAboveMin(this, at); at = Previous(at))
            {
                count++;
            }

            return (rank - count + 1, count);
        }

        rank = 0;
        int from = First;
        for (; from != PackedList.None && !range.IsAboveMin(this, from); from = Next(from))
        {
            rank++;
        }

        for (; from != PackedList.None && range.IsBelowMax(this, from); from = Next(from))
        {
            count++;
        }

        return (rank, count);
    }

    private bool IsBehind(int position, double score, ReadOnlySpan<byte> member, Span<byte> scratch)
    {
        double other = ScoreAt(position);
        return other > score
            || (other == score && MemberAt(position).AsText(scratch).SequenceCompareTo(member) > 0);
    }
}
