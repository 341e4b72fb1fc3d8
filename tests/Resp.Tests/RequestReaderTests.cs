using System.Buffers;
using System.IO.Pipelines;
using KvServer.Fuzz;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class RequestReaderTests
{
    [Theory]
    [RespSplits("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")]
    [RespSplits("GET k\r\n")]
    [RespSplits("  GET\t 'k' \n")]
    [RespSplits("\"G\\x45T\" k\r\n")]
    public void A_request_reads_the_same_however_its_bytes_arrive(ReadOnlySequence<byte> bytes) =>
        Assert.Equal(["GET", "k"], ReadSingle(bytes));

    [Theory]
    [RespSplits("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\n0123\r\n6789ab\r\n*1\r\n$4\r\nPING\r\n")]
    [RespSplits("SET k \"0123\\r\\n6789ab\"\r\n\r\n*0\r\nPING\n")]
    [RespSplits("*-1\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\n0123\r\n6789ab\r\nPING\r\n")]
    public void A_pipeline_reads_the_same_however_its_bytes_arrive(Arrival arrival)
    {
        ReadOutcome outcome = arrival.Read(ProtocolLimits.Default);
        Assert.Equal([["SET", "k", "0123\r\n6789ab"], ["PING"]], outcome.Strings());
        Assert.Equal(ProtocolErrorKind.None, outcome.Error.Kind);
    }

    [Theory]
    [RespSplits("PING\r\n*1\r\n+4\r\nPING\r\n")]
    [RespSplits("*1\r\n$4\r\nPING\r\n*1\r\n+4\r\n")]
    public void An_error_comes_after_the_requests_before_it(Arrival arrival)
    {
        ReadOutcome outcome = arrival.Read(ProtocolLimits.Default);
        Assert.Equal([["PING"]], outcome.Strings());
        Assert.Equal(new ProtocolError(ProtocolErrorKind.ExpectedBulk, (byte)'+'), outcome.Error);
    }

    [Fact]
    public void Empty_arguments_are_arguments() =>
        Assert.Equal([["", "", "a"]], Read("*3\r\n$0\r\n\r\n$0\r\n\r\n$1\r\na\r\n").Strings());

    [Fact]
    public void The_bytes_behind_a_bulk_string_and_a_length_are_skipped_unseen() =>
        Assert.Equal([["PING"], ["PING"]], Read("*1\rX$4\rYPINGZZ*1\r\n$4\r\nPING\r\n").Strings());

    [Theory]
    [InlineData("*0\r\n")]
    [InlineData("*-1\r\n")]
    [InlineData("*-100\r\n")]
    [InlineData("\r\n")]
    [InlineData("\n")]
    [InlineData("   \t \r\n")]
    [InlineData("\r\r\n")]
    public void Empty_requests_are_skipped(string empty) =>
        Assert.Equal([["PING"]], Read(empty + "PING\r\n").Strings());

    [Fact]
    public void An_incomplete_request_stays_unread_until_its_end_arrives()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Bytes("PING\r\n*2\r\n$3\r\nGET\r\n$1\r\n"));
        Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
        Assert.Equal(1, batch.Count);
        Assert.Equal("*2\r\n$3\r\nGET\r\n$1\r\n", Text(unread.ToArray()));
        Assert.Equal(unread.Length, reader.PendingBytes);
        batch.Clear();

        unread = new ReadOnlySequence<byte>(Bytes("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"));
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(["GET", "k"], Strings(batch, 0));
        Assert.Equal(0, reader.PendingBytes);
        Assert.True(unread.IsEmpty);
    }

    [Fact]
    public void No_bytes_are_complete()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        ReadOnlySequence<byte> unread = default;
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void An_argument_in_one_segment_is_not_copied()
    {
        byte[] bytes = Bytes("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n");
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(bytes);
        reader.ReadAll(ref unread, batch);
        Assert.True(batch.ArgumentsOf(0)[1].Overlaps(bytes));
    }

    [Fact]
    public void A_batch_ends_at_its_bound_and_the_next_call_goes_on()
    {
        byte[] bytes = Bytes(string.Concat(Enumerable.Repeat("PING\r\n", ProtocolLimits.BatchRequests + 5)));
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(bytes);
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.True(batch.IsFull);
        Assert.Equal(ProtocolLimits.BatchRequests, batch.Count);
        Assert.Equal(5 * 6, unread.Length);
        batch.Clear();
        Assert.False(batch.IsFull);
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(5, batch.Count);
        Assert.False(batch.IsFull);
    }

    [Fact]
    public void A_batch_is_bounded_in_bytes()
    {
        string set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$30000\r\n" + new string('v', 30000) + "\r\n";
        byte[] bytes = Bytes(string.Concat(Enumerable.Repeat(set, 100)));
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(bytes);
        reader.ReadAll(ref unread, batch);
        Assert.True(batch.IsFull);
        Assert.InRange(batch.ConsumedBytes, ProtocolLimits.BatchBytes, ProtocolLimits.BatchBytes + set.Length);
        Assert.Equal(bytes.Length - unread.Length, batch.ConsumedBytes);
    }

    [Fact]
    public void A_full_batch_takes_nothing()
    {
        using var reader = new RequestReader(new ProtocolLimits { BeforeAuthentication = true });
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Bytes("PING\r\nPING\r\n"));
        reader.ReadAll(ref unread, batch);
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(1, batch.Count);
        Assert.Equal(6, unread.Length);
    }

    [Fact]
    public void Requests_join_those_a_batch_holds_already()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var first = new ReadOnlySequence<byte>(Bytes("ECHO a\r\n"));
        var second = new ReadOnlySequence<byte>(Bytes("*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n"));
        reader.ReadAll(ref first, batch);
        reader.ReadAll(ref second, batch);
        Assert.Equal(["ECHO", "a"], Strings(batch, 0));
        Assert.Equal(["ECHO", "b"], Strings(batch, 1));
    }

    [Fact]
    public void Slots_for_the_server_are_empty_in_each_new_batch()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        for (int i = 0; i < 2; i++)
        {
            var unread = new ReadOnlySequence<byte>(Bytes("PING\r\n"));
            reader.ReadAll(ref unread, batch);
            Assert.Null(batch[0].Command);
            Assert.Equal(0UL, batch[0].KeyHash);
            batch[0].Command = "x";
            batch[0].KeyHash = 1;
            batch.Clear();
        }
    }

    [Fact]
    public void A_request_of_a_million_arguments_is_read_in_time_linear_in_its_bytes()
    {
        const int ArgumentCount = 1_000_000;
        byte[] bytes = Bytes($"*{ArgumentCount}\r\n" + string.Concat(Enumerable.Repeat("$5\r\nhello\r\n", ArgumentCount)));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 512));
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        ReadStatus status = ReadStatus.Incomplete;
        for (int at = 0; at < bytes.Length; at += 500)
        {
            pipe.Writer.Write(bytes.AsSpan(at, Math.Min(500, bytes.Length - at)));
            FlushAtOnce(pipe);
            Assert.True(pipe.Reader.TryRead(out ReadResult result));
            ReadOnlySequence<byte> unread = result.Buffer;
            status = reader.ReadAll(ref unread, batch);
            if (status == ReadStatus.Complete)
            {
                Assert.Equal(ArgumentCount, batch.ArgumentsOf(0).Count);
                Assert.Equal("hello", Text(batch.ArgumentsOf(0)[ArgumentCount - 1]));
            }

            pipe.Reader.AdvanceTo(unread.Start, unread.End);
        }

        // 22,000 reads of a buffer of up to 22,000 segments: walking it anew each time would take minutes.
        Assert.Equal(ReadStatus.Complete, status);
    }

    [Fact]
    public void After_an_error_nothing_more_is_read()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Bytes("*x\r\nPING\r\n"));
        Assert.Equal(ReadStatus.ProtocolError, reader.ReadAll(ref unread, batch));
        Assert.Equal(ReadStatus.ProtocolError, reader.ReadAll(ref unread, batch));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void Limits_raised_between_two_batches_hold_for_the_second()
    {
        string twelve = "*12\r\n" + string.Concat(Enumerable.Repeat("$1\r\na\r\n", 12));
        using var reader = new RequestReader(new ProtocolLimits { BeforeAuthentication = true });
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(Bytes("AUTH x\r\n" + twelve));
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.True(batch.IsFull);
        Assert.Equal(["AUTH", "x"], Strings(batch, 0));
        batch.Clear();
        reader.Limits = ProtocolLimits.Default;
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref unread, batch));
        Assert.Equal(12, batch.ArgumentsOf(0).Count);
    }
}
