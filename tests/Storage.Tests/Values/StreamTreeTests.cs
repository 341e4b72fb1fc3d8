using StreamIdTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamIdSlot, KvServer.Storage.StreamId, KvServer.Storage.StreamIdSlot>;

namespace KvServer.Storage.Tests.Values;

/// <summary>The ordered map behind streams, with trees of several levels, shared and not.</summary>
public sealed unsafe class StreamTreeTests : StoreTest
{
    private const long Bound = 1 << 20;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 400)]
    [InlineData(3, 3)]
    public void A_tree_is_what_a_sorted_set_is(int seed, int shareEvery)
    {
        Random random = new(seed);
        SortedSet<StreamId> expected = [];
        byte* root = null;
        byte* shared = null;
        StreamId[]? sharedIds = null;
        StreamIdTree tree = new(Heap, &root);
        for (int step = 0; step < 40_000; step++)
        {
            bool grows = step / 10_000 % 2 == 0;
            StreamId id = new((ulong)random.NextInt64(Bound), 0);
            if (grows && random.Next(2) == 0)
            {
                id = new StreamId((ulong)(Bound + step), 0); // Behind all others.
            }

            if (!grows && expected.Count > 0)
            {
                // In rows, so that nodes become empty.
                id = expected.GetViewBetween(id, StreamId.Max).FirstOrDefault(expected.Min);
            }

            Assert.Equal(expected.Contains(id), tree.Find(id) != null);
            if (grows && expected.Add(id))
            {
                Assert.Equal(id, tree.Insert(new StreamIdSlot { Id = id })->Id);
            }
            else if (!grows)
            {
                Assert.Equal(expected.Remove(id), tree.Remove(id));
            }

            if (step % 1000 == 999)
            {
                Check(tree, expected);
                CheckSeek(tree, expected, new StreamId((ulong)random.NextInt64(2 * Bound), 0));
            }

            if (shareEvery > 0 && step % shareEvery == 0)
            {
                if (sharedIds is not null)
                {
                    CheckAll(shared, sharedIds);
                }

                // Looked at only where that is not done all the time.
                StreamIdTree.Release(Heap, shared, FreeFrom.CommandLoop);
                shared = StreamIdTree.Share(root);
                sharedIds = shareEvery > 100 ? [.. expected] : null;
            }
        }

        StreamIdTree.Release(Heap, shared, FreeFrom.CommandLoop);
        tree.Clear();
        Assert.True(root == null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_comes_before_a_place_goes_at_once(bool isShared)
    {
        for (int kept = 1; kept < 5000; kept = (kept * 3) + 1)
        {
            byte* root = null;
            StreamIdTree tree = new(Heap, &root);
            SortedSet<StreamId> expected = [];
            for (int i = 0; i < 5000; i++)
            {
                expected.Add(new StreamId((ulong)i, 0));
                tree.Insert(new StreamIdSlot { Id = new StreamId((ulong)i, 0) });
            }

            StreamId[] before = [.. expected];
            byte* shared = isShared ? StreamIdTree.Share(root) : null;
            StreamTreePath path = default;
            StreamId first = new((ulong)(5000 - kept), 0);
            Assert.True(tree.Seek(first, ref path));
            tree.Own(ref path);
            tree.RemoveBefore(ref path);
            expected = expected.GetViewBetween(first, StreamId.Max);
            Check(tree, expected);
            CheckAll(shared, isShared ? before : []);
            StreamIdTree.Release(Heap, shared, FreeFrom.CommandLoop);
            tree.Clear();
        }
    }

    [Fact]
    public void What_is_added_at_the_end_fills_its_nodes()
    {
        byte* root = null;
        StreamIdTree tree = new(Heap, &root);
        for (int i = 0; i < 30 * 30 * 3; i++)
        {
            tree.Insert(new StreamIdSlot { Id = new StreamId((ulong)i, 0) });
        }

        Assert.InRange(StreamIdTree.NodesOf(root, out long bytes), 94, 96);
        Assert.InRange(bytes, 30 * 30 * 3 * 16, 30 * 30 * 3 * 19);
        tree.Clear();
    }

    private static void Check(StreamIdTree tree, SortedSet<StreamId> expected)
    {
        Assert.Null(tree.FindFault(out long slots));
        Assert.Equal(expected.Count, slots);
        StreamTreePath path = default;
        bool isThere = tree.SeekEnd(first: false, ref path);
        foreach (StreamId id in expected.Reverse())
        {
            Assert.True(isThere);
            Assert.Equal(id, StreamIdTree.SlotOf(ref path)->Id);
            isThere = StreamIdTree.Step(ref path, forward: false);
        }

        Assert.False(isThere);
    }

    private static void CheckSeek(StreamIdTree tree, SortedSet<StreamId> expected, StreamId id)
    {
        StreamTreePath path = default;
        StreamId[] next = [.. expected.GetViewBetween(id, StreamId.Max).Take(1)];
        Assert.Equal(next, tree.Seek(id, ref path) ? [StreamIdTree.SlotOf(ref path)->Id] : []);
        StreamId[] previous = [.. expected.GetViewBetween(StreamId.Min, id).Reverse().Take(1)];
        Assert.Equal(previous, tree.SeekBack(id, ref path) ? [StreamIdTree.SlotOf(ref path)->Id] : []);
    }

    private void CheckAll(byte* root, StreamId[] expected)
    {
        StreamIdTree tree = new(Heap, &root);
        StreamTreePath path = default;
        int count = 0;
        for (bool isThere = tree.SeekEnd(first: true, ref path); isThere; isThere = StreamIdTree.Step(ref path, forward: true))
        {
            Assert.Equal(expected[count], StreamIdTree.SlotOf(ref path)->Id);
            count++;
        }

        Assert.Equal(expected.Length, count);
    }
}
