using KvServer.Server.Commands;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

public sealed class NetCommandLoopTests : IDisposable
{
    private readonly TestExecutor _executor = new(new ServerConfig());
    private readonly CommandLoop _loop;

    public NetCommandLoopTests() => _loop = new CommandLoop(_executor.Executor);

    public void Dispose() => _executor.Dispose();

    [Fact]
    public void An_idle_loop_runs_an_entry_at_once_on_the_calling_thread()
    {
        int thread = 0;
        Entry entry = new(() => thread = Environment.CurrentManagedThreadId);
        Assert.True(_loop.Run(entry));
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
        Assert.Equal(0, entry.CompletedCount);
        Assert.False(_loop.IsHeldByCaller);
    }

    [Fact]
    public void Work_posted_from_inside_runs_at_once()
    {
        List<int> order = [];
        Assert.True(_loop.Run(new Entry(() =>
        {
            Assert.True(_loop.IsHeldByCaller);
            order.Add(1);
            _loop.Post(() => order.Add(2));
            order.Add(3);
        })));
        Assert.Equal([1, 2, 3], order);
    }

    [Fact]
    public void What_finds_the_loop_busy_runs_on_the_holder_in_the_order_it_came()
    {
        List<int> order = [];
        List<Entry> queued = [];
        Assert.True(_loop.Run(new Entry(() =>
        {
            Thread other = new(() =>
            {
                for (int i = 0; i < 10; i++)
                {
                    int number = i;
                    Entry entry = new(() => order.Add(number));
                    queued.Add(entry);
                    Assert.False(_loop.Run(entry));
                }
            });
            other.Start();
            other.Join();
            Assert.Empty(order);
        })));
        Assert.Equal(Enumerable.Range(0, 10), order);
        Assert.All(queued, static entry => Assert.Equal(1, entry.CompletedCount));
    }

    [Fact]
    public void After_its_share_of_others_entries_the_holder_passes_the_loop_on()
    {
        int ran = 0;
        int handedOver = 0;
        Assert.True(_loop.Run(new Entry(() =>
        {
            Thread other = new(() =>
            {
                for (int i = 0; i < CommandLoop.MaxForeignEntries + 5; i++)
                {
                    Assert.False(_loop.Run(new Entry(() => ran++)
                    {
                        OnTakeOver = _ =>
                        {
                            handedOver++;
                            return true;
                        },
                    }));
                }
            });
            other.Start();
            other.Join();
        })));
        Assert.Equal(CommandLoop.MaxForeignEntries, ran);
        Assert.Equal(1, handedOver);
        Assert.False(_loop.Run(new Entry(() => ran++))); // Held still: the new holder has not begun.
        _loop.ResumeHolding();
        Assert.Equal(CommandLoop.MaxForeignEntries + 6, ran);
        Assert.True(_loop.Run(new Entry(() => ran++)));
    }

    [Fact]
    public async Task Entries_of_many_threads_never_overlap_and_none_is_lost()
    {
        const int Threads = 8;
        const int EntriesEach = 20_000;
        int inside = 0;
        long total = 0;
        long[] last = new long[Threads];
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                using SemaphoreSlim completed = new(0);
                for (int i = 1; i <= EntriesEach; i++)
                {
                    int number = i;
                    Entry entry = new(() =>
                    {
                        Assert.Equal(1, Interlocked.Increment(ref inside));
                        Assert.Equal(number - 1, last[thread]);
                        last[thread] = number;
                        total++;
                        Interlocked.Decrement(ref inside);
                    })
                    {
                        OnCompleted = () => completed.Release(),
                        OnTakeOver = loop =>
                        {
                            _ = ThreadPool.UnsafeQueueUserWorkItem(static held => held.ResumeHolding(), loop, preferLocal: false);
                            return true;
                        },
                    };
                    if (!_loop.Run(entry))
                    {
                        completed.Wait();
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        Assert.Equal(Threads * EntriesEach, total);
    }

    private sealed class Entry(Action work) : LoopEntry
    {
        public Action? OnCompleted { get; init; }

        public Func<CommandLoop, bool>? OnTakeOver { get; init; }

        public int CompletedCount { get; private set; }

        internal override void Execute(CommandExecutor executor) => work();

        internal override void Completed()
        {
            CompletedCount++;
            OnCompleted?.Invoke();
        }

        internal override bool TakeOver(CommandLoop loop) => OnTakeOver?.Invoke(loop) ?? false;
    }
}
