using System.Buffers;
using KvServer.Fuzz;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class LargeBulkTests
{
    private static readonly byte[] Value = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7))];

    private static byte[] Request(params byte[][] arguments) => RequestFuzz.WriteMultibulk([arguments]);

    [Theory]
    [InlineData(ArrivalKind.Segments, 100_000)]
    [InlineData(ArrivalKind.GrowingArray, 16_000)]
    [InlineData(ArrivalKind.GrowingSegments, 16_000)]
    [InlineData(ArrivalKind.GrowingSegments, 1)]
    [InlineData(ArrivalKind.Pipe, 1000)]
    [InlineData(ArrivalKind.NativeSegments, 777)]
    public void A_large_bulk_reads_the_same_however_it_arrives(ArrivalKind kind, int pieceBytes)
    {
        byte[] bytes = [.. Request("MSET"u8.ToArray(), "a"u8.ToArray(), Value[..40_000], "b"u8.ToArray(), Value[..33_000],
            "c"u8.ToArray(), Value[..32_768]), .. "PING\r\n"u8];
        IEnumerable<int> cuts = Enumerable.Range(1, bytes.Length / pieceBytes).Select(i => i * pieceBytes);
        ReadOutcome outcome = new Arrival(bytes, cuts, kind).Read(ProtocolLimits.Default);
        Assert.Equal(2, outcome.Requests.Count);
        Assert.Equal(7, outcome.Requests[0].Length);
        Assert.Equal("a", Text(outcome.Requests[0][1]));
        Assert.Equal(Value[..40_000], outcome.Requests[0][2]);
        Assert.Equal("b", Text(outcome.Requests[0][3]));
        Assert.Equal(Value[..33_000], outcome.Requests[0][4]);
        Assert.Equal("c", Text(outcome.Requests[0][5]));
        Assert.Equal(Value[..32_768], outcome.Requests[0][6]);
    }

    [Fact]
    public void Its_bytes_leave_the_receive_buffer_as_they_arrive()
    {
        byte[] bytes = Request("SET"u8.ToArray(), "k"u8.ToArray(), Value);
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(bytes, 0, 50_000);
        Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
        Assert.True(unread.IsEmpty);
        Assert.Equal(50_000, reader.PendingBytes);

        unread = new ReadOnlySequence<byte>(bytes, 50_000, bytes.Length - 50_000);
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal("k", Text(batch.ArgumentsOf(0)[1]));
        Assert.Equal(Value, batch.ArgumentsOf(0)[2].ToArray());
        Assert.Equal(0, reader.PendingBytes);
    }

    [Fact]
    public void Pending_bytes_count_each_byte_of_the_incomplete_request_once()
    {
        byte[] bytes = Request("MSET"u8.ToArray(), "a"u8.ToArray(), Value, "b"u8.ToArray(), Value);
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        int consumed = 0;
        for (int received = 7_000; received < bytes.Length; received += 7_000)
        {
            var unread = new ReadOnlySequence<byte>(bytes, consumed, received - consumed);
            Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
            consumed = received - (int)unread.Length;
            Assert.Equal(received, reader.PendingBytes);
        }
    }

    [Fact]
    public void A_transport_can_receive_straight_into_its_block()
    {
        byte[] bytes = Request("SET"u8.ToArray(), "k"u8.ToArray(), Value);
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        Assert.True(reader.GetLargeSpan().IsEmpty);
        int start = bytes.Length - Value.Length - 2;
        var unread = new ReadOnlySequence<byte>(bytes, 0, start);
        reader.ReadAll(ref unread, batch);
        int received = start;
        while (!reader.GetLargeSpan().IsEmpty)
        {
            Span<byte> free = reader.GetLargeSpan();
            int count = Math.Min(5000, free.Length);
            bytes.AsSpan(received, count).CopyTo(free);
            reader.AdvanceLarge(count);
            received += count;
        }

        Assert.Equal(bytes.Length - 2, received);
        Assert.Equal(received, reader.PendingBytes);
        unread = new ReadOnlySequence<byte>(bytes, received, 2);
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(Value, batch.ArgumentsOf(0)[2].ToArray());
    }

    [Fact]
    public void Who_takes_it_owns_it()
    {
        var factory = new CountingFactory();
        using var reader = new RequestReader(ProtocolLimits.Default, factory);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Request("SET"u8.ToArray(), Value, Value));
        reader.ReadAll(ref unread, batch);
        Arguments arguments = batch.ArgumentsOf(0);
        Assert.True(arguments.IsLarge(1));
        Assert.False(arguments.IsLarge(0));
        Assert.Null(arguments.TakeLarge(0));
        LargeBulk? taken = arguments.TakeLarge(1);
        Assert.Null(arguments.TakeLarge(1));
        Assert.False(arguments.IsLarge(1));
        Assert.True(arguments[1].IsEmpty);
        batch.Clear();
        Assert.Equal(1, factory.Live);
        Assert.Equal(Value, taken!.Span.ToArray());
        taken.Dispose();
        Assert.Equal(0, factory.Live);
    }

    [Fact]
    public void What_is_left_of_a_broken_or_closed_request_is_disposed()
    {
        byte[] bytes = Request("SET"u8.ToArray(), Value, Value);
        var factory = new CountingFactory();
        using (var reader = new RequestReader(ProtocolLimits.Default, factory))
        {
            using var batch = new RequestBatch();
            var unread = new ReadOnlySequence<byte>(bytes, 0, bytes.Length - 10);
            Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
            Assert.Equal(2, factory.Live);
        }

        Assert.Equal(0, factory.Live);

        using var broken = new RequestReader(ProtocolLimits.Default, factory);
        using var brokenBatch = new RequestBatch();
        byte[] wrong = [.. "*3\r\n"u8, .. Request(Value).AsSpan(4), .. "x\r\n\r\n"u8];
        var wrongBytes = new ReadOnlySequence<byte>(wrong);
        Assert.Equal(ReadStatus.ProtocolError, broken.ReadAll(ref wrongBytes, brokenBatch));
        Assert.Equal(0, factory.Live);
    }

    [Fact]
    public void A_copied_request_takes_it_over()
    {
        var factory = new CountingFactory();
        using var reader = new RequestReader(ProtocolLimits.Default, factory);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Request("SET"u8.ToArray(), "k"u8.ToArray(), Value));
        reader.ReadAll(ref unread, batch);
        OwnedRequest owned = OwnedRequest.From(batch.ArgumentsOf(0));
        batch.Clear();
        Assert.Equal("k", Text(owned.Arguments[1]));
        Assert.Equal(Value, owned.Arguments[2].ToArray());
        owned.Dispose();
        Assert.Equal(0, factory.Live);
    }

    [Fact]
    public void A_block_grows_with_what_arrives_and_not_with_what_is_announced()
    {
        var factory = new CountingFactory();
        using var reader = new RequestReader(ProtocolLimits.Default, factory);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Bytes("*1\r\n$536870912\r\n"));
        Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
        Assert.Equal(0, factory.LargestResize);
        byte[] chunk = new byte[16 * 1024];
        for (int i = 1; i <= 100; i++)
        {
            unread = new ReadOnlySequence<byte>(chunk);
            reader.ReadAll(ref unread, batch);
            Assert.InRange(factory.LargestResize, 1, Math.Max(64 * 1024, 2 * i * chunk.Length));
        }

        Assert.InRange(factory.Resizes, 1, 6);
    }

    [Fact]
    public void More_than_was_announced_is_refused()
    {
        using LargeBulk bulk = PooledLargeBulk.Factory.Instance.Create(100);
        bulk.Append(new byte[99]);
        Assert.Throws<InvalidOperationException>(() => bulk.Append(new byte[2]));
    }

    private sealed class CountingFactory : ILargeBulkFactory
    {
        public int Live { get; set; }

        public int LargestResize { get; set; }

        public int Resizes { get; set; }

        public LargeBulk Create(int lengthBytes)
        {
            Live++;
            return new Bulk(this, lengthBytes);
        }

        private sealed class Bulk(CountingFactory factory, int lengthBytes) : LargeBulk(lengthBytes)
        {
            private byte[] _bytes = [];
            private bool _disposed;

            protected override Span<byte> Block => _bytes;

            protected override void Resize(int capacityBytes, int usedBytes)
            {
                Assert.False(_disposed);
                factory.Resizes++;
                factory.LargestResize = Math.Max(factory.LargestResize, capacityBytes);
                Array.Resize(ref _bytes, capacityBytes);
            }

            protected override void Dispose(bool disposing)
            {
                if (!_disposed)
                {
                    _disposed = true;
                    factory.Live--;
                }
            }
        }
    }
}
