namespace KvServer.Storage;

/// <summary>Union and difference of sets into a set of their own. Missing sets count as empty. Command loop only.</summary>
public static class SetOperations
{
    /// <summary>Adds the members of all sets to the result. O(members of all sets).</summary>
    public static void Unite(scoped in SetOperands sets, scoped ref SetValue result)
    {
        for (int i = 0; i < sets.Count; i++)
        {
            if (!sets.IsMissing(i))
            {
                AddAll(sets[i], ref result);
            }
        }
    }

    /// <summary>True when nothing can be left after subtracting: the first set is missing, or is subtracted too.</summary>
    public static bool IsDifferenceEmpty(scoped in SetOperands sets)
    {
        bool isEmpty = sets.IsMissing(0);
        for (int i = 1; i < sets.Count && !isEmpty; i++)
        {
            isEmpty = sets.AreSame(0, i);
        }

        return isEmpty;
    }

    /// <summary>Adds the members of the first set that no other set has to the result, which must be empty.</summary>
    /// <remarks>
    /// Two ways: look every member of the first set up in the others, O(first x sets), or take the members of the
    /// others out of a copy of the first, O(members of all sets). The first stops at the first set that has the member,
    /// so it counts half.
    /// </remarks>
    public static void Subtract(scoped in SetOperands sets, scoped ref SetValue result)
    {
        long first = sets.CountOf(0);
        long lookups = 0;
        long total = 0;
        for (int i = 0; i < sets.Count; i++)
        {
            lookups += sets.IsMissing(i) ? 0 : first;
            total += sets.CountOf(i);
        }

        if (lookups / 2 <= total)
        {
            SubtractByLookup(in sets, ref result);
        }
        else
        {
            SubtractByRemoval(in sets, ref result);
        }
    }

    internal static void SubtractByLookup(scoped in SetOperands sets, scoped ref SetValue result)
    {
        // The larger a set, the likelier it has the member.
        sets.SortBySize(from: 1, largestFirst: true);
        SetValue first = sets[0];
        bool isIndexed = first.Encoding == ValueEncoding.PackedList && PackedSetIndex.Fits(first.Packed);
        PackedSetIndex.Bits inPacked = isIndexed ? FindInPacked(in sets, first.Packed) : default;
        int index = 0;
        foreach (SetMember member in first)
        {
            bool isElsewhere = isIndexed && inPacked.Has(index++);
            for (int i = 1; i < sets.Count && !isElsewhere; i++)
            {
                isElsewhere = !sets.IsMissing(i)
                    && sets[i] is var set
                    && !(isIndexed && set.Encoding == ValueEncoding.PackedList)
                    && set.Contains(member);
            }

            if (!isElsewhere)
            {
                result.Add(member);
            }
        }
    }

    private static PackedSetIndex.Bits FindInPacked(scoped in SetOperands sets, PackedList first)
    {
        PackedSetIndex index = new(first);
        PackedSetIndex.Bits found = default;
        for (int i = 1; i < sets.Count; i++)
        {
            if (!sets.IsMissing(i) && sets[i] is { Encoding: ValueEncoding.PackedList } set)
            {
                index.Mark(set.Packed, ref found);
            }
        }

        return found;
    }

    internal static void SubtractByRemoval(scoped in SetOperands sets, scoped ref SetValue result)
    {
        AddAll(sets[0], ref result);
        for (int i = 1; i < sets.Count && result.Count > 0; i++)
        {
            if (sets.IsMissing(i))
            {
                continue;
            }

            foreach (SetMember member in sets[i])
            {
                result.Remove(member);
            }
        }
    }

    private static void AddAll(SetValue set, scoped ref SetValue result)
    {
        foreach (SetMember member in set)
        {
            result.Add(member);
        }
    }
}
