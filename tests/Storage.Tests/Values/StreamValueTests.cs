namespace KvServer.Storage.Tests.Values;

public sealed class StreamValueTests : StreamTest
{
    private static readonly string[] GoldenNodes =
    [
        "3E8-5 " +
        "5D0000001F0003010101020181610282626203000102010001000101018568656C6C6F060501030100010101DFB302F2" +
        "40E2010405010001F298801E04DFFB02010181630281780206010201F298801E04DFFC028001823030030501FF",
        "1E8480-2 " +
        "2B0000000C00010100010201816102826262030001020100010001F4FFFFFFFFFFFFFF7F09817A020501FF",
    ];

    // What redis-server 7.0.15 with stream-node-max-entries 4 dumps after the same commands.
    [Fact]
    public void Nodes_are_byte_for_byte_those_of_the_reference()
    {
        Limits = StreamLimits.From(4096, 4);
        Make("s");
        Append("s", Id(1000, 5), "a", "1", "bb", "hello");
        Append("s", Id(1000, 6), "a", "-77", "bb", "123456");
        Append("s", Id(2_000_000, 0), "c", "x");
        Append("s", Id(2_000_000, 1), "a", "", "bb", "00");
        Append("s", Id(2_000_000, 2), "a", "9223372036854775807", "bb", "z");
        Assert.True(Open("s").Delete(Id(1000, 6)));
        Assert.Equal(GoldenNodes, Nodes("s"));
        Assert.Equal(
            (4, Id(1000, 5), Id(2_000_000, 2), Id(1000, 6), 5),
            (Open("s").Length, Open("s").FirstId, Open("s").LastId, Open("s").MaxDeletedId, Open("s").EntriesAdded));
        Assert.Equal(
            ["1000-5 a=1 bb=hello", "2000000-0 c=x", "2000000-1 a= bb=00", "2000000-2 a=9223372036854775807 bb=z"],
            Entries("s"));
        Assert.Equal("stream", EncodingOf("s"));
    }

    [Fact]
    public void Nodes_of_one_stream_build_another()
    {
        Limits = StreamLimits.From(0, 3);
        MakeNumbered("s", 20);
        Open("s").Delete(Id(1));
        Open("s").Delete(Id(9));
        StreamValue copy = StreamValue.Create(Store, Limits);
        StreamNodeEnumerator nodes = Open("s").Nodes();
        while (nodes.MoveNext())
        {
            Assert.True(copy.TryAppendNode(nodes.Id, nodes.Bytes));
            Assert.False(copy.TryAppendNode(nodes.Id, nodes.Bytes));
        }

        copy.SetHistory(20, Id(9));
        copy.SetLastId(Id(20));
        Assert.Equal(StreamModel.Describe(Open("s")), StreamModel.Describe(copy));
        Assert.Null(copy.FindFault());
        copy.InsertAs(Db, K("copy"));
        copy.Dispose();
        Assert.Equal(Nodes("s"), Nodes("copy"));
    }

    [Fact]
    public void Ranges_go_both_ways_and_end_where_they_are_told()
    {
        Limits = StreamLimits.From(0, 4);
        MakeNumbered("s", 30);
        Assert.Equal(["9-0 f=v9", "10-0 f=v10", "11-0 f=v11"], Entries(Open("s"), Id(8, 1), Id(11), forward: true));
        Assert.Equal(["11-0 f=v11", "10-0 f=v10", "9-0 f=v9"], Entries(Open("s"), Id(8, 1), Id(11, 7), forward: false));
        Assert.Equal(30, Entries(Open("s"), StreamId.Min, StreamId.Max, forward: false).Count);
        Assert.Empty(Entries(Open("s"), Id(8, 1), Id(8, 9), forward: true));
        Assert.Empty(Entries(Open("s"), Id(31), StreamId.Max, forward: true));
        Assert.Empty(Entries(Open("s"), StreamId.Min, Id(0, 9), forward: false));
        Assert.True(Open("s").Contains(Id(30)));
        Assert.False(Open("s").Contains(Id(30, 1)));
    }

    [Theory]
    [InlineData(4, 3, false)]
    [InlineData(4, 0, true)]
    [InlineData(5, 3, true)]
    public void What_has_only_deleted_entries_left_is_freed(ulong minId, long removed, bool approximate)
    {
        Limits = StreamLimits.From(0, 4);
        MakeNumbered("s", 8);
        Assert.True(Open("s").Delete(Id(4)));
        Assert.Equal(removed, Open("s").TrimBefore(Id(minId), approximate, 0));
        Assert.Equal(removed == 0 ? 2 : 1, Open("s").NodeCount);
        Assert.Equal(removed == 0 ? Id(1) : Id(5), Open("s").FirstId);
        Assert.Equal(Id(4), Open("s").MaxDeletedId);
    }

