namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Lists that go on changing while they are saved: the file holds them as they were at the cut.</summary>
public sealed class SnapshotListTests : RdbTest
{
    private static readonly ListLimits Small = new(128, 4, 0);
    private readonly Dictionary<string, List<string>> _expected = [];

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 0)]
    public void Whatever_is_done_to_lists_the_file_equals_the_data_at_the_cut(int seed, int depth)
    {
        Random random = new(seed);
        ListLimits limits = Small with { CompressDepth = depth };
        for (int i = 0; i < 3000; i++)
        {
            ChangeSomething(random, limits);
        }

        for (int round = 0; round < 12; round++)
        {
            SortedDictionary<string, string> cut = Describe(Store);
            SnapshotQueue queue = new(limitBytes: long.MaxValue);
            SnapshotCut snapshot = Store.StartSnapshot(queue);
            bool isAborted = random.Next(6) == 0;
            int steps = 0;
            do
            {
                for (int i = random.Next(6); i > 0; i--)
                {
                    ChangeSomething(random, limits);
                }

                if (isAborted && ++steps == 3)
                {
                    snapshot.Abort();
                }
            }
            while (!snapshot.WalkUntil(0));
            Store.Reclaimer.WaitUntilIdle();
            CheckAll(seed);
            if (!isAborted)
            {
                Assert.Equal(Values(cut), Values(DescribeFileOf(queue)));
            }

            Heap.Verify();
        }
    }

    [Fact]
    public void The_walk_gives_back_what_the_list_no_longer_uses_as_it_goes()
    {
        Push("big", 20_000);
        long before = Heap.UsedBytesOf(HeapTag.Value);
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        Assert.False(snapshot.WalkUntil(0)); // Begins the list.
        Db.Delete(K("big"), lazily: true);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(before, Heap.UsedBytesOf(HeapTag.Value));
        long last = before;
        int freed = 0;
        while (!snapshot.WalkUntil(0))
        {
            Store.Reclaimer.WaitUntilIdle();
            freed += Heap.UsedBytesOf(HeapTag.Value) < last ? 1 : 0;
            last = Heap.UsedBytesOf(HeapTag.Value);
        }

        Store.Reclaimer.WaitUntilIdle();
        Assert.True(freed > 1);
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Value));
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => "e" + i), DescribeFileOf(queue)["0/big"].Split(' ', 3)[2].Split('|'));
    }

    [Fact]
    public void A_step_hands_over_a_few_hundred_nodes_however_small_they_are()
    {
        Push("big", 40_000);
        long nodes = ListValue.Open(Db, Find("big"), Small).NodeCount;
        SnapshotCut snapshot = Store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue));
        while (!snapshot.WalkUntil(0))
        {
        }

        Assert.True(nodes >= 10_000);
        Assert.InRange(snapshot.StepsDone, nodes / 500, nodes / 100);
    }

    [Fact]
    public void A_change_in_the_middle_of_a_save_copies_the_way_to_one_leaf_and_then_changes_in_place()
    {
        Push("big", 20_000);
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        snapshot.WalkUntil(0);
        long before = Heap.UsedBytesOf(HeapTag.Value);
        ListValue list = ListValue.Open(Db, Find("big"), Small);
        list.Set(10_000, B("x"));
        Assert.InRange(Heap.UsedBytesOf(HeapTag.Value) - before, 1, (4 * 504) + 128);
        long allocations = Heap.AllocationCount;
        list.Set(10_000, B("y"));
        list.Set(10_001, B("z"));
        Assert.Equal(allocations, Heap.AllocationCount);
        while (!snapshot.WalkUntil(0))
        {
        }

        Store.Reclaimer.WaitUntilIdle();
        Assert.Null(list.FindFault());
        allocations = Heap.AllocationCount;
        list.Set(3, B("q"));
        list.Set(19_999, B("q"));
        Assert.Equal(allocations, Heap.AllocationCount); // All nodes are the list's own again.
    }

    [Fact]
    public void A_store_can_end_in_the_middle_of_saving_lists()
    {
        Push("one", 5000);
        Push("two", 5000);
        SnapshotCut snapshot = Store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue));
        snapshot.WalkUntil(0);
        ListValue.Open(Db, Find("two"), Small).Set(7, B("x"));
        Db.Delete(K("one"));
        Assert.False(snapshot.IsFinished);
    }

    [Fact]
    public void Long_elements_are_written_in_pieces_between_the_nodes()
    {
        ListValue list = ListValue.Create(Store, ListLimits.Default);
        list.PrepareToGrow(1_000_000, 5);
        string[] elements = ["a", new('x', 300_000), new('y', 9000), "7", new('z', 65_537)];
        foreach (string element in elements)
        {
            list.Push(B(element), atHead: false);
        }

        list.InsertAs(Db, K("long"));
        list.Dispose();
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        while (!snapshot.WalkUntil(0))
        {
        }

        Assert.Equal("quicklist -1 " + string.Join('|', elements), DescribeFileOf(queue)["0/long"]);
    }

    // The names of encodings depend on the limits a file is loaded with.
    private static SortedDictionary<string, string> Values(SortedDictionary<string, string> lines)
    {
        SortedDictionary<string, string> values = new(StringComparer.Ordinal);
        foreach ((string key, string line) in lines)
        {
            values.Add(key, line[line.IndexOf(' ', StringComparison.Ordinal)..]);
        }

        return values;
    }

    private void CheckAll(int seed)
    {
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        foreach ((string name, List<string> expected) in _expected)
        {
            ListValue list = ListValue.Open(Db, Find(name), Small);
            Assert.True(list.FindFault() is null, $"seed {seed}: {list.FindFault()}");
            List<string> elements = [];
            foreach (PackedElement element in list)
            {
                elements.Add(S(element.AsText(scratch)));
            }

            Assert.Equal(expected, elements);
        }
    }

    private void Push(string name, int count)
    {
        ListValue.InsertSingle(Db, K(name), B("e0"), Small);
        for (int i = 1; i < count; i++)
        {
            ListValue list = ListValue.Open(Db, Find(name), Small);
            list.PrepareToGrow(4, 1);
            list.Push(B("e" + i), atHead: false);
        }
    }

    private void ChangeSomething(Random random, ListLimits limits)
    {
        string name = "l" + random.Next(4);
        string text = random.Next(15) == 0 ? new string('p', 200) : "e" + random.Next(1000);
        if (!_expected.TryGetValue(name, out List<string>? expected))
        {
            ListValue.InsertSingle(Db, K(name), B(text), limits);
            _expected.Add(name, [text]);
            return;
        }

        ListValue list = ListValue.Open(Db, Find(name), limits);
        int count = expected.Count;
        int at = random.Next(count);
        switch (random.Next(16))
        {
            case 0 or 1 or 2 or 3 or 4:
                bool atHead = random.Next(2) == 0;
                for (int i = random.Next(8); i >= 0; i--)
                {
                    list.PrepareToGrow(text.Length, 1);
                    list.Push(B(text), atHead);
                    expected.Insert(atHead ? 0 : expected.Count, text);
                }

                break;
            case 5 or 6 or 7:
                list.PrepareToGrow(text.Length, 1);
                list.Insert(at, B(text));
                expected.Insert(at, text);
                break;
            case 8:
                list.PrepareToGrow(text.Length, 1);
                list.Set(at, B(text));
                list.Settle();
                expected[at] = text;
                break;
            case 9 or 10 or 11 when count > 1:
                atHead = random.Next(2) == 0;
                list.RemoveEnd(atHead);
                list.Settle();
                expected.RemoveAt(atHead ? 0 : count - 1);
                break;
            case 12 when count > 300:
                int many = random.Next(count / 2);
                int first = random.Next(count - many);
                list.RemoveRange(first, many);
                list.Settle();
                expected.RemoveRange(first, many);
                break;
            case 13 when random.Next(20) == 0:
                Db.Delete(K(name), lazily: random.Next(2) == 0);
                _expected.Remove(name);
                break;
            case 14 when random.Next(10) == 0:
                string other = "l" + random.Next(4);
                if (other != name)
                {
                    Db.Copy(K(name), Db, K(other));
                    _expected[other] = [.. expected];
                }

                break;
            case 15 when random.Next(3) == 0:
                long removed = list.RemoveEqual(B(expected[at]), 1, fromTail: false);
                Assert.Equal(1, removed);
                expected.Remove(expected[at]);
                list.Settle();
                if (expected.Count == 0)
                {
                    Db.Delete(K(name));
                    _expected.Remove(name);
                }

                break;
            default:
                break;
        }
    }
}
