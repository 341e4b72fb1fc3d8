using KvServer.Storage.Tests.Values;

namespace KvServer.Storage.Tests;

/// <summary>Moving parts of values: everything that points to one follows, whatever happens in between.</summary>
/// <remarks>On a heap that finds uses of freed blocks; every block passes for one of a sparse slab.</remarks>
public sealed class PartCompactionTests : StoreTest
{
    private const int Elements = 700;
    private const int EntriesPerNode = 10;
    private const int StreamNodes = Elements / EntriesPerNode;
    private const int LeastOfStream = StreamNodes + 5; // State, root, leaves.
    private const int MostOfStream = (3 * StreamNodes) + 5; // Here also what has been moved passes for sparse, on each way.
    private static readonly StreamLimits SmallNodes = StreamLimits.Default with { NodeEntries = EntriesPerNode };

    private PartCompaction Parts => Store.Eviction.Compaction.Parts;

    [Fact]
    public void Each_part_of_a_value_moves_once()
    {
        Fill();
        long moved = MoveParts();

        // The elements; state and tables of three; a string; state and leaves of the list; the stream.
        Assert.InRange(moved, (3 * Elements) + 6 + 1 + 11 + LeastOfStream, (3 * Elements) + 9 + 2 + Elements + MostOfStream);
        AssertFilled();
    }

    [Fact]
    public void What_a_copy_of_a_stream_shares_stays_and_the_rest_moves()
    {
        FillStream("stream");
        StreamValue copy = OpenStream("stream").Share();
        Assert.Equal(1, MoveParts()); // The state.
        copy.InsertAs(Db, K("copy"));
        copy.Dispose();
        Assert.True(OpenStream("copy").TryAppend(new StreamId(Elements + 1, 0), new Field("more")));
        Assert.InRange(MoveParts(), 4, MostOfStream); // Two states, what is not shared any more, the last node of each.
        AssertStream("stream", Elements);
        AssertStream("copy", Elements + 1);
        Db.Delete(K("stream"));
        Assert.InRange(MoveParts(), LeastOfStream, MostOfStream);
        AssertStream("copy", Elements + 1);
    }

    [Fact]
    public void A_stream_whose_ids_have_all_the_same_time_is_walked_over_to_its_end()
    {
        StreamValue stream = StreamValue.Create(Store, SmallNodes);
        for (int i = 1; i <= Elements; i++)
        {
            Assert.True(stream.TryAppend(new StreamId(ulong.MaxValue, (ulong)i), new Field("v" + i)));
        }

        stream.InsertAs(Db, K("same time"));
        stream.Dispose();
        Assert.InRange(MoveParts(), LeastOfStream, MostOfStream);
        Assert.Null(OpenStream("same time").FindFault());
        Assert.Equal(Elements, OpenStream("same time").Length);
    }

    [Fact]
    public void Small_tables_move_in_mid_rehash()
    {
        Store.ResizingAllowed = true;
        SetValue set = SetValue.CreateForResult(Store, SetLimits.Default);
        for (int i = 0; i < 1025; i++)
        {
            set.Add(B("some member " + i));
        }

        set.StoreAs(Db, K("rehashing"), lazily: false);
        Assert.Equal(1025 + 3, MoveParts());
        Assert.True(SetValue.Open(Db, Find("rehashing"), SetLimits.Default).Contains(B("some member 1024")));
    }

    [Fact]
    public void Without_memory_a_stream_stays_whole_wherever_its_walk_ends()
    {
        FillStream("stream");
        Heap.IsSparse = true;
        for (int allocations = 0; allocations < MostOfStream; allocations++)
        {
            Heap.FailAfter(allocations);
            Parts.WalkAll();
            Heap.Verify();
            Assert.Null(OpenStream("stream").FindFault());
        }

        Heap.FailAfter(-1);
        AssertStream("stream", Elements);
    }

    [Fact]
    public void Between_two_steps_a_stream_may_change_anywhere()
    {
        FillStream("stream");
        Heap.IsSparse = true;
        Random random = new(5);
        ulong last = Elements;
        SortedSet<ulong> left = [.. Enumerable.Range(1, Elements).Select(i => (ulong)i)];
        for (int walk = 0; walk < 5; walk++)
        {
            Assert.True(Begin());
            long moved = Parts.MovedBlocks;
            while (Parts.IsWalking)
            {
                Parts.Step(1);
                StreamValue stream = OpenStream("stream");
                ulong id = (ulong)random.Next(1, (int)last);
                Assert.Equal(left.Remove(id), stream.Delete(new StreamId(id, 0)));
                if (random.Next(3) > 0)
                {
                    last++;
                    Assert.True(stream.TryAppend(new StreamId(last, 0), new Field("v" + last)));
                    left.Add(last);
                }

                Assert.Null(stream.FindFault());
            }

            Assert.InRange(Parts.MovedBlocks - moved, StreamNodes, 10 * MostOfStream);
        }

        Heap.Verify();
        List<ulong> found = [];
        foreach (StreamEntry entry in OpenStream("stream"))
        {
            found.Add(entry.Id.Ms);
        }

        Assert.Equal(left, found);
    }

