namespace KvServer.Server.Commands.Geo;

/// <summary>Sorts the beginning of a row of items and leaves the rest in no order.</summary>
/// <remarks>
/// <para>Quicksort into three parts, smaller than a pivot, equal to it and greater (J. Bentley and D. McIlroy, "Engineering
/// a Sort Function", 1993), which passes by the parts that nobody wants to see. It is not stable, and takes the pivots of the
/// reference server, so that equal items come out in its order.</para>
/// <para>While a part is divided, items equal to the pivot gather at both its ends:</para>
/// <code>
/// [ pivot | equal | smaller | not looked at | greater | equal ]
///          1       a         b             c         d
/// </code>
/// <para>O(items + wanted x log(wanted)) as a rule. Items in a malicious order would take quadratic time: whoever divides
/// too often falls back on another sort, in whose result equal items may stand otherwise.</para>
/// </remarks>
internal static class PartialSort
{
    private const int InsertionLength = 7;
    private const int NinePivotsLength = 40;

    /// <summary>Sorts.</summary>
    /// <param name="items">All items.</param>
    /// <param name="wanted">How many of the first ones are wanted.</param>
    /// <param name="comparison">The order.</param>
    /// <remarks>Allocates nothing.</remarks>
    public static void Sort<T>(Span<T> items, int wanted, Comparison<T> comparison)
    {
        int divisionsLeft = 4 * (int.Log2(items.Length | 1) + 1);
        Sort(items, wanted, comparison, divisionsLeft);
    }

    private static void Sort<T>(Span<T> items, int wanted, Comparison<T> comparison, int divisionsLeft)
    {
        while (wanted > 0 && items.Length >= InsertionLength)
        {
            if (divisionsLeft-- == 0)
            {
                items.Sort(comparison);
                return;
            }

            (int smaller, int greater) = Divide(items, comparison);
            if (smaller > 1)
            {
                Sort(items[..smaller], wanted, comparison, divisionsLeft);
            }

            if (greater < 2)
            {
                return;
            }

            wanted -= items.Length - greater;
            items = items[^greater..];
        }

        if (wanted > 0)
        {
            SortByInsertion(items, comparison);
        }
    }

    private static void SortByInsertion<T>(Span<T> items, Comparison<T> comparison)
    {
        for (int i = 1; i < items.Length; i++)
        {
            for (int j = i; j > 0 && comparison(items[j - 1], items[j]) > 0; j--)
            {
                Swap(items, j, j - 1);
            }
        }
    }

    // How many are smaller than the pivot and stand first, and how many are greater and stand last.
    private static (int Smaller, int Greater) Divide<T>(Span<T> items, Comparison<T> comparison)
    {
        Swap(items, 0, ChoosePivot(items, comparison));
        int a = 1;
        int b = 1;
        int c = items.Length - 1;
        int d = items.Length - 1;
        while (true)
        {
            int order;
            for (; b <= c && (order = comparison(items[b], items[0])) <= 0; b++)
            {
                if (order == 0)
                {
                    Swap(items, a++, b);
                }
            }

            for (; b <= c && (order = comparison(items[c], items[0])) >= 0; c--)
            {
                if (order == 0)
                {
                    Swap(items, c, d--);
                }
            }

            if (b > c)
            {
                break;
            }

            Swap(items, b++, c--);
        }

        // Those that are equal change places with as many from the middle.
        int smaller = b - a;
        int greater = d - c;
        SwapRuns(items, 0, b, Math.Min(a, smaller));
        SwapRuns(items, b, items.Length, Math.Min(greater, items.Length - 1 - d));
        return (smaller, greater);
    }

    private static int ChoosePivot<T>(Span<T> items, Comparison<T> comparison)
    {
        int middle = items.Length / 2;
        if (items.Length == InsertionLength)
        {
            return middle;
        }

        int low = 0;
        int high = items.Length - 1;
        if (items.Length > NinePivotsLength)
        {
            int eighth = items.Length / 8;
            low = MiddleOf(items, low, low + eighth, low + (2 * eighth), comparison);
            middle = MiddleOf(items, middle - eighth, middle, middle + eighth, comparison);
            high = MiddleOf(items, high - (2 * eighth), high - eighth, high, comparison);
        }

        return MiddleOf(items, low, middle, high, comparison);
    }

    private static int MiddleOf<T>(Span<T> items, int a, int b, int c, Comparison<T> comparison)
    {
        if (comparison(items[a], items[b]) < 0)
        {
            return comparison(items[b], items[c]) < 0 ? b
                : comparison(items[a], items[c]) < 0 ? c : a;
        }

        return comparison(items[b], items[c]) > 0 ? b
            : comparison(items[a], items[c]) < 0 ? a : c;
    }

    // The first items from one place on, and the last ones before another.
    private static void SwapRuns<T>(Span<T> items, int start, int end, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Swap(items, start + i, end - count + i);
        }
    }

    private static void Swap<T>(Span<T> items, int i, int j) => (items[i], items[j]) = (items[j], items[i]);
}
