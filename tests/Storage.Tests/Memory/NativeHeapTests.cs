namespace KvServer.Storage.Tests;

public sealed unsafe class NativeHeapTests
{
    [Fact]
    public void Size_classes_hold_what_they_are_asked_for_and_waste_little()
    {
        nuint last = 0;
        for (nuint bytes = 1; bytes <= NativeHeap.MaxSmallBytes; bytes++)
        {
            nuint usable = NativeHeap.UsableSize(bytes);
            Assert.True(usable >= bytes && usable >= last);
            Assert.Equal(usable, NativeHeap.UsableSize(usable));
            last = usable;
            if (bytes is >= 8 and <= 128)
            {
                Assert.True(usable - bytes < 4);
            }
            else if (bytes is > 128 and <= 512)
            {
                Assert.True(usable - bytes < 8);
            }
            else if (bytes is > 512 and <= 4096)
            {
                Assert.True(usable <= bytes + (bytes / 7));
            }
        }

        Assert.Equal(92u, NativeHeap.UsableSize(92));
    }

    [Fact]
    public void Blocks_never_overlap_and_everything_goes_back()
    {
        using var heap = new NativeHeap();
        var random = new Random(7);
        var live = new List<(nint Block, int Bytes, byte Mark)>();
        for (int round = 0; round < 200_000; round++)
        {
            // Grows for a while, then shrinks, so that slabs and regions come and go.
            bool grows = (round / 40_000) % 2 == 0;
            if (live.Count == 0 || random.Next(10) < (grows ? 7 : 3))
            {
                int bytes = random.Next(20) == 0 ? random.Next(1, 100_000) : random.Next(1, 300);
                byte* block = heap.Allocate((nuint)bytes, HeapTag.Value);
                byte mark = (byte)round;
                new Span<byte>(block, bytes).Fill(mark);
                live.Add(((nint)block, bytes, mark));
            }
            else
            {
                int at = random.Next(live.Count);
                (nint block, int bytes, byte mark) = live[at];
                Assert.Equal(-1, new ReadOnlySpan<byte>((void*)block, bytes).IndexOfAnyExcept(mark));
                heap.Free((byte*)block, (nuint)bytes, HeapTag.Value);
                live[at] = live[^1];
                live.RemoveAt(live.Count - 1);
            }
        }

        Assert.Equal(live.Sum(b => (long)NativeHeap.UsableSize((nuint)b.Bytes)), heap.UsedBytes);
        foreach ((nint block, int bytes, byte mark) in live)
        {
            Assert.Equal(-1, new ReadOnlySpan<byte>((void*)block, bytes).IndexOfAnyExcept(mark));
            heap.Free((byte*)block, (nuint)bytes, HeapTag.Value);
        }

        Assert.Equal(0, heap.UsedBytes);
        Assert.True(heap.PeakBytes > 0);
    }

    [Fact]
    public void Empty_regions_go_back_to_the_system()
    {
        using var heap = new NativeHeap();
        var blocks = new List<nint>();
        for (int i = 0; i < 500_000; i++)
        {
            blocks.Add((nint)heap.Allocate(92, HeapTag.Entry));
        }

        long full = heap.ReservedBytes;
        Assert.InRange(full, 46_000_000, 52_000_000);
        foreach (nint block in blocks)
        {
            heap.Free((byte*)block, 92, HeapTag.Entry);
        }

        Assert.Equal(full, heap.ReservedBytes);
        Trim(heap);
        Assert.InRange(heap.ReservedBytes, 0, 6 * 2 * 1024 * 1024);
    }

    [Fact]
    public void Regions_needed_again_before_the_next_trim_stay()
    {
        using var heap = new NativeHeap();
        var blocks = new List<nint>();
        long mapped = 0;
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 200; i++)
            {
                blocks.Add((nint)heap.Allocate(NativeHeap.MaxSmallBytes, HeapTag.Value));
            }

