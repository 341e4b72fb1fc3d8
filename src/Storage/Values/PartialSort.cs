using System.Numerics;

namespace KvServer.Storage;

/// <summary>Sorts a range of places, and leaves the rest as it comes.</summary>
/// <remarks>
/// <para>Quicksort into three parts, smaller than a pivot, equal to it and greater (J. Bentley and D. McIlroy, "Engineering
/// a Sort Function", 1993), which goes only into the parts that have a place of the range. It is not stable, and takes the
/// pivots of the reference server, so that equal items come out in its order.</para>
/// <para>While a part is divided, items equal to the pivot gather at both its ends:</para>
/// <code>
/// [ pivot | equal | smaller | not looked at | greater | equal ]
///          1       a         b             c         d
/// </code>
/// <para>O(n) and O(m log m) for m places of n on average. When the pivots are bad for too long, as data made for it would
/// have it, what is left is sorted as a heap, where equal items may stand otherwise: never more than O(n log n). In place;
/// allocates nothing.</para>
/// </remarks>
public static class PartialSort
{
    private const int InsertionLength = 7;
    private const int NinePivotsLength = 40;

    /// <summary>Puts the right items in the places from <paramref name="from"/> to <paramref name="to"/>, both included, in
    /// order.</summary>
    /// <param name="items">The items.</param>
    /// <param name="from">The first place, at least 0.</param>
    /// <param name="to">The last place; before the first for none.</param>
    /// <param name="order">Which comes first.</param>
    public static void Sort<T, TOrder>(Span<T> items, int from, int to, TOrder order)
        where TOrder : struct, ISortOrder<T> =>
        Sort(items, from, to, order, 4 * (BitOperations.Log2((uint)items.Length | 1) + 1));

    /// <inheritdoc cref="Sort{T, TOrder}(Span{T}, int, int, TOrder)"/>
    /// <param name="items">The items.</param>
    /// <param name="from">The first place, at least 0.</param>
    /// <param name="to">The last place; before the first for none.</param>
    /// <param name="order">Which comes first.</param>
    /// <param name="divisionsLeft">How often the items may be divided before they are sorted as a heap.</param>
    internal static void Sort<T, TOrder>(Span<T> items, int from, int to, TOrder order, int divisionsLeft)
        where TOrder : struct, ISortOrder<T>
    {
        while (from <= to && from < items.Length && items.Length >= InsertionLength)
        {
            if (divisionsLeft-- == 0)
            {
                SortAsHeap(items, order);
                return;
            }

            (int smaller, int greater) = Divide(items, order);
            if (smaller > 1 && from < smaller)
            {
                Sort(items[..smaller], from, Math.Min(to, smaller - 1), order, divisionsLeft);
            }

            if (greater < 2)
            {
                return;
            }

            int passed = items.Length - greater;
            from = Math.Max(from - passed, 0);
            to -= passed;
            items = items[passed..];
        }

        if (from <= to && from < items.Length)
        {
            SortByInsertion(items, order);
        }
    }

    private static void SortByInsertion<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, ISortOrder<T>
    {
        for (int i = 1; i < items.Length; i++)
        {
            T item = items[i];
            int at = i;
            for (; at > 0 && order.Compare(in items[at - 1], in item) > 0; at--)
            {
                items[at] = items[at - 1];
            }

            items[at] = item;
        }
    }

    // How many are smaller than the pivot and stand first, and how many are greater and stand last.
    private static (int Smaller, int Greater) Divide<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, ISortOrder<T>
    {
        Swap(items, 0, ChoosePivot(items, order));
        int a = 1;
        int b = 1;
        int c = items.Length - 1;
        int d = items.Length - 1;
        while (true)
        {
            int difference;
            for (; b <= c && (difference = order.Compare(in items[b], in items[0])) <= 0; b++)
            {
                if (difference == 0)
                {
                    Swap(items, a++, b);
                }
            }

            for (; b <= c && (difference = order.Compare(in items[c], in items[0])) >= 0; c--)
            {
                if (difference == 0)
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

    private static int ChoosePivot<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, ISortOrder<T>
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
            low = MiddleOf(items, low, low + eighth, low + (2 * eighth), order);
            middle = MiddleOf(items, middle - eighth, middle, middle + eighth, order);
            high = MiddleOf(items, high - (2 * eighth), high - eighth, high, order);
        }

        return MiddleOf(items, low, middle, high, order);
    }

    private static int MiddleOf<T, TOrder>(Span<T> items, int a, int b, int c, TOrder order)
        where TOrder : struct, ISortOrder<T>
    {
        if (order.Compare(in items[a], in items[b]) < 0)
        {
            return order.Compare(in items[b], in items[c]) < 0 ? b
                : order.Compare(in items[a], in items[c]) < 0 ? c : a;
        }

        return order.Compare(in items[b], in items[c]) > 0 ? b
            : order.Compare(in items[a], in items[c]) < 0 ? a : c;
    }

    private static void SortAsHeap<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, ISortOrder<T>
    {
        for (int root = (items.Length / 2) - 1; root >= 0; root--)
        {
            SiftDown(items, root, order);
        }

        for (int end = items.Length - 1; end > 0; end--)
        {
            Swap(items, 0, end);
            SiftDown(items[..end], 0, order);
        }
    }

    private static void SiftDown<T, TOrder>(Span<T> items, int root, TOrder order)
        where TOrder : struct, ISortOrder<T>
    {
        while (true)
        {
            int child = (2 * root) + 1;
            if (child >= items.Length)
            {
                return;
            }

            if (child + 1 < items.Length && order.Compare(in items[child], in items[child + 1]) < 0)
            {
                child++;
            }

            if (order.Compare(in items[root], in items[child]) >= 0)
            {
                return;
            }

            Swap(items, root, child);
            root = child;
        }
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