    [Fact]
    public void All_levels_of_a_streams_tree_move_and_those_below_a_shared_one_stay()
    {
        const int many = 1200; // Nodes of one entry: more than 31 leaves of 31.
        StreamLimits limits = StreamLimits.Default with { NodeEntries = 1 };
        StreamValue made = StreamValue.Create(Store, limits);
        for (int i = 1; i <= many; i++)
        {
            Assert.True(made.TryAppend(new StreamId((ulong)i, 0), new Field("v" + i)));
        }

        Assert.True(made.TryAddGroup(B("group"), new StreamId(3, 0), entriesRead: 3));
        made.InsertAs(Db, K("deep"));
        made.Dispose();
        Assert.InRange(MoveParts(), 1 + (4 * many), 2 + (4 * many)); // The state; each node, and its way of three.
        AssertStream("deep", many);
        StreamValue copy = StreamValue.Open(Db, Find("deep"), limits).Share();
        Assert.True(copy.Delete(new StreamId(1, 0)));
        Assert.True(copy.Delete(new StreamId(many, 0)));
        long moved = MoveParts();

        // On each way the root, which is its own again, and what is above the two ends; nothing below what is between.
        Assert.InRange(moved, 1 + (2 * many), (2 * many) + 200);
        Assert.Null(copy.FindFault());
        Assert.Equal(many - 2, copy.Length);
        ulong expected = 2;
        foreach (StreamEntry entry in copy)
        {
            Assert.Equal(expected++, entry.Id.Ms);
        }

        Assert.Equal((ulong)many, expected);
        copy.Dispose();
        AssertStream("deep", many);
        Heap.Verify();
    }

    [Fact]
    public void Between_two_steps_values_may_change_go_and_come_as_another_type()
    {
        Random random = new(3);
        Fill();
        Heap.IsSparse = true;
        Assert.True(Begin());
        for (int step = 0; Parts.IsWalking; step++)
        {
            Parts.Step(1);
            switch (step % 400)
            {
                case 100:
                    Db.Delete(K("hash"));
                    FillHash("hash");
                    break;
                case 200:
                    Assert.True(Db.Rename(K("set"), K("was a set")));
                    FillSortedSet("set");
                    break;
                case 300:
                    Db.Delete(K("list"));
                    Set("list", "text");
                    break;
                case 320:
                    Db.Delete(K("stream"));
                    FillStream("stream");
                    break;
                case 350:
                    Store.Swap(0, 1);
                    Store.Swap(0, 1);
                    break;
                case 399:
                    Db.Flush(inBackground: random.Next(2) == 0);
                    Fill();
                    break;
            }

            Heap.Verify();
        }
    }

    [Fact]
    public void Without_memory_a_walk_ends_and_nothing_is_lost()
    {
        Fill();
        Heap.IsSparse = true;
        for (int allocations = 0; allocations < 60; allocations++)
        {
            Heap.FailAfter(allocations);
            Parts.WalkAll();
            AssertFilled();
        }

        Heap.FailAfter(-1);
        Heap.Verify();
    }

    [Fact]
    public void What_is_being_read_in_parts_stays_where_it_is_until_it_has_been_read()
    {
        FillSet("set");
        Reader reader = new(Store, Find("set"));
        Assert.Equal(0, MoveParts());
        reader.Stop();
        Assert.InRange(MoveParts(), Elements + 2, Elements + 3); // Perhaps in mid-rehash.
    }