            mapped = round == 0 ? heap.RegionsMapped : mapped;
            blocks.ForEach(block => heap.Free((byte*)block, NativeHeap.MaxSmallBytes, HeapTag.Value));
            blocks.Clear();
            heap.TrimRegions();
        }

        Assert.Equal(mapped, heap.RegionsMapped);
    }

    [Fact]
    public void An_empty_slab_serves_another_class()
    {
        using var heap = new NativeHeap();
        for (int size = 8; size <= 512; size += 8)
        {
            var blocks = new List<nint>();
            for (int i = 0; i < 20_000; i++)
            {
                blocks.Add((nint)heap.Allocate((nuint)size, HeapTag.Entry));
            }

            foreach (nint block in blocks)
            {
                heap.Free((byte*)block, (nuint)size, HeapTag.Entry);
            }
        }

        Trim(heap);
        Assert.InRange(heap.ReservedBytes, 0, 16 * 1024 * 1024);
    }

    [Fact]
    public void Blocks_freed_by_other_threads_come_back_in_bounded_portions()
    {
        using var heap = new NativeHeap();
        var random = new Random(3);
        for (int round = 0; round < 5; round++)
        {
            var blocks = new List<(nint Block, nuint Bytes)>();
            for (int i = 0; i < 200_000; i++)
            {
                nuint bytes = (nuint)random.Next(8, 200);
                blocks.Add(((nint)heap.Allocate(bytes, HeapTag.Entry), bytes));
            }

            var threads = new List<Thread>();
            for (int part = 0; part < 3; part++)
            {
                int mine = part;
                threads.Add(new Thread(() =>
                {
                    for (int i = mine; i < blocks.Count; i += 4)
                    {
                        heap.Free((byte*)blocks[i].Block, blocks[i].Bytes, HeapTag.Entry, FreeFrom.Background);
                    }
                }));
            }

            threads.ForEach(thread => thread.Start());

            // Meanwhile the command loop frees, allocates and drains.
            for (int i = 3; i < blocks.Count; i += 4)
            {
                heap.Free((byte*)blocks[i].Block, blocks[i].Bytes, HeapTag.Entry);
                if (i % 64 == 3)
                {
                    heap.DrainRemoteFrees(2);
                }
            }

            threads.ForEach(thread => thread.Join());
            Assert.Equal(0, heap.UsedBytes);
            while (heap.DrainRemoteFrees(3))
            {
            }

            Assert.False(heap.HasRemoteFrees);
        }

        Trim(heap);
        Assert.InRange(heap.ReservedBytes, 0, 24 * 1024 * 1024);
    }

    [Fact]
    public void A_drain_takes_back_as_many_slabs_as_asked()
    {
        using var heap = new NativeHeap();
        var blocks = new List<nint>();
        for (int i = 0; i < 64 * 1024; i++)
        {
            blocks.Add((nint)heap.Allocate(64, HeapTag.Entry));
        }

        long full = heap.ReservedBytes;
        var thread = new Thread(() =>
        {
            foreach (nint block in blocks)
            {
                heap.Free((byte*)block, 64, HeapTag.Entry, FreeFrom.Background);
            }
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, heap.UsedBytes);
        Assert.Equal(full, heap.ReservedBytes);
        Assert.True(heap.DrainRemoteFrees(30));
        Assert.True(heap.DrainRemoteFrees(30));
        Assert.False(heap.DrainRemoteFrees(30));
        Trim(heap);
        Assert.InRange(heap.ReservedBytes, 0, full);
    }

    [Fact]
    public void A_slab_emptied_from_both_sides_hands_out_each_block_once()
    {
        using var heap = new NativeHeap();
        for (int round = 0; round < 3; round++)
        {
            var blocks = new List<nint>();
            for (int i = 0; i < 700; i++)
            {
                blocks.Add((nint)heap.Allocate(92, HeapTag.Entry));
            }

            Assert.Equal(700, blocks.Distinct().Count());
            for (int i = 0; i < blocks.Count; i++)
            {
                heap.Free((byte*)blocks[i], 92, HeapTag.Entry, i < 300 ? FreeFrom.CommandLoop : FreeFrom.Background);
            }

            heap.DrainRemoteFrees(int.MaxValue);
            Assert.Equal(0, heap.UsedBytes);
        }
    }

    [Theory]
    [InlineData(100, 200)]
    [InlineData(200, 100)]
    [InlineData(100, 100_000)]
    [InlineData(100_000, 100)]
    [InlineData(100_000, 400_000)]
    [InlineData(400_000, 100_000)]
    public void Changing_the_size_keeps_the_bytes(int from, int to)
    {
        using var heap = new NativeHeap();
        byte* block = heap.Allocate((nuint)from, HeapTag.Value);
        for (int i = 0; i < from; i++)
        {
            block[i] = (byte)(i * 7);
        }

        block = heap.Reallocate(block, (nuint)from, (nuint)to, HeapTag.Value);
        for (int i = 0; i < Math.Min(from, to); i++)
        {
            Assert.Equal((byte)(i * 7), block[i]);
        }

        Assert.Equal((long)NativeHeap.UsableSize((nuint)to), heap.UsedBytesOf(HeapTag.Value));
        heap.Free(block, (nuint)to, HeapTag.Value);
        Assert.Equal(0, heap.UsedBytes);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(16_384)]
    [InlineData(1 << 20)]
    public void Tables_are_zero_even_when_the_memory_was_used_before(int bytes)
    {
        using var heap = new NativeHeap();
        for (int i = 0; i < 3; i++)
        {
            byte* table = heap.AllocateTable((nuint)bytes);
            Assert.Equal(-1, new ReadOnlySpan<byte>(table, bytes).IndexOfAnyExcept((byte)0));
            new Span<byte>(table, bytes).Fill(0xFF);
            heap.FreeTable(table, (nuint)bytes, FreeFrom.CommandLoop);
        }

        Assert.Equal(0, heap.UsedBytes);
    }

    // What the cron does over a few ticks.
    private static void Trim(NativeHeap heap)
    {
        for (int i = 0; i < 20; i++)
        {
            heap.TrimRegions();
        }
    }
}
