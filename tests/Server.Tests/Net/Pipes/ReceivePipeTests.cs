using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Tests.Net.Pipes;

/// <summary>What is written comes out in order, whoever waits is woken, and what is read leaves no block behind.</summary>
public sealed class ReceivePipeTests
{
    public static readonly TheoryData<int> Seeds = [.. Enumerable.Range(0, 100)];

    private static readonly byte[] Stream = [.. Enumerable.Range(0, 1_200_000).Select(static i => (byte)(i * 31 >> 3))];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_writes_and_reads_keep_the_bytes_in_order(int seed)
    {
        Random random = new(seed);
        using BlockPool pool = new();
        ReceivePipe pipe = new(pool);
        int written = 0;
        int consumed = 0;
        bool isExamined = true;
        for (int step = 0; step < 60; step++)
        {
            int count = random.Next(4) == 0 ? 0 : random.Next(20_000);
            int percent = random.Next(3) == 0 ? 100 : random.Next(100);
            bool examine = random.Next(2) == 0;
            int added = Math.Min(count, Stream.Length - written);
            pipe.Write(Stream.AsSpan(written, added));
            pipe.Flush();
            written += added;
            isExamined &= added == 0;
            if (!pipe.TryRead(out ReadResult result))
            {
                Assert.True(isExamined);
                continue;
            }

            Assert.True(Stream.AsSpan(consumed, written - consumed).SequenceEqual(result.Buffer.ToArray()));
            int taken = (int)(result.Buffer.Length * percent / 100);
            SequencePosition at = result.Buffer.GetPosition(taken);
            pipe.AdvanceTo(at, examine ? result.Buffer.End : at);
            consumed += taken;
            isExamined = examine || consumed == written;
            Assert.True(consumed < written || pool.FreeCount == pool.BlockCount);
        }

        pipe.Complete();
        Assert.Equal(pool.BlockCount, pool.FreeCount);
    }

    [Fact]
    public void A_reader_that_waits_goes_on_inside_the_flush()
    {
        using BlockPool pool = new();
        ReceivePipe pipe = new(pool);
        string seen = "";
        Task reading = ReadAsync();
        pipe.Write("PING"u8);
        Assert.Equal("", seen);
        pipe.Flush();
        Assert.Equal("PING", seen);
        Assert.True(reading.IsCompletedSuccessfully);

        async Task ReadAsync()
        {
            ReadResult result = await pipe.ReadAsync(TestContext.Current.CancellationToken).ConfigureAwait(false);
            seen = Encoding.ASCII.GetString(result.Buffer.ToArray());
        }
    }

    [Fact]
    public void The_end_is_told_after_the_last_bytes()
    {
        using BlockPool pool = new();
        ReceivePipe pipe = new(pool);
        pipe.Write("x"u8);
        pipe.Flush();
        pipe.EndWriting();
        Assert.True(pipe.TryRead(out ReadResult last));
        Assert.Equal((1, true), (last.Buffer.Length, last.IsCompleted));
        pipe.AdvanceTo(last.Buffer.End);
        Assert.True(pipe.TryRead(out ReadResult end));
        Assert.Equal((0, true), (end.Buffer.Length, end.IsCompleted));
        Assert.Equal(pool.BlockCount, pool.FreeCount);
    }

    [Fact]
    public void Room_that_was_not_used_goes_back()
    {
        using BlockPool pool = new();
        ReceivePipe pipe = new(pool);
        Assert.Equal(BlockPool.BlockBytes, pipe.Room(2048).Length);
        Assert.NotEqual(pool.BlockCount, pool.FreeCount);
        pipe.Flush();
        Assert.Equal(pool.BlockCount, pool.FreeCount);
        Assert.False(pipe.TryRead(out _));
    }

    [Fact]
    public void What_comes_after_the_reader_has_gone_is_thrown_away()
    {
        using BlockPool pool = new();
        ReceivePipe pipe = new(pool);
        pipe.Write("x"u8);
        pipe.Flush();
        pipe.Complete();
        pipe.Write("y"u8);
        pipe.Flush();
        pipe.EndWriting();
        Assert.Equal(pool.BlockCount, pool.FreeCount);
    }
}
