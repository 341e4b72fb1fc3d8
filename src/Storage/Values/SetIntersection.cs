namespace KvServer.Storage;

/// <summary>Walks over the members that several sets have in common, none of them missing.</summary>
/// <remarks>Goes through the smallest set and looks each member up in the others, the next smallest first, so that
/// most are dismissed early; of packed sets it is found beforehand which members they have (<see cref="PackedSetIndex"/>).
/// O(members of the smallest x sets + members of packed sets), allocates nothing. The sets must not change.</remarks>
public ref struct SetIntersection
{
    private readonly SetOperands _sets;
    private readonly bool _isIndexed;
    private readonly bool _areAllPacked;
    private readonly PackedSetIndex.Bits _inPacked;
    private readonly PackedList _packed; // The smallest, when it is indexed; else there is an enumerator of it.
    private SetEnumerator _smallest;
    private SetMember _current;
    private int _next = PackedList.None;
    private int _index;

    /// <summary>Sorts the sets by size and begins with the smallest.</summary>
    public SetIntersection(scoped in SetOperands sets)
    {
        sets.SortBySize(from: 0, largestFirst: false);
        _sets = sets;
        SetValue smallest = sets[0];
        _isIndexed = sets.Count > 1 && smallest.Encoding == ValueEncoding.PackedList && PackedSetIndex.Fits(smallest.Packed);
        if (_isIndexed)
        {
            _packed = smallest.Packed;
            _next = _packed.First;
            _inPacked = FindInPacked(in sets, _packed, out _areAllPacked);
        }
        else
        {
            _smallest = smallest.GetEnumerator();
        }
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SetMember Current => _current;

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SetIntersection GetEnumerator() => this;

    /// <summary>Goes to the next common member; false when there is none.</summary>
    public bool MoveNext()
    {
        if (_isIndexed)
        {
            return MoveToMarked();
        }

        while (_smallest.MoveNext())
        {
            _current = _smallest.Current;
            if (IsInAll(_current))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose() => _smallest.Dispose();

    private bool MoveToMarked()
    {
        while (_next != PackedList.None)
        {
            _current = SetMember.Of(_packed.ReadForward(ref _next));
            if (_inPacked.Has(_index++) && (_areAllPacked || IsInAll(_current)))
            {
                return true;
            }
        }

        return false;
    }

    private static PackedSetIndex.Bits FindInPacked(scoped in SetOperands sets, PackedList smallest, out bool areAllPacked)
    {
        areAllPacked = true;
        PackedSetIndex index = new(smallest);
        PackedSetIndex.Bits all = PackedSetIndex.Bits.First(smallest.Count);
        for (int i = 1; i < sets.Count; i++)
        {
            if (sets.AreSame(0, i))
            {
                continue;
            }

            SetValue set = sets[i];
            if (set.Encoding != ValueEncoding.PackedList)
            {
                areAllPacked = false;
                continue;
            }

            PackedSetIndex.Bits found = default;
            index.Mark(set.Packed, ref found);
            all.And(in found);
        }

        return all;
    }

    private readonly bool IsInAll(SetMember member)
    {
        for (int i = 1; i < _sets.Count; i++)
        {
            if (_sets.AreSame(0, i))
            {
                continue;
            }

            SetValue set = _sets[i];
            if (!(_isIndexed && set.Encoding == ValueEncoding.PackedList) && !set.Contains(member))
            {
                return false;
            }
        }

        return true;
    }
}
