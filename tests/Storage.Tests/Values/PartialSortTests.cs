namespace KvServer.Storage.Tests.Values;

public sealed class PartialSortTests
{
    [Fact]
    public void The_items_of_a_range_are_those_of_a_full_sort_and_none_is_lost()
    {
        Random random = new(5);
        for (int round = 0; round < 3000; round++)
        {
            int length = random.Next(0, random.Next(2) == 0 ? 20 : 400);
            int values = random.Next(1, random.Next(2) == 0 ? 5 : 1000);
            int[] items = [.. Enumerable.Range(0, length).Select(_ => random.Next(values))];
            int[] sorted = [.. items.Order()];
            int from = random.Next(2) == 0 ? 0 : random.Next(length + 1);
            int end = random.Next(from, length + 1);

            PartialSort.Sort(items.AsSpan(), from, end - 1, new Order((left, right) => left.CompareTo(right)));

            Assert.Equal(sorted[from..end], items[from..end]);
            Assert.Equal(sorted, items.Order());
        }
    }

    [Fact]
    public void A_malicious_order_does_not_take_quadratic_time()
    {
        const int Length = 1 << 14;
        int[] items = MakeMalicious(Length);
        long comparisons = 0;
        PartialSort.Sort(items.AsSpan(), 0, Length - 2, new Order((left, right) =>
        {
            comparisons++;
            return left.CompareTo(right);
        }));

        Assert.Equal(Enumerable.Range(0, Length - 1), items[..^1]);
        Assert.True(comparisons < Length * 200L, $"{comparisons} comparisons for {Length} items.");
    }

    // M. D. McIlroy's adversary: decides what an item is only when it is compared, so that every pivot is a bad one.
    private static int[] MakeMalicious(int length)
    {
        int undecided = length;
        int[] values = new int[length];
        Array.Fill(values, undecided);
        int decided = 0;
        int candidate = 0;
        int[] items = [.. Enumerable.Range(0, length)];
        PartialSort.Sort(items.AsSpan(), 0, length - 2, new Order((left, right) =>
        {
            if (left != right && values[left] == undecided && values[right] == undecided)
            {
                values[left == candidate ? left : right] = decided++;
            }

            if (values[left] == undecided)
            {
                candidate = left;
            }
            else if (values[right] == undecided)
            {
                candidate = right;
            }

            return values[left].CompareTo(values[right]);
        }));
        for (int i = 0; i < length; i++)
        {
            values[i] = values[i] == undecided ? decided++ : values[i];
        }

        return values;
    }

    private readonly struct Order(Comparison<int> comparison) : ISortOrder<int>
    {
        public int Compare(ref readonly int first, ref readonly int second) => comparison(first, second);
    }
}
