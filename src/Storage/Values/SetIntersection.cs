namespace KvServer.Storage;

/// <summary>Walks over the members that several sets have in common, none of them missing.</summary>
/// <remarks>Goes through the smallest set and looks each member up in the others, the next smallest first, so that
/// most are dismissed early. O(members of the smallest x sets), allocates nothing. The sets must not change.</remarks>
public ref struct SetIntersection
{
    private readonly SetOperands _sets;
    private SetEnumerator _smallest;

    /// <summary>Sorts the sets by size and begins with the smallest.</summary>
    public SetIntersection(scoped in SetOperands sets)
    {
        sets.SortBySize(from: 0, largestFirst: false);
        _sets = sets;
        _smallest = sets[0].GetEnumerator();
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
            if (IsInAll(_smallest.Current))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose() => _smallest.Dispose();

    private readonly bool IsInAll(SetMember member)
    {
        for (int i = 1; i < _sets.Count; i++)
        {
            if (!_sets.AreSame(0, i) && !_sets[i].Contains(member))
            {
                return false;
            }
        }

        return true;
    }
}
