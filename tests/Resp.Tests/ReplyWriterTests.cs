using System.Buffers;
using System.IO.Pipelines;
using KvServer.TestSupport;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class ReplyWriterTests
{
    public static TheoryData<string, string, Action<ReplyWriter>> Replies => new()
    {
        { "+OK\r\n", "+OK\r\n", w => w.Ok() },
        { "+QUEUED\r\n", "+QUEUED\r\n", w => w.Queued() },
        { "+PONG\r\n", "+PONG\r\n", w => w.Pong() },
        { "+hello\r\n", "+hello\r\n", w => w.SimpleString("hello"u8) },
        { "-ERR no\r\n", "-ERR no\r\n", w => w.Error("ERR no"u8) },
        { ":0\r\n", ":0\r\n", w => w.Integer(0) },
        { ":-1\r\n", ":-1\r\n", w => w.Integer(-1) },
        { ":1023\r\n", ":1023\r\n", w => w.Integer(1023) },
        { ":1024\r\n", ":1024\r\n", w => w.Integer(1024) },
        { ":-9223372036854775808\r\n", ":-9223372036854775808\r\n", w => w.Integer(long.MinValue) },
        { ":9223372036854775807\r\n", ":9223372036854775807\r\n", w => w.Integer(long.MaxValue) },
        { "$0\r\n\r\n", "$0\r\n\r\n", w => w.BulkString(""u8) },
        { "$3\r\na\r\n\r\n", "$3\r\na\r\n\r\n", w => w.BulkString("a\r\n"u8) },
        { "$2\r\n-7\r\n", "$2\r\n-7\r\n", w => w.BulkString(-7) },
        { "$-1\r\n", "_\r\n", w => w.Null() },
        { "*-1\r\n", "_\r\n", w => w.NullArray() },
        { "*0\r\n", "*0\r\n", w => w.EmptyArray() },
        { "*2000\r\n", "*2000\r\n", w => w.Array(2000) },
        { "*6\r\n", "%3\r\n", w => w.Map(3) },
        { "*3\r\n", "~3\r\n", w => w.Set(3) },
        { "*3\r\n", ">3\r\n", w => w.Push(3) },
        { ":1\r\n", "#t\r\n", w => w.Boolean(true) },
        { ":0\r\n", "#f\r\n", w => w.Boolean(false) },
        { "$5\r\n3.141\r\n", ",3.141\r\n", w => w.Double(3.141) },
        { "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n", w => w.Double(0.1) },
        { "$3\r\ninf\r\n", ",inf\r\n", w => w.Double(double.PositiveInfinity) },
        { "$4\r\n-inf\r\n", ",-inf\r\n", w => w.Double(double.NegativeInfinity) },
        { "$5\r\n1e+17\r\n", ",1e+17\r\n", w => w.Double(1e17) },
        { "$20\r\n12345678901234567890\r\n", "(12345678901234567890\r\n", w => w.BigNumber("12345678901234567890"u8) },
        { "$5\r\na\nb c\r\n", "=9\r\ntxt:a\nb c\r\n", w => w.Verbatim("a\nb c"u8, "txt"u8) },
        { "$1\r\na\r\n", "=5\r\nmd :a\r\n", w => w.Verbatim("a"u8, "md"u8) },
    };

    [Theory]
    [MemberData(nameof(Replies), DisableDiscoveryEnumeration = true)]
    public void A_reply_is_spelled_for_its_protocol(string resp2, string resp3, Action<ReplyWriter> write)
    {
        Assert.Equal(resp2, Written(write, protocol: 2));
        Assert.Equal(resp3, Written(write, protocol: 3));
    }

    [Fact]
    public void Attributes_come_before_their_reply() =>
        Assert.Equal("|1\r\n$1\r\nk\r\n:1\r\n+OK\r\n", Written(w =>
        {
            w.Attribute(1);
            w.BulkString("k"u8);
            w.Integer(1);
            w.Ok();
        }, protocol: 3));

    [Theory]
    [InlineData("ERR a\r\nb", "-ERR a  b\r\n")]
    [InlineData("ERR a\r\n", "-ERR a\r\n")]
    [InlineData("\nERR\na", "-ERR a\r\n")]
    public void Line_ends_in_an_error_become_spaces(string text, string reply) =>
        Assert.Equal(reply, Written(w => w.Error(Bytes(text))));

    [Fact]
    public void User_bytes_in_an_error_cannot_break_out_of_it()
    {
        Assert.Equal("-ERR unknown command 'FOO  +OK  '\r\n",
            Written(w => w.Error("ERR unknown command '"u8, "FOO\r\n+OK\r\n"u8, "'"u8)));
        Assert.Equal("-ERR " + new string('a', 2000) + "  b\r\n",
            Written(w => w.Error("ERR "u8, Bytes(new string('a', 2000) + "\r\nb"), ""u8)));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(5000)]
    [InlineData(3_000_000)]
    public void A_long_bulk_string_goes_over_several_segments(int length)
    {
        byte[] value = new byte[length];
        new Random(1).NextBytes(value);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 4096));
        using var writer = new ReplyWriter(pipe.Writer);
        writer.Ok();
        writer.BulkString(value);
        writer.BulkStringHeader(length);
        writer.Raw(value);
        writer.BulkStringEnd();
        writer.Commit();
        FlushAtOnce(pipe);
        Assert.True(pipe.Reader.TryRead(out ReadResult result));
        string bulk = $"${length}\r\n{Text(value)}\r\n";
        Assert.Equal("+OK\r\n" + bulk + bulk, Text(result.Buffer.ToArray()));
        Assert.Equal(result.Buffer.Length, writer.TotalBytesWritten);
    }

    [Fact]
    public void Suppressed_replies_leave_no_byte()
    {
        Assert.Equal("+OK\r\n:3\r\n", Written(w =>
        {
            w.Ok();
            w.Suppressed = true;
            w.Integer(1);
            w.BulkString(new byte[100_000]);
            DeferredAggregate array = w.BeginArray();
            w.BulkString(new byte[50_000]);
            w.End(array, 1);
            Assert.Equal(5, w.TotalBytesWritten);
            w.Suppressed = false;
            w.Integer(3);
        }));
    }

    [Fact]
    public void Bytes_are_counted_before_they_are_committed()
    {
        using var writer = new ReplyWriter(new ArrayBufferWriter<byte>());
        writer.Ok();
        Assert.Equal(5, writer.TotalBytesWritten);
        writer.Commit();
        writer.Integer(1);
        Assert.Equal(9, writer.TotalBytesWritten);
    }

    [Fact]
    public void Output_that_is_no_array_is_written_too()
    {
        var output = new NativeOutput();
        using var writer = new ReplyWriter(output);
        writer.Ok();
        writer.BulkString(new byte[10_000]);
        writer.Commit();
        writer.Integer(7);
        writer.Commit();
        Assert.Equal("+OK\r\n$10000\r\n" + new string('\0', 10_000) + "\r\n:7\r\n", Text([.. output.Bytes]));
    }

    [Fact]
    public void A_deferred_length_is_put_in_front()
    {
        Assert.Equal("+OK\r\n*2\r\n:1\r\n:2\r\n+OK\r\n", Written(w =>
        {
            w.Ok();
            DeferredAggregate array = w.BeginArray();
            w.Integer(1);
            w.Integer(2);
            w.End(array, 2);
            w.Ok();
        }));
        Assert.Equal("*0\r\n", Written(w => w.End(w.BeginArray(), 0)));
    }

    [Theory]
    [InlineData(2, "*4\r\n$1\r\na\r\n*0\r\n$1\r\nb\r\n*2\r\n*1\r\n:1\r\n:2\r\n")]
    [InlineData(3, "%2\r\n$1\r\na\r\n~0\r\n$1\r\nb\r\n*2\r\n>1\r\n:1\r\n:2\r\n")]
    public void Deferred_lengths_nest(int protocol, string reply) =>
        Assert.Equal(reply, Written(w =>
        {
            DeferredAggregate map = w.BeginMap();
            w.BulkString("a"u8);
            w.End(w.BeginSet(), 0);
            w.BulkString("b"u8);
            DeferredAggregate array = w.BeginArray();
            DeferredAggregate push = w.BeginPush();
            w.Integer(1);
            w.End(push, 1);
            w.Integer(2);
            w.End(array, 2);
            w.End(map, 2);
        }, protocol));

    [Fact]
    public void A_long_deferred_array_keeps_its_order()
    {
        string expected = "*100001\r\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $":{i}\r\n"))
            + "$3000000\r\n" + new string('x', 3_000_000) + "\r\n";
        string actual = Written(w =>
        {
            DeferredAggregate array = w.BeginArray();
            for (int i = 0; i < 100_000; i++)
            {
                w.Integer(i);
            }

            w.BulkString(Bytes(new string('x', 3_000_000)));
            w.End(array, 100_001);
        });
        Assert.True(expected == actual);
    }

    [Fact]
    public void What_a_failed_handler_left_open_can_be_abandoned() =>
        Assert.Equal("+OK\r\n-ERR internal error\r\n", Written(w =>
        {
            w.Ok();
            w.BeginArray();
            w.Integer(1);
            w.BeginMap();
            w.AbandonDeferred();
            w.Error("ERR internal error"u8);
        }));

    [Fact]
    public void A_writer_moves_to_another_output()
    {
        var first = new ArrayBufferWriter<byte>();
        var second = new ArrayBufferWriter<byte>();
        using var writer = new ReplyWriter(first);
        writer.Ok();
        writer.Rebind(second);
        writer.Pong();
        writer.Commit();
        Assert.Equal("+OK\r\n", Text(first.WrittenSpan));
        Assert.Equal("+PONG\r\n", Text(second.WrittenSpan));
    }

    [Fact]
    public void Steady_state_allocates_nothing()
    {
        var pipe = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0));
        using var writer = new ReplyWriter(pipe.Writer) { Protocol = 3 };
        byte[] value = new byte[300];
        Assert.Equal(0, Allocations.LeastOf(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                writer.Ok();
                writer.BulkString(value);
                writer.Integer(123456789);
                writer.Double(1.25);
                writer.Null();
                writer.Error("ERR x "u8, "a\r\n"u8, "b"u8);
                DeferredAggregate array = writer.BeginArray();
                writer.BulkString(value);
                writer.End(array, 1);
                writer.Commit();
                FlushAtOnce(pipe);
                pipe.Reader.TryRead(out ReadResult result);
                pipe.Reader.AdvanceTo(result.Buffer.End);
            }
        }));
    }

    [Fact]
    public void The_protocol_is_2_or_3()
    {
        using var writer = new ReplyWriter(new ArrayBufferWriter<byte>());
        Assert.Equal(2, writer.Protocol);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Protocol = 4);
    }

    private sealed class NativeOutput : IBufferWriter<byte>
    {
        private readonly Memory _memory = new();

        public List<byte> Bytes { get; } = [];

        public void Advance(int count) => Bytes.AddRange(_memory.Array.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _memory.Memory;

        public Span<byte> GetSpan(int sizeHint = 0) => _memory.Array;

        private sealed class Memory : MemoryManager<byte>
        {
            public byte[] Array { get; } = new byte[1000];

            public override Span<byte> GetSpan() => Array;

            public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

            public override void Unpin()
            {
            }

            protected override void Dispose(bool disposing)
            {
            }
        }
    }
}