    [Fact]
    public void While_a_snapshot_is_taken_nothing_moves()
    {
        Fill();
        SnapshotCut snapshot = Store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue));
        Assert.Equal(0, MoveParts());
        Assert.False(Parts.IsWalking);
        while (!snapshot.WalkUntil(0))
        {
        }

        Assert.True(MoveParts() > Elements);
        AssertFilled();
    }

    private bool Begin()
    {
        Parts.WalkAll(); // Ends, and the next one can begin.
        Parts.BeginAll();
        return Parts.IsWalking;
    }

    private void Fill()
    {
        FillHash("hash");
        FillSet("set");
        FillSortedSet("sorted");
        ListValue.InsertSingle(Db, K("list"), B("first"), ListLimits.Default);
        ListLimits limits = new(128, int.MaxValue, 0);
        ListValue list = ListValue.Open(Db, Find("list"), limits);
        list.PrepareToGrow(Elements * 20, Elements);
        for (int i = 1; i < Elements; i++)
        {
            list.Push(B("an element " + i), atHead: false);
        }

        FillStream("stream");
        Set("string", new string('s', 100));
        Assert.True(Db.TryFind(K("string"), LookupFlags.Write, out Entry entry));
        Db.EditString(ref entry, 20_100, out Span<byte> bytes, changedFrom: 100);
        bytes[100..].Fill((byte)'t');
    }

    private void FillStream(string key)
    {
        StreamValue stream = StreamValue.Create(Store, SmallNodes);
        for (int i = 1; i <= Elements; i++)
        {
            Assert.True(stream.TryAppend(new StreamId((ulong)i, 0), new Field("v" + i)));
        }

        Assert.True(stream.TryAddGroup(B("group"), new StreamId(3, 0), entriesRead: 3));
        stream.InsertAs(Db, K(key));
        stream.Dispose();
    }

    private StreamValue OpenStream(string key) => StreamValue.Open(Db, Find(key), SmallNodes);

    private void AssertStream(string key, int count)
    {
        StreamValue stream = OpenStream(key);
        Assert.Null(stream.FindFault());
        Assert.Equal(count, stream.Length);
        Assert.True(stream.TryFindGroup(B("group"), out _));
        int seen = 0;
        foreach (StreamEntry entry in stream)
        {
            seen++;
            Assert.Equal(new StreamId((ulong)seen, 0), entry.Id);
            Assert.Equal(seen > Elements && key == "copy" ? "f=more" : "f=v" + seen, StreamModel.Describe(entry).Split(' ', 2)[1]);
        }

        Assert.Equal(count, seen);
    }

    private void FillHash(string key)
    {
        HashValue.InsertSingle(Db, K(key), B("f0"), B("v0"), HashLimits.Default);
        HashLimits limits = new(0, 0);
        for (int i = 1; i < Elements; i++)
        {
            HashValue hash = HashValue.Open(Db, Find(key), limits);
            hash.Set(B("f" + i), B("v" + i));
            if (i % 3 == 0)
            {
                hash.SetExpireAt(B("f" + i), StartMs + 1000 + (i * 7919 % 1000));
            }
        }
    }

    private void FillSet(string key)
    {
        SetValue set = SetValue.CreateForResult(Store, SetLimits.Default);
        for (int i = 0; i < Elements; i++)
        {
            set.Add(B("some member " + i));
        }

        set.StoreAs(Db, K(key), lazily: false);
    }

    private void FillSortedSet(string key)
    {
        SortedSetLimits limits = SortedSetLimits.Default with { PackedEntries = 0 };
        SortedSetValue.InsertSingle(Db, K(key), B("m0"), 0, limits);
        for (int i = 1; i < Elements; i++)
        {
            SortedSetValue.Open(Db, Find(key), limits).Add(B("m" + i), i % 13, SortedSetAddFlags.None, out _);
        }
    }

    private void AssertFilled()
    {
        Heap.Verify();
        HashValue hash = HashValue.Open(Db, Find("hash"), HashLimits.Default);
        SetValue set = SetValue.Open(Db, Find("set"), SetLimits.Default);
        SortedSetValue sorted = SortedSetValue.Open(Db, Find("sorted"), SortedSetLimits.Default);
        ListValue list = ListValue.Open(Db, Find("list"), ListLimits.Default);
        Assert.Equal(Elements, hash.Count);
        Assert.Equal(Elements, set.Count);
        Assert.Equal(Elements, sorted.Count);
        Assert.Equal(Elements, list.Count);
        Assert.Null(list.FindFault());
        for (int i = 1; i < Elements; i++)
        {
            Assert.True(hash.TryGet(B("f" + i), out PackedElement value));
            Assert.Equal("v" + i, Text(value));
            Assert.True(set.Contains(B("some member " + i)));
            Assert.True(sorted.TryGetScore(B("m" + i), out double score));
            Assert.Equal(i % 13, score);
            Assert.Equal("an element " + i, Text(list[i]));
        }

        AssertStream("stream", Elements);
        Assert.Equal(20_100, Get("string")!.Length);
    }

    private static string Text(PackedElement element) => S(element.AsText(stackalloc byte[IntegerText.MaxLength]));

    private readonly struct Field(string value) : IStreamFields
    {
        public int Count => 1;

        public ReadOnlySpan<byte> NameAt(int index) => "f"u8;

        public ReadOnlySpan<byte> ValueAt(int index) => B(value);
    }

    private sealed class Reader : PartialRead
    {
        public Reader(Keyspace store, Entry entry) => Begin(store, entry);

        public void Stop() => End();

        protected internal override void Complete() => End();
    }
}
