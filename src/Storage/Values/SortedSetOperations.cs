namespace KvServer.Storage;

/// <summary>Union, intersection and difference of sets and sorted sets, with scores. Missing ones count as empty. Command
/// loop only.</summary>
public static class SortedSetOperations
{
    /// <summary>Adds the members of all sets to the result. O(members of all sets).</summary>
    /// <param name="sets">The sets; sorted by size when this returns.</param>
    /// <param name="aggregate">What the scores of a member become.</param>
    /// <param name="result">Empty.</param>
    public static void Unite(
        scoped in SortedSetOperands sets, SortedSetAggregate aggregate, scoped ref SortedSetBuilder result)
    {
        sets.SortBySize();
        for (int i = 0; i < sets.Count; i++)
        {
            double weight = sets.WeightOf(i);
            foreach (SortedSetMember member in sets.Walk(i))
            {
                result.Add(member.Member, Weigh(member.Score, weight), aggregate);
            }
        }
    }

    /// <summary>Adds the members that all sets have to the result.</summary>
    /// <remarks>Goes through the smallest set and looks each member up in the others: O(members of the smallest x sets).
    /// </remarks>
    /// <inheritdoc cref="Unite"/>
    public static void Intersect(
        scoped in SortedSetOperands sets, SortedSetAggregate aggregate, scoped ref SortedSetBuilder result)
    {
        sets.SortBySize();
        foreach (SortedSetMember member in sets.Walk(0))
        {
            if (TryCombine(in sets, member, aggregate, out double score))
            {
                result.TryAdd(member.Member, score);
            }
        }
    }

    /// <summary>Counts the members that all sets have.</summary>
    /// <param name="sets">The sets; sorted by size when this returns.</param>
    /// <param name="limit">Where to stop counting; 0 for nowhere.</param>
    public static long CountIntersection(scoped in SortedSetOperands sets, long limit)
    {
        sets.SortBySize();
        long count = 0;
        foreach (SortedSetMember member in sets.Walk(0))
        {
            if (TryCombine(in sets, member, SortedSetAggregate.Sum, out _) && ++count == limit)
            {
                break;
            }
        }

        return count;
    }

    /// <summary>Adds the members of the first set that no other set has to the result, with their scores.</summary>
    /// <param name="sets">The sets.</param>
    /// <param name="result">Empty.</param>
    /// <remarks>
    /// Two ways: look every member of the first set up in the others, O(first x sets), or take the members of the
    /// others out of a copy of the first, O(members of all sets). The first stops at the first set that has the member,
    /// so it counts half.
    /// </remarks>
    public static void Subtract(scoped in SortedSetOperands sets, scoped ref SortedSetBuilder result)
    {
        long first = sets.CountOf(0);
        long total = first;
        for (int i = 1; i < sets.Count; i++)
        {
            if (first > 0 && sets.AreSame(0, i))
            {
                return;
            }

            total += sets.CountOf(i);
        }

        if ((double)first * sets.Count / 2 <= total)
        {
            SubtractByLookup(in sets, ref result);
        }
        else
        {
            SubtractByRemoval(in sets, ref result);
        }
    }

    internal static void SubtractByLookup(scoped in SortedSetOperands sets, scoped ref SortedSetBuilder result)
    {
        foreach (SortedSetMember member in sets.Walk(0))
        {
            bool isElsewhere = false;
            for (int i = 1; i < sets.Count && !isElsewhere; i++)
            {
                isElsewhere = sets.TryGetScore(i, member.Member, out _);
            }

            if (!isElsewhere)
            {
                result.TryAdd(member.Member, member.Score);
            }
        }
    }

    internal static void SubtractByRemoval(scoped in SortedSetOperands sets, scoped ref SortedSetBuilder result)
    {
        foreach (SortedSetMember member in sets.Walk(0))
        {
            result.TryAdd(member.Member, member.Score);
        }

        for (int i = 1; i < sets.Count && result.Count > 0; i++)
        {
            foreach (SortedSetMember member in sets.Walk(i))
            {
                result.Remove(member.Member);
            }
        }
    }

    // Infinity times zero is no number, and counts as 0.
    private static double Weigh(double score, double weight)
    {
        double weighed = score * weight;
        return double.IsNaN(weighed) ? 0 : weighed;
    }

    private static bool TryCombine(
        scoped in SortedSetOperands sets, SortedSetMember member, SortedSetAggregate aggregate, out double score)
    {
        score = Weigh(member.Score, sets.WeightOf(0));
        for (int i = 1; i < sets.Count; i++)
        {
            double other = member.Score;
            if (!sets.AreSame(0, i) && !sets.TryGetScore(i, member.Member, out other))
            {
                return false;
            }

            score = SortedSetBuilder.Combine(score, other * sets.WeightOf(i), aggregate);
        }

        return true;
    }
}
