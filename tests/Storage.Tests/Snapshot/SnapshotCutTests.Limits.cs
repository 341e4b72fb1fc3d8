namespace KvServer.Storage.Tests;

/// <content>Snapshots that are given up, and what may hold up writers or the walker.</content>
public sealed partial class SnapshotCutTests
{
    [Fact]
    public void A_snapshot_that_is_given_up_leaves_nothing_behind_and_the_next_one_is_whole()
    {
        AddMembers(Db, "set", 0, 3000);
        SetLong("long", 'a', 500_000);
        for (int i = 0; i < 500; i++)
        {
            Set("k" + i, "v");
        }

        SnapshotCut first = Store.StartSnapshot(_queue);
        first.WalkUntil(0);
        RemoveMembers("set", 0, 10);
        first.Abort();
        RemoveMembers("set", 10, 10);
        Db.Delete(K("long"));
        while (!first.WalkUntil(0))
        {
        }

        Dictionary<string, string> cut = Describe();
        SnapshotQueue queue = new();
        SnapshotCut second = Store.StartSnapshot(queue);
        RemoveMembers("set", 100, 10);
        Assert.Equal(cut, Finish(second, queue));
    }

    [Fact]
    public void A_store_can_end_in_the_middle_of_a_snapshot()
    {
        AddMembers(Db, "set", 0, 3000);
        SetLong("long", 'a', 500_000);
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        RemoveMembers("set", 0, 10);
        Db.Delete(K("set"));
        Db.Delete(K("long"));
        Store.FlushAll(inBackground: true);
        Assert.False(snapshot.IsFinished);
    }

