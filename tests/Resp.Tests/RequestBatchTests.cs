namespace KvServer.Resp.Tests;

public class RequestBatchTests
{
    [Fact]
    public void Requests_can_be_put_together_argument_by_argument()
    {
        byte[] bytes = "SET key value DEL"u8.ToArray();
        using var batch = new RequestBatch();
        batch.AddArgument(bytes, 0, 3);
        batch.AddArgument(bytes, 4, 3);
        var large = new CountedBulk("large"u8);
        batch.AdoptArgument(large);
        Assert.Equal(0, batch.Count);
        batch.EndRequest(30);
        batch.AddArgument(bytes, 14, 3);
        batch.AddArgument(bytes, bytes.Length, 0);
        batch.EndRequest(12);

        Assert.Equal(2, batch.Count);
        Assert.Equal(42, batch.ConsumedBytes);
        Arguments set = batch.ArgumentsOf(0);
        Assert.Equal(3, set.Count);
        Assert.True(set[0].SequenceEqual("SET"u8));
        Assert.True(set[1].SequenceEqual("key"u8));
        Assert.True(set.IsLarge(2));
        Assert.True(set[2].SequenceEqual("large"u8));
        Arguments del = batch.ArgumentsOf(1);
        Assert.Equal(2, del.Count);
        Assert.True(del[0].SequenceEqual("DEL"u8));
        Assert.True(del[1].IsEmpty);
        batch.Clear();
        Assert.Equal(1, large.Disposals);
    }

    [Fact]
    public void A_copy_outlives_its_source_and_takes_large_bulks_over()
    {
        byte[] bytes = "SET key"u8.ToArray();
        using var source = new RequestBatch();
        using var copies = new RequestBatch();
        var large = new CountedBulk("large"u8);
        source.AddArgument(bytes, 0, 3);
        source.AddArgument(bytes, 4, 3);
        source.AdoptArgument(large);
        source.EndRequest(30);
        copies.AddCopy(source.ArgumentsOf(0)).FirstKey = 1;
        Assert.True(source.ArgumentsOf(0).IsTaken(2));
        Array.Clear(bytes);
        source.Clear();

        Assert.Equal(1, copies.Count);
        Assert.Equal(1, copies[0].FirstKey);
        Arguments set = copies.ArgumentsOf(0);
        Assert.True(set[0].SequenceEqual("SET"u8));
        Assert.True(set[1].SequenceEqual("key"u8));
        Assert.True(set[2].SequenceEqual("large"u8));
        Assert.Equal(0, large.Disposals);
        copies.Trim();
        Assert.Equal(1, large.Disposals);
    }

    [Fact]
    public void A_request_that_was_begun_can_be_dropped()
    {
        byte[] bytes = "GETPING"u8.ToArray();
        using var batch = new RequestBatch();
        batch.AddArgument(bytes, 3, 4);
        batch.EndRequest(14);
        var dropped = new CountedBulk("large"u8);
        batch.AddArgument(bytes, 0, 3);
        batch.AdoptArgument(dropped);
        batch.DropOpenRequest();
        Assert.Equal(1, dropped.Disposals);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.EndRequest(1));
        Assert.Equal(1, batch.Count);
        Assert.True(batch.ArgumentsOf(0)[0].SequenceEqual("PING"u8));

        var cleared = new CountedBulk("large"u8);
        batch.AdoptArgument(cleared);
        batch.Clear();
        batch.DropOpenRequest();
        Assert.Equal(1, cleared.Disposals);
        Assert.Equal(1, dropped.Disposals);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(0, 5)]
    [InlineData(4, 1)]
    [InlineData(5, 0)]
    [InlineData(2, int.MaxValue)]
    public void An_argument_lies_inside_its_array(int offset, int lengthBytes)
    {
        using var batch = new RequestBatch();
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.AddArgument(new byte[4], offset, lengthBytes));
    }

    private sealed class CountedBulk : LargeBulk
    {
        private byte[] _block = [];

        public CountedBulk(ReadOnlySpan<byte> bytes)
            : base(bytes.Length) => Append(bytes);

        public int Disposals { get; private set; }

        protected override Span<byte> Block => _block;

        protected override void Resize(int capacityBytes, int usedBytes) => Array.Resize(ref _block, capacityBytes);

        protected override void Dispose(bool disposing) => Disposals++;
    }
}
