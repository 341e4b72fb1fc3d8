using KvServer.Durability.Tests.Traffic;

namespace KvServer.Durability.Tests.Checking;

/// <summary>The checker finds what is forged, and accepts what is possible.</summary>
public sealed class DurabilityCheckerTests
{
    private static readonly InstantRange[] Anytime = [new(0, EventClock.Never)];

    private readonly List<Write> _first = [];
    private readonly List<Write> _second = [];
    private long _events;

    [Fact]
    public void A_state_after_any_number_of_writes_is_possible()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        Add(_first, 0, "APPEND", "c0:a", "2");
        Add(_first, 0, "DEL", "c0:a");
        Assert.Null(Check(Anytime));
        Assert.Null(Check(Anytime, ("c0:a", "1")));
        Assert.Null(Check(Anytime, ("c0:a", "12")));
    }

    [Fact]
    public void A_loss_of_what_was_answered_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        long answered = Add(_first, 0, "SET", "c0:a", "2").AnsweredAt;
        Write last = Add(_first, 0, "SET", "c0:a", "3", answered: false);
        InstantRange[] allowed = [new(answered, EventClock.Never)];
        Assert.Null(Check(allowed, ("c0:a", "2")));
        Assert.Null(Check(allowed, ("c0:a", "3")));
        Assert.Contains("no allowed instant", Check(allowed, ("c0:a", "1")), StringComparison.Ordinal);
        Assert.Contains("no allowed instant", Check(allowed), StringComparison.Ordinal);
        last.AnsweredAt = ++_events;
        allowed = [new(_events, EventClock.Never)];
        Assert.Contains("no allowed instant", Check(allowed, ("c0:a", "2")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_lost_write_among_later_ones_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        Add(_first, 0, "SET", "c0:b", "1");
        Add(_first, 0, "SET", "c0:c", "1");
        Assert.Contains("never had", Check(Anytime, ("c0:a", "1"), ("c0:c", "1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_was_never_sent_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        Assert.Contains("never had", Check(Anytime, ("c0:a", "2")), StringComparison.Ordinal);
        Assert.Contains("never had", Check(Anytime, ("c0:a", "1"), ("c0:b", "1")), StringComparison.Ordinal);
        Assert.Contains("nobody wrote", Check(Anytime, ("c0:a", "1"), ("x", "1")), StringComparison.Ordinal);
        Assert.Contains("nobody wrote", Check(Anytime, ("c7:a", "1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_torn_value_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "v1.v1.v1.");
        Add(_first, 0, "SET", "c0:a", "v2.v2.v2.");
        Assert.Contains("never had", Check(Anytime, ("c0:a", "v1.v2.v2.")), StringComparison.Ordinal);
        Assert.Contains("never had", Check(Anytime, ("c0:a", "v2.v2.")), StringComparison.Ordinal);
    }

    [Fact]
    public void Half_of_a_write_to_several_keys_is_found()
    {
        Add(_first, 0, "MSET", "c0:a", "1", "c0:b", "1");
        Assert.Null(Check(Anytime, ("c0:a", "1"), ("c0:b", "1")));
        Assert.Contains("never had", Check(Anytime, ("c0:a", "1")), StringComparison.Ordinal);
        Add(_first, 0, "RENAME", "c0:a", "c0:c");
        Assert.Contains("never had", Check(Anytime, ("c0:a", "1"), ("c0:b", "1"), ("c0:c", "1")), StringComparison.Ordinal);
        Assert.Contains("never had", Check(Anytime, ("c0:b", "1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_of_two_moments_is_found_though_each_client_was_there()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        Add(_first, 0, "SET", "c0:a", "2");
        Add(_second, 0, "SET", "c1:a", "1"); // Sent when the first client's writes had been answered.
        Assert.Null(Check(Anytime, ("c0:a", "2"), ("c1:a", "1")));
        Assert.Null(Check(Anytime, ("c0:a", "1")));
        Assert.Contains("no allowed instant", Check(Anytime, ("c0:a", "1"), ("c1:a", "1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_of_another_moment_than_a_cut_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "1");
        long sent = ++_events;
        long answered = ++_events;
        Add(_first, 0, "SET", "c0:a", "2");
        InstantRange[] cut = [new(sent, answered)];
        Assert.Null(Check(cut, ("c0:a", "1")));
        Assert.Contains("no allowed instant", Check(cut, ("c0:a", "2")), StringComparison.Ordinal);
        Assert.Contains("no allowed instant", Check(cut), StringComparison.Ordinal);
        Assert.Null(Check([.. cut, new(0, 1)]));
    }

    [Fact]
    public void Writes_that_run_while_the_cut_is_taken_may_be_in_it_or_not()
    {
        long sent = ++_events;
        Add(_first, 0, "SET", "c0:a", "1");
        Add(_second, 0, "SET", "c1:a", "1");
        InstantRange[] cut = [new(sent, ++_events)];
        Assert.Null(Check(cut));
        Assert.Null(Check(cut, ("c0:a", "1")));
        Assert.Null(Check(cut, ("c0:a", "1"), ("c1:a", "1")));
        Assert.NotNull(Check(cut, ("c1:a", "1")));
    }

    [Fact]
    public void A_member_that_was_popped_without_an_answer_may_be_any_but_just_one()
    {
        Add(_first, 0, "SADD", "c0:p", "a", "b", "c");
        Add(_first, 0, "SPOP", "c0:p", answered: false);
        InstantRange[] afterwards = [new(_first[0].AnsweredAt, EventClock.Never)];
        foreach (string[] members in new[] { new[] { "a", "b", "c" }, ["a", "b"], ["a", "c"], ["b", "c"] })
        {
            Assert.Null(CheckSet(afterwards, "c0:p", members));
        }

        Assert.NotNull(CheckSet(afterwards, "c0:p", "a"));
        Assert.NotNull(CheckSet(afterwards, "c0:p", "a", "d"));
    }

    [Fact]
    public void A_popped_member_that_comes_back_is_found()
    {
        Add(_first, 0, "SADD", "c0:p", "a", "b");
        Add(_first, 0, "SPOP", "c0:p").Popped = "a";
        InstantRange[] afterwards = [new(_events, EventClock.Never)];
        Assert.Null(CheckSet(afterwards, "c0:p", "b"));
        Assert.NotNull(CheckSet(afterwards, "c0:p", "a"));
        Assert.NotNull(CheckSet(afterwards, "c0:p", "a", "b"));
    }

    [Fact]
    public void A_lost_or_wrong_expiry_time_is_found()
    {
        Add(_first, 0, "SET", "c0:a", "1", "PXAT", "2000000000000");
        Assert.Null(CheckExpiry(2_000_000_000_000));
        Assert.NotNull(CheckExpiry(0));
        Assert.NotNull(CheckExpiry(2_000_000_000_001));
        Write expire = Add(_first, 0, "EXPIRE", "c0:a", "1000");
        expire.SentAtMs = 1_700_000_000_000;
        expire.AnsweredAtMs = expire.SentAtMs + 5;
        Assert.Null(CheckExpiry(1_700_001_000_002));
        Assert.NotNull(CheckExpiry(1_700_001_010_002));
        Add(_first, 0, "PERSIST", "c0:a");
        Assert.Null(CheckExpiry(0));
    }

    [Fact]
    public void The_same_key_of_another_database_is_another_key()
    {
        Add(_first, 1, "SET", "c0:a", "1");
        Assert.Contains("never had", Check(Anytime, ("c0:a", "1")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_there_before_the_round_must_still_be_there()
    {
        Dictionary<KeyId, ModelValue> before = new() { [new KeyId(0, "c0:a")] = new ModelValue { Text = "old" } };
        ClientHistory[] histories = [new(0, before, [])];
        Assert.Null(DurabilityChecker.FindFault(histories, before, Anytime));
        Assert.NotNull(DurabilityChecker.FindFault(histories, new Dictionary<KeyId, ModelValue>(), Anytime));
    }

    private Write Add(List<Write> writes, int database, params string[] arguments) => Add(writes, database, true, arguments);

    private Write Add(List<Write> writes, int database, string name, string key, bool answered) =>
        Add(writes, database, answered, [name, key]);

    private Write Add(List<Write> writes, int database, string name, string key, string value, bool answered) =>
        Add(writes, database, answered, [name, key, value]);

    private Write Add(List<Write> writes, int database, bool answered, string[] arguments)
    {
        Write write = new(database, arguments) { SentAt = ++_events };
        write.AnsweredAt = answered ? ++_events : EventClock.Never;
        writes.Add(write);
        return write;
    }

    private string? Check(InstantRange[] allowed, params (string Key, string Text)[] found) => Check(
        allowed, found.ToDictionary(pair => new KeyId(0, pair.Key), pair => new ModelValue { Text = pair.Text }));

    private string? CheckSet(InstantRange[] allowed, string key, params string[] members) => Check(
        allowed, new Dictionary<KeyId, ModelValue> { [new KeyId(0, key)] = new() { Members = [.. members] } });

    private string? CheckExpiry(long expiresAtMs) => Check(
        [new(_events, EventClock.Never)],
        new Dictionary<KeyId, ModelValue>
        {
            [new KeyId(0, "c0:a")] = new() { Text = "1", ExpiresFromMs = expiresAtMs, ExpiresToMs = expiresAtMs },
        });

    private string? Check(InstantRange[] allowed, Dictionary<KeyId, ModelValue> found)
    {
        Dictionary<KeyId, ModelValue> nothing = [];
        return DurabilityChecker.FindFault([new(0, nothing, _first), new(1, nothing, _second)], found, allowed);
    }
}