    [Fact]
    public void An_empty_stream_keeps_its_last_id()
    {
        MakeNumbered("s", 3);
        Assert.True(Open("s").Delete(Id(2)));
        Assert.False(Open("s").Delete(Id(2)));
        Assert.True(Open("s").Delete(Id(3)));
        Assert.True(Open("s").Delete(Id(1)));
        Assert.Equal((0, 0, Id(3), StreamId.Min), (Open("s").Length, Open("s").NodeCount, Open("s").LastId, Open("s").FirstId));
        Assert.False(Open("s").TryGetEnd(first: true, out _));
        Append("s", Id(3, 1), "f", "v");
        Assert.Equal(Id(3, 1), Open("s").FirstId);
        Assert.Null(Open("s").FindFault());
    }

    [Fact]
    public void Trimming_many_nodes_at_once_leaves_a_sound_tree()
    {
        Limits = StreamLimits.From(0, 2);
        MakeNumbered("s", 6000);
        Assert.True(Open("s").CountTreeNodes() > 90);
        StreamValue share = Open("s").Share();
        string before = StreamModel.Describe(share);
        Assert.Equal(1, Open("s").TrimToLength(5999, approximate: false, 0));
        Assert.Equal(0, Open("s").TrimToLength(5999, approximate: true, 0));
        Assert.Equal(99, Open("s").TrimBefore(Id(5000), approximate: true, limit: 100));
        foreach (long length in (long[])[3000, 1111, 64, 3])
        {
            Open("s").TrimToLength(length, approximate: false, 0);
            Assert.Null(Open("s").FindFault());
            Assert.Equal((length, Id((ulong)(6001 - length))), (Open("s").Length, Open("s").FirstId));
        }

        Assert.Equal(3, Open("s").TrimBefore(StreamId.Max, approximate: false, 0));
        Assert.Null(Open("s").FindFault());
        Assert.Equal(before, StreamModel.Describe(share));
        share.Dispose();
    }

    [Fact]
    public void A_long_entry_has_a_node_of_its_own()
    {
        Make("s");
        Append("s", Id(1), "f", "short");
        Append("s", Id(2), "f", new string('x', 100_000));
        Append("s", Id(3), "f", "short");
        Assert.Equal(3, Open("s").NodeCount);
        Assert.Equal("3-0 f=short", Entries("s")[2]);
        Assert.True(Open("s").Delete(Id(2)));
        Assert.Equal(2, Open("s").NodeCount);
    }

    [Fact]
    public void What_is_too_large_is_refused()
    {
        Make("s");
        Assert.False(Open("s").TryAppend(Id(1), new TooMuch()));
        Assert.Equal((0, StreamId.Min), (Open("s").Length, Open("s").LastId));
    }

    [Fact]
    public void A_copy_and_its_source_go_their_own_ways()
    {
        MakeWithGroups("s");
        string before = StreamModel.Describe(Open("s"));
        Db.Copy(K("s"), Db, K("copy"));
        Assert.Equal(before, StreamModel.Describe(Open("copy")));
        Append("copy", Id(1000), "f", "v");
        Assert.True(Open("copy").TryFindGroup(B("g"), out StreamGroup group));
        Assert.True(group.RemovePending(Id(7)));
        Assert.True(group.TryFindConsumer(B("c3"), out StreamConsumer consumer));
        Assert.Equal(40, group.RemoveConsumer(consumer.Number));
        Assert.Equal(before, StreamModel.Describe(Open("s")));
        Assert.Equal(159, group.PendingCount);
        string after = StreamModel.Describe(Open("copy"));
        Db.Delete(K("s"));
        Assert.Equal(after, StreamModel.Describe(Open("copy")));
        Assert.Null(Open("copy").FindFault());
    }

    [Fact]
    public void A_large_stream_goes_in_the_background()
    {
        MakeWithGroups("s");
        long before = Store.Reclaimer.FreedObjects;
        Db.Delete(K("s"), lazily: true);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(before + 1, Store.Reclaimer.FreedObjects);
    }

    [Fact]
    public void A_removed_group_leaves_the_others()
    {
        MakeWithGroups("s");
        Assert.True(Open("s").RemoveGroup(B("g")));
        Assert.False(Open("s").RemoveGroup(B("g")));
        Assert.False(Open("s").TryFindGroup(B("g"), out _));
        Assert.True(Open("s").TryFindGroup(B("other"), out _));
        Assert.Equal(1, Open("s").GroupCount);
        Assert.Null(Open("s").FindFault());
    }

