namespace KvServer.Storage.Tests.Values;

public sealed class SortVectorTests : StoreTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(5000)]
    public void Any_range_of_places_holds_what_a_whole_sort_puts_there(int count)
    {
        Random random = new(count);
        for (int round = 0; round < 20; round++)
        {
            string[] texts = Texts(random, count, round);
            bool descending = random.Next(2) == 0;
            string[] expected = [.. texts.Order(StringComparer.Ordinal)];
            if (descending)
            {
                Array.Reverse(expected);
            }

            int from = count == 0 || round == 0 ? 0 : random.Next(count);
            int to = count == 0 ? -1 : round == 0 ? count - 1 : random.Next(from, Math.Min(count, from + 10));
            SortVector vector = new(Store, count);
            try
            {
                foreach (string text in texts)
                {
                    vector.Add(B(text));
                }

                for (int i = 0; i < vector.Count; i++)
                {
                    vector.SortByText(i, vector[i].Length);
                }

                vector.Sort(from, to, descending, keepsTies: true);
                for (int i = from; i <= to; i++)
                {
                    Assert.Equal(expected[i], S(vector[i]));
                }
            }
            finally
            {
                vector.Dispose();
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Scores_go_before_texts_and_zero_has_one_form(bool descending)
    {
        double[] scores = [0.0, -0.0, 1, -1, double.PositiveInfinity, double.NegativeInfinity, 1e-300, -1e-300, 2, 2];
        SortVector vector = new(Store, scores.Length);
        try
        {
            for (int i = 0; i < scores.Length; i++)
            {
                vector.Add(B(((char)('j' - i)).ToString()));
                vector.SortByScore(i, scores[i]);
            }

            vector.Sort(0, scores.Length - 1, descending, keepsTies: true);
            string order = "";
            for (int i = 0; i < vector.Count; i++)
            {
                order += S(vector[i]);
            }

            const string Ascending = "egcijdhabf";
            Assert.Equal(descending ? new string([.. Ascending.Reverse()]) : Ascending, order);
        }
        finally
        {
            vector.Dispose();
        }
    }

    [Theory]
    [InlineData(true, "cbad")]
    [InlineData(false, "bcad")]
    public void Elements_that_compare_equal_keep_their_order_or_come_in_that_of_their_texts(
        bool keepsTies, string expected)
    {
        SortVector vector = new(Store, 4);
        try
        {
            foreach (string text in (string[])["c", "a", "b", "d"])
            {
                vector.Add(B(text));
            }

            vector.SortByKey(1, B("x"));
            vector.SortByKey(3, B("x\0"));
            vector.Sort(0, 3, descending: false, keepsTies);
            Assert.Equal(expected, S(vector[0]) + S(vector[1]) + S(vector[2]) + S(vector[3]));
        }
        finally
        {
            vector.Dispose();
        }
    }

    [Fact]
    public void A_text_that_is_empty_comes_behind_none_at_all()
    {
        SortVector vector = new(Store, 2);
        try
        {
            vector.Add(B("with"));
            vector.Add(B("without"));
            vector.SortByKey(0, B(""));
            vector.Sort(0, 1, descending: false, keepsTies: true);
            Assert.Equal("without", S(vector[0]));
            vector.Sort(0, 1, descending: true, keepsTies: true);
            Assert.Equal("with", S(vector[0]));
        }
        finally
        {
            vector.Dispose();
        }
    }

    [Fact]
    public void A_long_key_is_not_copied_for_every_element()
    {
        const int Count = 1000;
        Set("key", new string('x', 1_000_000));
        long before = Heap.UsedBytes;
        SortVector vector = new(Store, Count);
        try
        {
            for (int i = 0; i < Count; i++)
            {
                vector.Add(B("element"));
                vector.SortByKey(i, Find("key").GetStringSpan(default));
            }

            Assert.InRange(Heap.UsedBytes - before, 0, Count * 100);
            vector.Sort(0, Count - 1, descending: true, keepsTies: true);
        }
        finally
        {
            vector.Dispose();
        }

        Assert.Equal(before, Heap.UsedBytes);
    }

    [Fact]
    public void Running_out_of_memory_leaves_what_was_added()
    {
        string text = new('x', 700);
        for (int failAt = 0; failAt < 4; failAt++)
        {
            Heap.FailAfter(failAt);
            SortVector vector = default;
            int added = 0;
            try
            {
                vector = new SortVector(Store, 10);
                for (; added < 5; added++)
                {
                    vector.Add(B(text));
                }
            }
            catch (OutOfMemoryException)
            {
                Assert.Equal(added, vector.Count);
            }
            finally
            {
                Heap.FailAfter(-1);
                for (int i = 0; i < vector.Count; i++)
                {
                    Assert.Equal(text, S(vector[i]));
                }

                vector.Dispose();
            }
        }
    }

    [Fact]
    public unsafe void Bad_pivots_end_in_a_heap_that_sorts_as_well()
    {
        SortItem[] items = new SortItem[1000];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = new SortItem { Rank = (ulong)(i * 7919 % 1000), Place = i };
        }

        PartialSort.Sort(items.AsSpan(), 10, 500, new SortOrder(descending: false, byPlace: true), divisionsLeft: 2);
        for (int i = 10; i <= 500; i++)
        {
            Assert.Equal((ulong)i, items[i].Rank);
        }

        PartialSort.Sort(items.AsSpan(), 0, 999, new SortOrder(descending: true, byPlace: true), divisionsLeft: 0);
        Assert.Equal(Enumerable.Range(0, 1000).Reverse(), items.Select(item => (int)item.Rank));
    }

    // Many alike, in order, in reverse, up and down, with long common beginnings.
    private static string[] Texts(Random random, int count, int round) => (round % 5) switch
    {
        0 => [.. Enumerable.Range(0, count).Select(_ => random.Next(10).ToString())],
        1 => [.. Enumerable.Range(0, count).Select(i => i.ToString("d6"))],
        2 => [.. Enumerable.Range(0, count).Select(i => (count - i).ToString("d6"))],
        3 => [.. Enumerable.Range(0, count).Select(i => Math.Min(i, count - i).ToString("d6"))],
        _ => [.. Enumerable.Range(0, count).Select(_ =>
            "a long beginning" + random.Next(count) + new string('\0', random.Next(3)))],
    };
}
