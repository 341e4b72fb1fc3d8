namespace KvServer.Server.Tracking;

/// <summary>Finds prefixes of one client that begin with each other: it would be told of a key twice.</summary>
internal static class PrefixOverlap
{
    /// <summary>Finds the first of some prefixes that overlaps with one the client has, or with another of them.</summary>
    /// <param name="provided">Those it asks for, in their order.</param>
    /// <param name="existing">Those it has, ordered by their bytes; none but an empty one begins another.</param>
    /// <param name="prefix">The one that overlaps.</param>
    /// <param name="other">The first one it overlaps with.</param>
    /// <param name="isExisting">Whether the client has the other one already.</param>
    /// <returns>False when there is none.</returns>
    /// <remarks>O(n log n) in the prefixes, however many there are and overlap.</remarks>
    public static bool TryFind(
        List<byte[]> provided, List<byte[]> existing, out byte[] prefix, out byte[] other, out bool isExisting)
    {
        int among = FirstAmong(provided);
        isExisting = false;
        other = [];
        prefix = [];
        for (int i = 0; i < provided.Count && (i <= among || among < 0); i++)
        {
            prefix = provided[i];
            isExisting = TryFindExisting(prefix, existing, out other);
            if (isExisting)
            {
                return true;
            }
        }

        if (among < 0)
        {
            return false;
        }

        prefix = provided[among];
        other = [];
        for (int i = among + 1; i < provided.Count; i++)
        {
            if (Overlap(prefix, provided[i]))
            {
                other = provided[i];
                break;
            }
        }

        return true;
    }

    private static bool TryFindExisting(byte[] prefix, List<byte[]> existing, out byte[] other)
    {
        other = [];
        if (existing.Count == 0)
        {
            return false;
        }

        if (existing[0].Length == 0)
        {
            other = existing[0];
            return true;
        }

        // Only the last one before it can begin it, and only what comes after can begin with it.
        int place = existing.BinarySearch(prefix, Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        place = place < 0 ? ~place : place;
        for (int i = Math.Max(place - 1, 0); i <= place && i < existing.Count; i++)
        {
            if (Overlap(existing[i], prefix))
            {
                other = existing[i];
                return true;
            }
        }

        return false;
    }

    // The least index of a prefix that overlaps with any other one, or -1. In the order of bytes those that begin with a
    // prefix follow it at once, so a stack of beginnings finds all that overlap.
    private static int FirstAmong(List<byte[]> prefixes)
    {
        int[] order = [.. Enumerable.Range(0, prefixes.Count)];
        Array.Sort(order, (a, b) => prefixes[a].AsSpan().SequenceCompareTo(prefixes[b]));
        int first = -1;
        Stack<int> beginnings = new();
        foreach (int index in order)
        {
            while (beginnings.TryPeek(out int top) && !prefixes[index].AsSpan().StartsWith(prefixes[top]))
            {
                beginnings.Pop();
            }

            if (beginnings.TryPeek(out int beginning))
            {
                int least = Math.Min(index, beginning);
                first = first < 0 ? least : Math.Min(first, least);
            }

            beginnings.Push(index);
        }

        return first;
    }

    private static bool Overlap(byte[] a, byte[] b) => a.AsSpan().StartsWith(b) || b.AsSpan().StartsWith(a);
}
