using KvServer.Server.Observability;

namespace KvServer.Server.Tests.Observability;

public class CompilerMemoryTests
{
    private readonly CompilerMemory _memory;
    private readonly List<long> _times = [];
    private long _nowMs;
    private long _methods = 1000;

    public CompilerMemoryTests() => _memory = new CompilerMemory(() => _methods, () => _times.Add(_nowMs));

    [Fact]
    public void It_is_asked_for_four_times_when_nothing_was_compiled_for_a_second()
    {
        GoOn(900);
        _methods++;
        GoOn(60_000);
        Assert.Equal([2000, 4500, 7000, 9500], _times);
    }

    [Fact]
    public void What_is_compiled_later_is_given_back_after_intervals_that_grow()
    {
        List<long> gaps = [];
        for (int i = 0; i < 10; i++)
        {
            int before = _times.Count;
            _methods++;
            GoOn(_nowMs + 1_000_000);
            Assert.Equal(before + 4, _times.Count);
            _methods++; // At once: now the interval counts.
            long last = _times[^1];
            _nowMs = last + 100;
            GoOn(_nowMs + 1_000_000);
            gaps.Add(_times[before + 4] - last);
        }

        Assert.Equal([5000, 20_000, 80_000, 320_000, 600_000, 600_000], gaps[..6]);
    }

    private void GoOn(long untilMs)
    {
        for (; _nowMs <= untilMs; _nowMs += 100)
        {
            _memory.Tick(_nowMs);
        }
    }
}
