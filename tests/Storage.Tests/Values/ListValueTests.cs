namespace KvServer.Storage.Tests.Values;

/// <summary>Encodings of lists, what they cost, and what copies have in common.</summary>
public sealed class ListValueTests : ListTest
{
    [Fact]
    public void A_list_is_packed_up_to_a_node_and_again_from_half_a_node_down()
    {
        string element = new('x', 100);
        for (int i = 0; i < 79; i++)
        {
            Push("l", i % 2 == 0, element);
        }

        Assert.Equal("listpack", EncodingOf("l"));
        Push("l", false, element);
        Assert.Equal("quicklist", EncodingOf("l"));
        ListValue list = Open("l");
        list.RemoveRange(0, 40);
        list.Settle();
        Assert.Equal("quicklist", EncodingOf("l"));
        list.RemoveEnd(atHead: true);
        list.Settle();
        Assert.Equal("listpack", EncodingOf("l"));
        Assert.Equal(39, Open("l").Count);
        Assert.All(Elements("l"), text => Assert.Equal(element, text));
    }

    [Theory]
    [InlineData(0, 8192, 1)]
    [InlineData(1, 8192, 1)]
    [InlineData(128, 8192, 128)]
    [InlineData(-1, 4096, int.MaxValue)]
    [InlineData(-2, 8192, int.MaxValue)]
    [InlineData(-5, 65536, int.MaxValue)]
    [InlineData(-6, 65536, int.MaxValue)]
    [InlineData(int.MinValue, 65536, int.MaxValue)]
    [InlineData(int.MaxValue, 8192, int.MaxValue)]
    public void Limits_follow_the_configuration(int fill, int nodeBytes, int nodeCount) =>
        Assert.Equal(new ListLimits(nodeBytes, nodeCount, 3), ListLimits.From(fill, 3));

    [Fact]
    public void A_depth_that_leaves_all_nodes_as_they_are_compresses_none() =>
        Assert.Equal(0, ListLimits.From(-2, int.MaxValue).CompressDepth);

    [Fact]
    public void A_copy_shares_all_nodes_until_one_of_the_two_changes()
    {
        MakeTree("l", 2000);
        long before = Heap.UsedBytes;
        Assert.True(Db.Copy(K("l"), Db, K("copy")));
        Assert.InRange(Heap.UsedBytes - before, 1, 400);
        Push("l", true, "new");
        ListValue copy = Open("copy");
        copy.RemoveRange(500, 1000);
        copy.Set(0, B("changed"));
        Assert.Equal(["new", .. Numbered(2000)], Elements("l"));
        Assert.Equal(["changed", .. Numbered(2000)[1..500], .. Numbered(2000)[1500..]], Elements("copy"));
        Assert.InRange(Heap.UsedBytes - before, 1, 12_000);
        Db.Delete(K("l"), lazily: true);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(1000, Elements("copy").Count);
        Assert.Null(Open("copy").FindFault());
    }

    [Fact]
    public void A_large_list_is_freed_in_the_background()
    {
        MakeTree("l", 3000);
        long objects = Store.Reclaimer.FreedObjects;
        Db.Delete(K("l"), lazily: true);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(objects + 1, Store.Reclaimer.FreedObjects);
        MakeTree("l", 3000);
        Set("l", "overwritten");
        Assert.Equal("overwritten", Get("l"));
    }

    [Fact]
    public void Pushes_fill_their_nodes()
    {
        Limits = ListLimits.Default;
        for (int i = 0; i < 20_000; i++)
        {
            Push("l", i % 2 == 0, "element:" + i.ToString("D8", System.Globalization.CultureInfo.InvariantCulture));
        }

        // 18 bytes each: 453 fit a node.
        Assert.InRange(Open("l").NodeCount, 20_000 / 454, 47);
        Assert.InRange(Find("l").MemoryUsage(0), 20_000 * 18, 20_000 * 18 * 1.15);
        Assert.InRange(Find("l").MemoryUsage(5), 20_000 * 17, 20_000 * 20);
    }

    [Fact]
    public void Pushes_and_pops_on_both_ends_reuse_their_room()
    {
        MakeTree("l", 100, nodeCount: 64);
        for (int round = 0; round < 500; round++)
        {
            ListValue list = Open("l");
            for (int i = 0; i < 30; i++)
            {
                list.Push(B("r" + i), round % 2 == 0);
                list.RemoveEnd(round % 2 != 0);
            }

            Assert.Null(list.FindFault());
            Assert.Equal(100, list.Count);
        }

        Assert.InRange(Find("l").MemoryUsage(0), 1, 6000);
    }

    [Fact]
    public void Compressed_nodes_take_less_and_read_the_same()
    {
        string text = new('c', 60);
        Limits = new ListLimits(1024, int.MaxValue, 0);
        Push("plain", false, [.. Enumerable.Repeat(text, 1000)]);
        Limits = new ListLimits(1024, int.MaxValue, 1);
        Push("small", false, [.. Enumerable.Repeat(text, 1000)]);
        Assert.InRange(Find("small").MemoryUsage(0), 1, Find("plain").MemoryUsage(0) / 5);
        Assert.Equal(Elements("plain"), Elements("small"));
        ListValue list = Open("small");
        list.Set(500, B("d"));
        list.Insert(400, B("e"));
        Assert.Equal("d", Text(list[501]));
        Assert.Null(list.FindFault());
        Assert.InRange(Find("small").MemoryUsage(0), 1, Find("plain").MemoryUsage(0) / 5);
    }

    [Fact]
    public void The_ends_of_a_list_that_is_walked_backwards_meet()
    {
        MakeTree("l", 50);
        List<string> backwards = [];
        foreach (PackedElement element in Open("l").Walk(49, 50, forward: false))
        {
            backwards.Add(Text(element));
        }

        backwards.Reverse();
        Assert.Equal(Numbered(50), backwards);
    }

    [Fact]
    public void Sizes_of_nodes_are_what_the_layout_says()
    {
        Assert.Equal(504, ListNode.InnerBytes);
        Assert.Equal(16, ListNode.LeafHeaderBytes);
        Assert.Equal(64, ListState.Bytes);
        Assert.Equal(504, (int)NativeHeap.UsableSize(ListNode.InnerBytes));
    }
}
