namespace KvServer.Storage;

/// <summary>Walks over members of a sorted set that stand in a row, from either end, without allocating.</summary>
/// <remarks>The set must not change meanwhile; look-ups in it are fine.</remarks>
public unsafe ref struct SortedSetEnumerator
{
    private readonly Span<byte> _bytes;
    private readonly bool _isReversed;
    private byte* _node;
    private int _position;
    private long _left;
    private bool _hasStarted;

    internal SortedSetEnumerator(Span<byte> packed, int position, long count, bool reversed)
    {
        _bytes = packed;
        _position = position;
        _left = count;
        _isReversed = reversed;
    }

    internal SortedSetEnumerator(byte* node, long count, bool reversed)
    {
        _node = node;
        _left = count;
        _isReversed = reversed;
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SortedSetMember Current
    {
        get
        {
            if (_node != null)
            {
                return MemberOf(_node);
            }

            PackedSortedSet set = new(_bytes);
            return new SortedSetMember(SetMember.Of(set.MemberAt(_position)), set.ScoreAt(_position));
        }
    }

    /// <summary>Where the member is that the walk stands on; see <see cref="SortedSetValue.At"/>.</summary>
    public readonly SortedSetPlace Place => new(_node != null ? (nint)_node : _position);

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SortedSetEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next member; false when there is none.</summary>
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        _left--;
        if (!_hasStarted)
        {
            _hasStarted = true;
            return true;
        }

        if (_node != null)
        {
            _node = _isReversed ? SortedMemberLayout.BackOf(_node) : SkipList.NextOf(_node);
        }
        else
        {
            PackedSortedSet set = new(_bytes);
            _position = _isReversed ? set.Previous(_position) : set.Next(_position);
        }

        return true;
    }

    internal static SortedSetMember MemberOf(byte* node) => new(
        SetMember.OfBytes(SortedMemberLayout.BytesOf(node), EntryLink.Hash(node)), SortedMemberLayout.ScoreOf(node));
}
