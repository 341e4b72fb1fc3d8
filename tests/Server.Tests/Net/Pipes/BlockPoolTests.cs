using System.Buffers;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Tests.Net.Pipes;

public sealed class BlockPoolTests
{
    [Fact]
    public void Blocks_are_used_again()
    {
        using BlockPool pool = new();
        for (int round = 0; round < 100; round++)
        {
            IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, 100).Select(_ => pool.Rent())];
            Assert.Equal(100, blocks.Distinct().Count());
            Assert.All(blocks, static block => Assert.Equal(BlockPool.BlockBytes, block.Memory.Length));
            Array.ForEach(blocks, static block => block.Dispose());
        }

        Assert.Equal(100, pool.BlockCount);
    }

    [Fact]
    public void More_than_a_block_cannot_be_rented()
    {
        using BlockPool pool = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(BlockPool.BlockBytes + 1));
    }

    [Fact]
    public void Trimming_lets_unused_blocks_go_but_not_what_the_thread_keeps()
    {
        using BlockPool pool = new();
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, 1000).Select(_ => pool.Rent())];
        Array.ForEach(blocks, static block => block.Dispose());
        for (int i = 0; i < 20; i++)
        {
            pool.Trim();
        }

        Assert.InRange(pool.BlockCount, 1, 64);
    }

    [Fact]
    public void The_memory_of_a_burst_is_collected_although_nothing_else_allocates()
    {
        using BlockPool pool = new();
        WeakReference burst = RentAndReturn(pool, count: 4096);
        for (int i = 0; i < 20 && burst.IsAlive; i++)
        {
            pool.Trim();
        }

        Assert.False(burst.IsAlive);

        // In a method of its own, so that no local keeps the blocks alive.
        static WeakReference RentAndReturn(BlockPool pool, int count)
        {
            IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, count).Select(_ => pool.Rent())];
            Array.ForEach(blocks, static block => block.Dispose());
            return new WeakReference(blocks[count / 2]);
        }
    }

    [Fact]
    public async Task Several_threads_never_share_a_block()
    {
        using BlockPool pool = new();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() =>
        {
            List<IMemoryOwner<byte>> held = [];
            Random random = new(number);
            for (int i = 0; i < 20_000; i++)
            {
                if (held.Count > 0 && random.Next(2) == 0)
                {
                    IMemoryOwner<byte> last = held[^1];
                    Assert.Equal((byte)number, last.Memory.Span[0]);
                    held.RemoveAt(held.Count - 1);
                    last.Dispose();
                }
                else if (held.Count < 200)
                {
                    IMemoryOwner<byte> block = pool.Rent();
                    block.Memory.Span[0] = (byte)number;
                    held.Add(block);
                }
            }
        })));
    }
}
