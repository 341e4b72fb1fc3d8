namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Streams that go on changing while they are saved: the file holds them as they were at the cut.</summary>
public sealed class SnapshotStreamTests : RdbTest
{
    private static readonly StreamLimits Small = StreamLimits.From(200, 6);
    private readonly Dictionary<string, ulong> _lastIds = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_is_done_to_streams_the_file_equals_the_data_at_the_cut(int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 6000; i++)
        {
            ChangeSomething(random);
        }

        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 600; i++)
            {
                ChangeSomething(random);
            }

            SortedDictionary<string, string> cut = Describe(Store);
            SnapshotQueue queue = new(limitBytes: long.MaxValue);
            SnapshotCut snapshot = Store.StartSnapshot(queue);
            bool isAborted = random.Next(6) == 0;
            int steps = 0;
            do
            {
                for (int i = random.Next(8); i > 0; i--)
                {
                    ChangeSomething(random);
                }

                if (isAborted && ++steps == 3)
                {
                    snapshot.Abort();
                }
            }
            while (!snapshot.WalkUntil(0));
            Store.Reclaimer.WaitUntilIdle();
            FindNoFault();
            if (!isAborted)
            {
                Assert.Equal(cut, DescribeFileOf(queue));
            }

            Heap.Verify();
        }
    }

    [Fact]
    public void A_large_stream_is_written_in_slices_and_a_change_meanwhile_copies_the_way_to_one_place()
    {
        MakeLarge("big", entries: 50_000, pending: 20_000);
        SortedDictionary<string, string> cut = Describe(Store);
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        long before = Heap.UsedBytes;
        long managed = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(0, queue.QueuedBytes);
        Append("big", 1_000_000, "f", "new"); // Begins the stream.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, 10_000);
        Assert.InRange(Heap.UsedBytes - before, 1, 20_000);
        long slices = 0;
        while (!snapshot.WalkUntil(0))
        {
            slices++;
            Assert.InRange(queue.QueuedBytes, 0, (slices + 1) * 2 * SnapshotQueue.ChunkBytes);
            StreamValue stream = Open("big");
            if (slices == 5)
            {
                Assert.True(stream.Delete(new StreamId(25_000, 0)));
                Assert.Equal(1000, stream.TrimToLength(stream.Length - 1000, approximate: false, limit: 0));
                Assert.True(stream.TryFindGroup("g"u8, out StreamGroup group));
                Assert.True(group.RemovePending(new StreamId(7, 0)));
                Assert.True(stream.RemoveGroup("h"u8));
            }
        }

        Assert.True(slices > 100, $"{slices} slices");
        Assert.InRange(snapshot.StepsDone, slices, slices + 1);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(cut, DescribeFileOf(queue));
        FindNoFault();
    }

    [Fact]
    public void A_deleted_stream_is_still_written_and_then_freed()
    {
        MakeLarge("big", entries: 5000, pending: 1000);
        SortedDictionary<string, string> cut = Describe(Store);
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        Assert.False(snapshot.WalkUntil(0));
        Db.Delete(K("big"), lazily: true);
        Store.FlushAll(inBackground: true);
        while (!snapshot.WalkUntil(0))
        {
        }

        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Value));
        Assert.Equal(cut, DescribeFileOf(queue));
    }

    [Fact]
    public void A_store_can_end_in_the_middle_of_saving_streams()
    {
        MakeLarge("one", entries: 3000, pending: 300);
        MakeLarge("two", entries: 3000, pending: 300);
        SnapshotCut snapshot = Store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue));
        snapshot.WalkUntil(0);
        Append("two", 1_000_000, "f", "x");
        Db.Delete(K("one"));
        Assert.False(snapshot.IsFinished);
    }

    [Fact]
    public void Long_nodes_are_written_in_pieces_and_may_change_meanwhile()
    {
        Make("long");
        string[] values = ["a", new('x', 300_000), new('y', 65_000), new('z', 70_000), "7"];
        for (int i = 0; i < values.Length; i++)
        {
            Append("long", (ulong)i + 1, "f", values[i]);
        }

        SortedDictionary<string, string> cut = Describe(Store);
        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        int steps = 0;
        while (!snapshot.WalkUntil(0))
        {
            steps++;
            if (steps == 3)
            {
                Assert.True(Open("long").Delete(new StreamId(2, 0)));
            }
        }

        Assert.InRange(steps, 7, 20);
        Assert.Equal(cut, DescribeFileOf(queue));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void Without_memory_a_change_during_a_save_changes_nothing_and_the_save_goes_on(int failures)
    {
        MakeLarge("big", entries: 2000, pending: 500);
        for (int round = 0; round < 3; round++)
        {
            SortedDictionary<string, string> cut = Describe(Store);
            SnapshotQueue queue = new(limitBytes: long.MaxValue);
            SnapshotCut snapshot = Store.StartSnapshot(queue);
            bool isDone = false;
            for (int allowed = 0; !isDone; allowed++)
            {
                Heap.FailAfter(allowed, failures);
                try
                {
                    Append("big", 1_000_000 + (ulong)round, "f", "x");
                    isDone = true;
                }
                catch (OutOfMemoryException)
                {
                    Heap.FailAfter(-1);
                    Assert.Equal(cut, Describe(Store));
                    Heap.FailAfter(0, int.MaxValue); // The walk needs no memory of the heap.
                    Assert.False(snapshot.IsFinished);
                    snapshot.WalkUntil(0);
                }

                Heap.FailAfter(-1);
            }

            while (!snapshot.WalkUntil(0))
            {
            }

            Assert.Equal(cut, DescribeFileOf(queue));
        }
    }

    private StreamValue Open(string key) => StreamValue.Open(Db, Find(key), Small);

    private void Make(string key)
    {
        StreamValue stream = StreamValue.Create(Store, Small);
        stream.StoreAs(Db, K(key), lazily: false);
        stream.Dispose();
    }

    private void Append(string key, ulong ms, params string[] pairs) =>
        Assert.True(Open(key).TryAppend(new StreamId(ms, 0), new Pairs(pairs)));

    // Groups g and h, each with pending entries of three consumers.
    private void MakeLarge(string key, int entries, int pending)
    {
        Make(key);
        for (int i = 1; i <= entries; i++)
        {
            Append(key, (ulong)i, "field", "value " + i);
        }

        foreach (string name in (string[])["g", "h"])
        {
            StreamValue stream = Open(key);
            Assert.True(stream.TryAddGroup(B(name), new StreamId((ulong)pending, 0), pending));
            Assert.True(stream.TryFindGroup(B(name), out StreamGroup group));
            for (int i = 1; i <= 3; i++)
            {
                group.TryAddConsumer(B("consumer" + i), StartMs + i, out _);
            }

            for (int i = 1; i <= pending; i++)
            {
                Assert.True(group.TryAddPending(new StreamPending(new StreamId((ulong)i, 0), StartMs + i, i % 3, 1 + (i % 3))));
            }
        }
    }

    private void FindNoFault()
    {
        foreach (string line in Describe(Store).Keys)
        {
            Assert.Null(Open(line[2..]).FindFault());
        }
    }

    private void ChangeSomething(Random random)
    {
        string name = "s" + random.Next(5);
        if (!Db.TryFind(K(name), LookupFlags.NoTouch, out _))
        {
            Make(name);
        }

        ulong last = _lastIds.GetValueOrDefault(name) + (ulong)random.Next(1, 3);
        StreamValue stream = Open(name);
        StreamId some = new((ulong)random.NextInt64((long)last + 1), 0);
        switch (random.Next(40))
        {
            case 0:
                stream.TrimToLength(random.Next(400), approximate: random.Next(2) == 0, limit: 0);
                break;
            case 1:
                stream.RemoveGroup(B("g" + random.Next(3)));
                break;
            case 2 when random.Next(10) == 0:
                Db.Delete(K(name), lazily: random.Next(2) == 0);
                _lastIds.Remove(name);
                break;
            case 3 when random.Next(4) == 0:
                string copy = "s" + random.Next(5);
                Db.Copy(K(name), Db, K(copy));
                _lastIds[copy] = _lastIds.GetValueOrDefault(name);
                break;
            case 4 when random.Next(10) == 0:
                Append(name, last, "f", new string('x', random.Next(60_000, 200_000)));
                _lastIds[name] = last;
                break;
            case < 9:
                stream.Delete(some);
                break;
            case < 24:
                ChangeGroup(random, stream, some);
                break;
            default:
                Append(name, last, random.Next(3) > 0 ? "f" : "g" + random.Next(3), "value " + random.Next());
                _lastIds[name] = last;
                break;
        }
    }

    private static void ChangeGroup(Random random, StreamValue stream, StreamId some)
    {
        byte[] name = B("g" + random.Next(3));
        stream.TryAddGroup(name, some, random.Next(-1, 5));
        Assert.True(stream.TryFindGroup(name, out StreamGroup group));
        group.TryAddConsumer(B("c" + random.Next(4)), random.Next(), out long number, random.Next());
        switch (random.Next(8))
        {
            case 0:
                group.RemovePending(some);
                break;
            case 1:
                group.SetPending(new StreamPending(some, random.Next(), random.Next(), number));
                break;
            case 2:
                group.SetLastId(some, random.Next(-1, 100));
                break;
            case 3 when random.Next(5) == 0:
                group.RemoveConsumer(number);
                break;
            case 4:
                group.SetSeen(number, random.Next());
                break;
            default:
                group.TryAddPending(new StreamPending(some, random.Next(), random.Next(20), number));
                break;
        }
    }

    private readonly struct Pairs(string[] pairs) : IStreamFields
    {
        public int Count => pairs.Length / 2;

        public ReadOnlySpan<byte> NameAt(int index) => B(pairs[2 * index]);

        public ReadOnlySpan<byte> ValueAt(int index) => B(pairs[(2 * index) + 1]);
    }
}
