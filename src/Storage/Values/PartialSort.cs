using System.Numerics;

namespace KvServer.Storage;

/// <summary>Sorts a range of places, and leaves the rest as it comes.</summary>
/// <remarks>
/// Quicksort that goes only into those halves that have a place of the range: O(n) and O(m log m) for m places of n on
/// average. When the pivots are bad for too long, as data made for it would have it, what is left is sorted as a heap:
/// never more than O(n log n). In place; allocates nothing. Elements of an order are all different, so no run of equal
/// ones needs a case of its own.
/// </remarks>
internal static class PartialSort
{
    private const int SmallCount = 16;

    /// <summary>Puts the right elements in the places from <paramref name="from"/> to <paramref name="to"/>, both
    /// included, in order.</summary>
    public static void Sort(Span<SortItem> items, int from, int to, SortOrder order)
    {
        if (from <= to)
        {
            Sort(items, from, to, order, 2 * BitOperations.Log2((uint)items.Length));
        }
    }

    /// <inheritdoc cref="Sort(Span{SortItem}, int, int, SortOrder)"/>
    /// <param name="items">The elements.</param>
    /// <param name="from">The first place, at least 0.</param>
    /// <param name="to">The last place.</param>
    /// <param name="order">Which comes first.</param>
    /// <param name="depthLeft">How often the elements may be divided before they are sorted as a heap.</param>
    internal static void Sort(Span<SortItem> items, int from, int to, SortOrder order, int depthLeft)
    {
        while (items.Length > SmallCount)
        {
            if (depthLeft-- == 0)
            {
                SortAsHeap(items, order);
                return;
            }

            int pivot = Partition(items, order);
            if (to <= pivot)
            {
                items = items[..pivot];
                continue;
            }

            if (from < pivot)
            {
                Sort(items[..pivot], from, pivot - 1, order, depthLeft);
            }

            int passed = pivot + 1;
            items = items[passed..];
            from = Math.Max(from - passed, 0);
            to -= passed;
        }

        SortByInsertion(items, order);
    }

    // Puts one element where it belongs, all that come before it before it and the others behind it.
    private static int Partition(Span<SortItem> items, SortOrder order)
    {
        // The median of three as the pivot; the other two stop the searches at the ends.
        int last = items.Length - 1;
        int middle = last / 2;
        Order(ref items[0], ref items[middle], order);
        Order(ref items[0], ref items[last], order);
        Order(ref items[middle], ref items[last], order);
        int place = last - 1;
        Swap(ref items[middle], ref items[place]);
        SortItem pivot = items[place];
        int left = 0;
        int right = place;
        while (true)
        {
            while (order.Compare(in items[++left], in pivot) < 0)
            {
            }

            while (order.Compare(in pivot, in items[--right]) < 0)
            {
            }

            if (left >= right)
            {
                break;
            }

            Swap(ref items[left], ref items[right]);
        }

        Swap(ref items[left], ref items[place]);
        return left;
    }

    private static void SortByInsertion(Span<SortItem> items, SortOrder order)
    {
        for (int i = 1; i < items.Length; i++)
        {
            SortItem item = items[i];
            int at = i;
            for (; at > 0 && order.Compare(in item, in items[at - 1]) < 0; at--)
            {
                items[at] = items[at - 1];
            }

            items[at] = item;
        }
    }

    private static void SortAsHeap(Span<SortItem> items, SortOrder order)
    {
        for (int root = (items.Length / 2) - 1; root >= 0; root--)
        {
            SiftDown(items, root, order);
        }

        for (int end = items.Length - 1; end > 0; end--)
        {
            Swap(ref items[0], ref items[end]);
            SiftDown(items[..end], 0, order);
        }
    }

    private static void SiftDown(Span<SortItem> items, int root, SortOrder order)
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

            Swap(ref items[root], ref items[child]);
            root = child;
        }
    }

    private static void Order(ref SortItem first, ref SortItem second, SortOrder order)
    {
        if (order.Compare(in second, in first) < 0)
        {
            Swap(ref first, ref second);
        }
    }

    private static void Swap(ref SortItem first, ref SortItem second) => (first, second) = (second, first);
}
