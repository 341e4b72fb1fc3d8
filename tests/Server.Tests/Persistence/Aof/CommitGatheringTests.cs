using KvServer.Server.Persistence.Aof;

namespace KvServer.Server.Tests.Persistence.Aof;

/// <summary>Whom a round of the disk waits for, and for how long.</summary>
public class CommitGatheringTests
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(4);

    private readonly FakeClock _clock = new();
    private readonly CommitGathering _gathering;

    public CommitGatheringTests() => _gathering = new CommitGathering(_clock);

    [Fact]
    public void Before_the_first_round_nobody_is_waited_for() => Assert.Equal(0, _gathering.Begin(1));

    [Fact]
    public void A_round_waits_for_those_who_were_answered_and_those_who_came_meanwhile()
    {
        _gathering.NoteRound(waiting: 3, answered: 47, Round);
        Assert.Equal(4, _gathering.Begin(3));
        Assert.False(_gathering.IsOver(49));
        Assert.True(_gathering.IsOver(50));
        _clock.Advance(1);
        Assert.Equal(3, _gathering.GoOn(49));
        Assert.Equal(0, _gathering.GoOn(50));
        _gathering.End();
        Assert.False(_gathering.IsOver(50)); // Nobody is to be woken any more.
    }

    [Fact]
    public void One_client_alone_never_waits()
    {
        for (int i = 0; i < 10; i++)
        {
            _gathering.NoteRound(waiting: 0, answered: 1, Round);
            Assert.Equal(0, _gathering.Begin(1));
        }
    }

    [Fact]
    public void After_waits_in_vain_more_and_more_rounds_begin_at_once()
    {
        List<int> atOnce = [];
        for (int wait = 0; wait < 10; wait++)
        {
            int rounds = 0;
            _gathering.NoteRound(waiting: 1, answered: 1, Round);
            while (_gathering.Begin(1) == 0)
            {
                rounds++;
                _gathering.NoteRound(waiting: 1, answered: 1, Round);
            }

            atOnce.Add(rounds);
            _clock.Advance(4);
            Assert.Equal(0, _gathering.GoOn(1));
            _gathering.End();
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 63, 127, 255, 255], atOnce);
    }

    [Fact]
    public void A_wait_that_was_worth_it_has_the_next_round_wait_again()
    {
        _gathering.NoteRound(waiting: 1, answered: 1, Round);
        Assert.Equal(4, _gathering.Begin(1));
        _clock.Advance(4);
        Assert.Equal(0, _gathering.GoOn(1)); // In vain: the next round begins at once.
        _gathering.End();
        _gathering.NoteRound(waiting: 1, answered: 1, Round);
        Assert.Equal(0, _gathering.Begin(1));
        _gathering.NoteRound(waiting: 1, answered: 1, Round);
        Assert.Equal(4, _gathering.Begin(1));
        Assert.Equal(0, _gathering.GoOn(2));
        _gathering.End();
        _gathering.NoteRound(waiting: 0, answered: 2, Round);
        Assert.Equal(4, _gathering.Begin(1));
    }

    [Fact]
    public void Who_comes_later_than_a_round_would_have_been_is_not_waited_for_again()
    {
        _gathering.NoteRound(waiting: 0, answered: 2, TimeSpan.FromMilliseconds(0.2));
        Assert.Equal(1, _gathering.Begin(1));
        _clock.Advance(1);
        Assert.Equal(0, _gathering.GoOn(2));
        _gathering.End();
        _gathering.NoteRound(waiting: 0, answered: 2, TimeSpan.FromMilliseconds(0.2));
        Assert.Equal(0, _gathering.Begin(1));
    }

    [Theory]
    [InlineData(0.2, 1)]
    [InlineData(1000, 20)]
    public void It_waits_for_one_ms_at_least_and_twenty_at_most(double roundMs, int waitMs)
    {
        _gathering.NoteRound(waiting: 0, answered: 2, TimeSpan.FromMilliseconds(roundMs));
        Assert.Equal(waitMs, _gathering.Begin(1));
    }
}
