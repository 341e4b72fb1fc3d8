using KvServer.Server.Metrics;

namespace KvServer.Server.Tests.Metrics;

public sealed class LoopQuestionTests
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromMilliseconds(100);
    private readonly FakeClock _clock = new();
    private readonly Queue<Action> _loop = new();
    private int _asked;

    [Fact]
    public async Task Whoever_asks_while_an_answer_is_on_its_way_gets_that_one()
    {
        LoopQuestion<int> question = NewQuestion();
        Task<int> first = question.AskAsync();
        _clock.Advance(10_000); // However long the loop is busy.
        Task<int> second = question.AskAsync();
        Assert.Single(_loop);
        _loop.Dequeue()();
        Assert.Equal(1, await first);
        Assert.Equal(1, await second);
    }

    [Fact]
    public async Task An_answer_is_given_again_for_a_moment_only()
    {
        LoopQuestion<int> question = NewQuestion();
        Task<int> first = question.AskAsync();
        _loop.Dequeue()();
        _clock.Advance(99);
        Assert.Equal(1, await question.AskAsync());
        Assert.Empty(_loop);
        _clock.Advance(1);
        Task<int> second = question.AskAsync();
        _loop.Dequeue()();
        Assert.Equal(1, await first);
        Assert.Equal(2, await second);
    }

    [Fact]
    public async Task A_fault_reaches_who_asked_and_not_the_loop()
    {
        LoopQuestion<int> question = new(_loop.Enqueue, () => throw new InvalidDataException("broken"), _clock, FreshFor);
        Task<int> answer = question.AskAsync();
        _loop.Dequeue()();
        await Assert.ThrowsAsync<InvalidDataException>(() => answer);
    }

    private LoopQuestion<int> NewQuestion() => new(_loop.Enqueue, () => ++_asked, _clock, FreshFor);
}
