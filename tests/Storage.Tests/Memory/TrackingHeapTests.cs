namespace KvServer.Storage.Tests;

public sealed unsafe class TrackingHeapTests
{
    [Fact]
    public void A_block_freed_twice_is_found()
    {
        using var heap = new TrackingHeap();
        byte* block = heap.Allocate(10, HeapTag.Value);
        heap.Free(block, 10, HeapTag.Value);
        Assert.Throws<InvalidOperationException>(() => heap.Free(block, 10, HeapTag.Value));
    }

    [Theory]
    [InlineData(20, HeapTag.Value)]
    [InlineData(10, HeapTag.Entry)]
    public void A_free_with_another_size_or_purpose_is_found(int bytes, HeapTag tag)
    {
        using var heap = new TrackingHeap();
        byte* block = heap.Allocate(10, HeapTag.Value);
        Assert.Throws<InvalidOperationException>(() => heap.Free(block, (nuint)bytes, tag));
        heap.Free(block, 10, HeapTag.Value);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(12)]
    public void A_write_out_of_bounds_is_found(int offset)
    {
        using var heap = new TrackingHeap();
        byte* block = heap.Allocate(12, HeapTag.Value);
        byte old = block[offset];
        block[offset] = 1;
        Assert.Throws<InvalidOperationException>(heap.Verify);
        block[offset] = old;
        heap.Free(block, 12, HeapTag.Value);
    }

    [Fact]
    public void A_write_after_the_free_is_found()
    {
        using var heap = new TrackingHeap();
        byte* block = heap.Allocate(12, HeapTag.Value);
        heap.Free(block, 12, HeapTag.Value);
        block[3] = 1;
        Assert.Throws<InvalidOperationException>(heap.Verify);
        block[3] = 0xDD;
    }

    [Fact]
    public void A_leak_is_told_with_who_asked_for_it()
    {
        using var heap = new TrackingHeap(recordsStacks: true);
        byte* block = heap.Allocate(12, HeapTag.Expiry);
        Assert.Equal(12, heap.LiveBytes);
        Assert.Contains(nameof(A_leak_is_told_with_who_asked_for_it), heap.ReportLeaks(), StringComparison.Ordinal);
        heap.Free(block, 12, HeapTag.Expiry);
        Assert.Equal(0, heap.LiveBytes);
    }
}