    [Fact]
    public void Pending_entries_of_a_file_get_their_consumers_later()
    {
        StreamValue stream = StreamValue.Create(Store, Limits);
        Assert.True(stream.TryAddGroup(B("g"), Id(5), -1));
        Assert.False(stream.TryAddGroup(B("g"), Id(6), 3));
        Assert.True(stream.TryFindGroup(B("g"), out StreamGroup group));
        Assert.True(group.TryAddPending(new StreamPending(Id(2), 10, 1, 0)));
        Assert.True(group.TryAddPending(new StreamPending(Id(1), 20, 3, 0)));
        Assert.False(group.TryAddPending(new StreamPending(Id(1), 20, 3, 0)));
        Assert.NotNull(stream.FindFault());
        Assert.True(group.TryAddConsumer(B("c"), 99, out long number));
        foreach (StreamId id in (StreamId[])[Id(1), Id(2)])
        {
            Assert.True(group.TryGetPending(id, out StreamPending pending));
            Assert.Equal(0, pending.Consumer);
            Assert.True(group.SetPending(pending with { Consumer = number }));
        }

        Assert.Null(stream.FindFault());
        Assert.True(group.TryGetLastPending(out StreamPending last));
        Assert.Equal(new StreamPending(Id(2), 10, 1, number), last);
        stream.Dispose();
    }

    [Fact]
    public void Walks_may_change_the_group_between_two_steps()
    {
        MakeWithGroups("s");
        Assert.True(Open("s").TryFindGroup(B("g"), out StreamGroup group));
        Assert.True(group.TryFindConsumer(B("c1"), out StreamConsumer consumer));
        (long from, long count) = (consumer.Number, consumer.PendingCount);
        Assert.True(group.TryAddConsumer(B("thief"), 0, out long thief));
        StreamId id = StreamId.Min;
        for (int i = 0; group.TryGetPendingFrom(from, id, out StreamPending pending); i++)
        {
            Assert.True(i % 2 == 0 ? group.RemovePending(pending.Id) : group.SetPending(pending with { Consumer = thief }));
            Assert.True(pending.Id.TryGetNext(out id));
        }

        Assert.True(group.TryGetConsumer(thief, out consumer));
        Assert.Equal(count / 2, consumer.PendingCount);
        Assert.True(group.TryFindConsumer(B("c1"), out consumer));
        Assert.Equal(0, consumer.PendingCount);
        Assert.Null(Open("s").FindFault());
    }

    [Fact]
    public void Memory_is_what_the_heap_says()
    {
        Make("other"); // So that the tables of the database exist.
        long before = Heap.UsedBytes;
        MakeWithGroups("s");
        long used = Heap.UsedBytes - before;
        long told = Find("s").MemoryUsage(0);
        Assert.True(Math.Abs(told - used) < used / 20, $"{told} told, {used} used");
    }

    // 200 entries, all pending in five equal parts.
    private void MakeWithGroups(string key)
    {
        Limits = StreamLimits.From(0, 5);
        MakeNumbered(key, 200);
        StreamValue stream = Open(key);
        Assert.True(stream.TryAddGroup(B("g"), Id(200), 200));
        Assert.True(stream.TryAddGroup(B("other"), StreamId.Min, 0));
        Assert.True(stream.TryFindGroup(B("g"), out StreamGroup group));
        for (int i = 0; i < 5; i++)
        {
            Assert.True(group.TryAddConsumer(B("c" + i), 5, out _));
        }

        for (int i = 1; i <= 200; i++)
        {
            Assert.True(group.TryFindConsumer(B("c" + (i % 5)), out StreamConsumer consumer));
            Assert.True(group.TryAddPending(new StreamPending(Id((ulong)i), 7, 1, consumer.Number)));
        }

        Assert.Null(stream.FindFault());
    }

    private List<string> Nodes(string key)
    {
        List<string> all = [];
        StreamNodeEnumerator nodes = Open(key).Nodes();
        while (nodes.MoveNext())
        {
            all.Add($"{nodes.Id.Ms:X}-{nodes.Id.Sequence} {Convert.ToHexString(nodes.Bytes)}");
        }

        return all;
    }

    private readonly struct TooMuch : IStreamFields
    {
        private static readonly byte[] Part = new byte[64 << 20];

        public int Count => 17;

        public ReadOnlySpan<byte> NameAt(int index) => default;

        public ReadOnlySpan<byte> ValueAt(int index) => Part;
    }
}
