namespace KvServer.Storage;

/// <summary>Walks over the members that several sets have in common, none of them missing.</summary>
/// <remarks>Goes through the smallest set and looks each member up in the others, the next smallest first, so that
/// most are dismissed early; of packed sets it is found beforehand which members they have (<see cref="PackedSetIndex"/>).
/// O(members of the smallest x sets + members of packed sets), allocates nothing. The sets must not change.</remarks>
public ref struct SetIntersection
{
    private readonly SetOperands _sets;
    private readonly bool _isIndexed;
    private readonly PackedSetIndex.Bits _inPacked;
    private SetEnumerator _smallest;
    private int _index = -1;

    /// <summary>Sorts the sets by size and begins with the smallest.</summary>
    public SetIntersection(scoped in SetOperands sets)
    {
        sets.SortBySize(from: 0, largestFirst: false);
        _sets = sets;
        SetValue smallest = sets[0];
        _isIndexed = sets.Count > 1 && smallest.Encoding == ValueEncoding.PackedList && PackedSetIndex.Fits(smallest.Packed);
        if (_isIndexed)
        {
            _inPacked = FindInPacked(in sets, smallest.Packed);
        }

        _smallest = smallest.GetEnumerator();
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SetMember Current => _smallest.Current;

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SetIntersection GetEnumerator() => this;

    /// <summary>Goes to the next common member; false when there is none.</summary>
    public bool MoveNext()
    {
        while (_smallest.MoveNext())
        {
            _index++;
            if ((!_isIndexed || _inPacked.Has(_index)) && IsInAll(_smallest.Current))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose() => _smallest.Dispose();

    private static PackedSetIndex.Bits FindInPacked(scoped in SetOperands sets, PackedList smallest)
    {
        PackedSetIndex index = new(smallest);
        PackedSetIndex.Bits all = PackedSetIndex.Bits.First(smallest.Count);
        for (int i = 1; i < sets.Count; i++)
        {
            if (!sets.AreSame(0, i) && sets[i] is { Encoding: ValueEncoding.PackedList } set)
            {
                PackedSetIndex.Bits found = default;
                index.Mark(set.Packed, ref found);
                all.And(in found);
            }
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