    [Fact]
    public void A_writer_never_waits_for_a_large_set()
    {
        const int Members = 200_000;
        AddMembers(Db, "set", 0, Members);
        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        RemoveMembers("set", 77, 1);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 600_000);
        Assert.InRange(snapshot.BytesQueued, 0, 2 * SnapshotQueue.ChunkBytes);
        RemoveMembers("set", 1000, 50);
        AddMembers(Db, "set", 1_000_000, 50);
        Db.Delete(K("set"), lazily: true);
        Assert.Equal(cut, Finish(snapshot));
    }

    [Fact]
    public void A_long_string_is_saved_piece_by_piece_before_it_changes()
    {
        SetLong("long", 'a', 1_000_000);
        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        snapshot.WalkUntil(0);
        snapshot.WalkUntil(0);
        Entry entry = Find("long");
        Db.EditString(ref entry, 1_000_000, out Span<byte> bytes, changedFrom: 600_000, changedBytes: 1);
        bytes[600_000] = (byte)'X';
        Assert.InRange(snapshot.BytesQueued, 1, 200_000 + SnapshotQueue.ChunkBytes);
        entry = Find("long");
        Db.EditString(ref entry, 3_000_000, out bytes, changedFrom: 1_000_000, changedBytes: 2_000_000);
        bytes[1_000_000..].Fill((byte)'b');
        Assert.Equal(cut, Finish(snapshot));
        Assert.Equal(3_000_000, Find("long").StringLength);
    }

    [Fact]
    public void The_queue_holds_the_walker_back_and_not_the_writers()
    {
        for (int i = 0; i < 20_000; i++)
        {
            Set("k" + i, new string('v', 100));
        }

        Dictionary<string, string> cut = Describe();
        SnapshotQueue queue = new(limitBytes: 2 * SnapshotQueue.ChunkBytes);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        while (!queue.IsFull)
        {
            Assert.False(snapshot.WalkUntil(0));
        }

        long processed = snapshot.KeysProcessed;
        Assert.False(snapshot.WalkUntil(long.MaxValue));
        Assert.Equal(processed, snapshot.KeysProcessed);
        for (int i = 0; i < 20_000; i++)
        {
            Set("k" + i, "new");
        }

        Assert.Equal(20_000, snapshot.KeysProcessed);
        Assert.Equal(cut, Finish(snapshot, queue));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_snapshot_without_memory_for_its_records_is_given_up_instead_of_losing_some(bool deletes)
    {
        for (int i = 0; i < 80; i++)
        {
            SetValue.InsertSingle(Db, K("set" + i), B(new string('a', 4000)), SetLimits.Default);
            SetValue set = SetValue.Open(Db, Find("set" + i), SetLimits.Default);
            set.Add(B(new string('b', 4000)));
            set.Add(B(new string('c', 4000)));
        }

        int buffersLeft = 1;
        SnapshotQueue queue = new()
        {
            Allocate = bytes => buffersLeft-- > 0 ? new byte[bytes] : throw new OutOfMemoryException(),
        };
        SnapshotCut first = Store.StartSnapshot(queue);
        for (int i = 0; deletes && i < 40; i++)
        {
            Db.Delete(K("set" + i)); // Commands go on: it is not they who have no memory.
        }

        while (!first.WalkUntil(0))
        {
        }

        Assert.True(queue.IsAborted);
        Assert.False(queue.IsCompleted);
        Dictionary<string, string> cut = Describe();
        SnapshotCut second = Store.StartSnapshot(_queue);
        RemoveAny("set70");
        Assert.Equal(cut, Finish(second));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_snapshot_without_memory_for_a_part_is_given_up_and_its_marks_are_set_right(int partsThatFit)
    {
        for (int i = 0; i < 300; i++)
        {
            Set("k" + i, "v");
        }

        AddMembers(Db, "set", 0, 3000);
        AddMembers(Db, "other", 0, 3000);
        SetLong("long", 'a', 300_000);
        SetLong("longer", 'b', 400_000);
        int keys = 0;
        SnapshotQueue queue = new()
        {
            AllocateKey = bytes =>
            {
                int n = keys++;
                return n < partsThatFit || n > partsThatFit + 3 ? new byte[bytes] : throw new OutOfMemoryException();
            },
        };
        SnapshotCut first = Store.StartSnapshot(queue);
        int steps = 0;
        for (; !first.WalkUntil(long.MaxValue); steps++)
        {
            Assert.True(steps < 10);
        }

        Assert.InRange(steps, 1, 4);
        Assert.True(queue.LacksMemory);
        Assert.True(first.IsGivenUp);
        Assert.False(queue.IsCompleted);
        Dictionary<string, string> cut = Describe();
        SnapshotCut second = Store.StartSnapshot(_queue);
        RemoveMembers("set", 7, 10);
        Db.Delete(K("other"));
        Set("k1", "new");
        Assert.Equal(cut, Finish(second));
    }

    [Fact]
    public void A_command_without_memory_for_a_part_changes_nothing_and_the_snapshot_goes_on()
    {
        AddMembers(Db, "set", 0, 3000);
        Dictionary<string, string> cut = Describe();
        bool fails = true;
        SnapshotQueue queue = new(limitBytes: long.MaxValue)
        {
            AllocateKey = bytes => fails ? throw new OutOfMemoryException() : new byte[bytes],
        };
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        Assert.Throws<OutOfMemoryException>(() => RemoveMembers("set", 7, 1));
        fails = false;
        Assert.Equal(cut, Describe());
        RemoveMembers("set", 7, 1);
        Assert.Equal(cut, Finish(snapshot, queue));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_step_hands_over_few_large_values_or_elements(bool areElements)
    {
        const int Bytes = 20_000;
        const int Count = 400;
        for (int i = 0; i < Count; i++)
        {
            string large = new string('v', Bytes) + i;
            if (!areElements)
            {
                Set("k" + i, large);
            }
            else if (i == 0)
            {
                SetValue.InsertSingle(Db, K("set"), B(large), SetLimits.Default);
            }
            else
            {
                SetValue.Open(Db, Find("set"), SetLimits.Default).Add(B(large));
            }
        }

        SnapshotQueue queue = new(limitBytes: long.MaxValue);
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        long before = 0;
        while (!snapshot.WalkUntil(0))
        {
            // Some 64 KB, each value in a chunk of its own, and the rest of a bucket.
            Assert.InRange(queue.QueuedBytes - before, 0, 8 * SnapshotQueue.ChunkBytes);
            before = queue.QueuedBytes;
        }

        Assert.InRange(snapshot.StepsDone, Count * Bytes / (90 * 1024), Count);
    }

    [Fact]
    public void Buffers_for_pieces_of_long_values_go_round()
    {
        SetLong("long", 'a', 5_000_000);
        int allocations = 0;
        SnapshotQueue queue = new()
        {
            Allocate = bytes =>
            {
                allocations++;
                return new byte[bytes];
            },
        };
        SnapshotCut snapshot = Store.StartSnapshot(queue);
        bool isFinished = false;
        while (!isFinished)
        {
            isFinished = snapshot.WalkUntil(0);
            while (queue.QueuedBytes > 0 && queue.TryTake(out SnapshotChunk chunk))
            {
                queue.Return(chunk);
            }
        }

        Assert.InRange(allocations, 1, 4);
    }
}
