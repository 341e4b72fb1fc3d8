using System.Buffers;
using KvServer.Server.Net;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Tests.Net.Pipes;

/// <summary>What one thread flushes another reads, in order and all of it, and what is read leaves no block behind.</summary>
public sealed class SendPipeTests
{
    public static readonly TheoryData<int> Seeds = [.. Enumerable.Range(0, 100)];

    private static readonly byte[] Stream = [.. Enumerable.Range(0, 4_000_000).Select(static i => (byte)(i * 31 >> 3))];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_writes_and_reads_keep_the_bytes_in_order(int seed)
    {
        Random random = new(seed);
        using BlockPool pool = new();
        SendPipe pipe = new(pool);
        int written = 0;
        int flushed = 0;
        int consumed = 0;
        for (int step = 0; step < 100; step++)
        {
            int count = random.Next(1, 30_000);
            int percent = random.Next(3) == 0 ? 100 : random.Next(100);
            bool flushes = random.Next(3) > 0;
            int added = Math.Min(count, Stream.Length - written);
            pipe.Write(Stream.AsSpan(written, added));
            written += added;
            if (flushes)
            {
                pipe.FlushNow();
                flushed = written;
            }

            Assert.Equal(flushed - consumed, pipe.UnreadBytes);
            ReadOnlySequence<byte> unread = pipe.Unread();
            Assert.Equal(consumed == flushed, unread.IsEmpty);
            Assert.True(Stream.AsSpan(consumed, (int)unread.Length).SequenceEqual(unread.ToArray()));
            int taken = (int)(unread.Length * percent / 100);
            if (taken > 0)
            {
                pipe.Consume(taken);
                consumed += taken;
            }

            Assert.True(taken == 0 || consumed < written || pool.FreeCount == pool.BlockCount);
        }

        pipe.Complete();
        pipe.EndReading();
        Assert.Equal(pool.BlockCount, pool.FreeCount);
    }

    [Fact]
    public void One_system_call_is_offered_no_more_than_it_takes()
    {
        using BlockPool pool = new();
        SendPipe pipe = new(pool);
        pipe.Write(Stream.AsSpan(0, 3_000_000));
        pipe.FlushNow();
        Assert.Equal(64 * BlockPool.BlockBytes, pipe.Unread().Length);
        Assert.Equal(3_000_000, pipe.UnreadBytes);
    }

    [Fact]
    public void A_reply_that_asks_for_more_than_a_block_in_one_piece_gets_it()
    {
        using BlockPool pool = new();
        SendPipe pipe = new(pool);
        pipe.Write("head"u8);
        Span<byte> large = pipe.GetSpan(100_000);
        Assert.True(large.Length >= 100_000);
        Stream.AsSpan(0, 100_000).CopyTo(large);
        pipe.Advance(100_000);
        pipe.Write("tail"u8);
        pipe.FlushNow();
        Assert.True(pipe.Unread().ToArray().AsSpan().SequenceEqual(
            (byte[])[.. "head"u8, .. Stream.AsSpan(0, 100_000), .. "tail"u8]));
        pipe.Consume(pipe.UnreadBytes);
        Assert.Equal(pool.BlockCount, pool.FreeCount);
    }

    [Fact]
    public void Room_that_was_not_used_goes_back()
    {
        using BlockPool pool = new();
        SendPipe pipe = new(pool);
        Assert.Equal(BlockPool.BlockBytes, pipe.GetSpan().Length);
        Assert.NotEqual(pool.BlockCount, pool.FreeCount);
        pipe.FlushNow();
        Assert.Equal(pool.BlockCount, pool.FreeCount);
        pipe.Write("x"u8);
        pipe.FlushNow();
        Assert.Equal(1, pipe.Unread().Length);
    }

    [Fact]
    public async Task A_writer_and_a_reader_on_threads_of_their_own_lose_nothing()
    {
        using BlockPool pool = new();
        SendPipe pipe = new(pool);
        Task writing = Task.Run(
            () =>
            {
                Random random = new(1);
                for (int at = 0; at < Stream.Length;)
                {
                    int count = Math.Min(random.Next(1, random.Next(4) == 0 ? 40_000 : 30), Stream.Length - at);
                    pipe.Write(Stream.AsSpan(at, count));
                    pipe.FlushNow();
                    at += count;
                }

                pipe.Complete();
            },
            TestContext.Current.CancellationToken);
        int read = 0;
        while (read < Stream.Length)
        {
            ReadOnlySequence<byte> unread = pipe.Unread();
            if (unread.IsEmpty)
            {
                Thread.Yield();
                continue;
            }

            foreach (ReadOnlyMemory<byte> piece in unread)
            {
                Assert.True(Stream.AsSpan(read, piece.Length).SequenceEqual(piece.Span));
                read += piece.Length;
            }

            pipe.Consume(unread.Length);
        }

        await writing;
        Assert.Equal(0, pipe.UnreadBytes);
        pipe.EndReading();
    }
}
