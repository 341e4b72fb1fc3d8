namespace KvServer.Server.Tests.Commands;

/// <summary>Fields that expire, as the documentation of Redis 7.4 to 8.0 says.</summary>
public sealed class HashExpireCommandsTests : CommandHarness
{
    public HashExpireCommandsTests() => Run("HSET", "h", "a", "1", "b", "2", "c", "3");

    [Fact]
    public void A_field_lives_as_long_as_it_was_given()
    {
        Assert.Equal(Numbers(1, -2), Run("HEXPIRE", "h", "10", "FIELDS", "2", "a", "nope"));
        Assert.Equal(Numbers(10, -1, -2), Run("HTTL", "h", "FIELDS", "3", "a", "b", "nope"));
        Assert.Equal(Numbers(10_000, -1), Run("HPTTL", "h", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(NowMs + 10_000), Run("HPEXPIRETIME", "h", "FIELDS", "1", "a"));
        Assert.Equal(Numbers((NowMs + 10_000 + 999) / 1000), Run("HEXPIRETIME", "h", "FIELDS", "1", "a"));
        Advance(9500);
        Assert.Equal(Numbers(1), Run("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal("1", Run("HGET", "h", "a"));
        Advance(501);
        Assert.Null(Run("HGET", "h", "a"));
        Assert.Equal(0L, Run("HEXISTS", "h", "a"));
        Assert.Equal(2L, Run("HLEN", "h"));
        Assert.Equal(Numbers(-2), Run("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal(["b", "c"], Assert.IsType<object?[]>(Run("HKEYS", "h")).Cast<string>().Order());
    }

    [Fact]
    public void A_missing_key_has_no_fields()
    {
        Assert.Equal(Numbers(-2, -2), Run("HEXPIRE", "none", "10", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(-2), Run("HTTL", "none", "FIELDS", "1", "a"));
        Assert.Equal(Numbers(-2), Run("HPERSIST", "none", "FIELDS", "1", "a"));
        Assert.Equal(new object?[] { null }, Run("HGETEX", "none", "EX", "10", "FIELDS", "1", "a"));
        Assert.Equal(new object?[] { null }, Run("HGETDEL", "none", "FIELDS", "1", "a"));
        Assert.Equal(0L, Run("EXISTS", "none"));
    }

    [Fact]
    public void Conditions_compare_with_the_present_time_of_each_field()
    {
        Run("HEXPIRE", "h", "100", "FIELDS", "1", "a");
        Assert.Equal(Numbers(0, 0), Run("HEXPIRE", "h", "50", "GT", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(1, 1), Run("HEXPIRE", "h", "90", "LT", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(90, 90), Run("HTTL", "h", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(0, 1), Run("HEXPIRE", "h", "70", "NX", "FIELDS", "2", "a", "c"));
        Assert.Equal(Numbers(1), Run("HEXPIRE", "h", "95", "GT", "FIELDS", "1", "a"));
        Run("HPERSIST", "h", "FIELDS", "1", "b");
        Assert.Equal(Numbers(1, 0), Run("HEXPIRE", "h", "60", "XX", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(60, -1, 70), Run("HTTL", "h", "FIELDS", "3", "a", "b", "c"));
    }

    [Theory]
    [InlineData("HEXPIRE", "0")]
    [InlineData("HPEXPIRE", "0")]
    [InlineData("HEXPIREAT", "1")]
    [InlineData("HPEXPIREAT", "1")]
    public void A_time_that_is_over_removes_fields_and_the_key_with_the_last(string command, string time)
    {
        Assert.Equal(Numbers(2, -2), Run(command, "h", time, "FIELDS", "2", "a", "a"));
        Assert.Equal(2L, Run("HLEN", "h"));
        Assert.Equal(Numbers(2, 2), Run(command, "h", time, "FIELDS", "2", "b", "c"));
        Assert.Equal(0L, Run("EXISTS", "h"));
    }

    [Fact]
    public void Persisting_ends_an_expiry()
    {
        Run("HEXPIRE", "h", "10", "FIELDS", "1", "a");
        Assert.Equal(Numbers(1, -1, -2), Run("HPERSIST", "h", "FIELDS", "3", "a", "b", "nope"));
        Advance(20_000);
        Assert.Equal(3L, Run("HLEN", "h"));
        Assert.Equal("1", Run("HGET", "h", "a"));
    }

    [Fact]
    public void Setting_a_field_ends_its_expiry_and_counting_does_not()
    {
        Run("HEXPIRE", "h", "10", "FIELDS", "3", "a", "b", "c");
        Run("HSET", "h", "a", "5");
        Assert.Equal(7L, Run("HINCRBY", "h", "b", "5"));
        Assert.Equal("3.5", Run("HINCRBYFLOAT", "h", "c", "0.5"));
        Assert.Equal(Numbers(-1, 10, 10), Run("HTTL", "h", "FIELDS", "3", "a", "b", "c"));
        Advance(10_001);
        Assert.Equal(1L, Run("HINCRBY", "h", "b", "1"));
        Assert.Equal(Numbers(-1), Run("HTTL", "h", "FIELDS", "1", "b"));
        Assert.Equal(1L, Run("HSETNX", "h", "c", "x"));
    }

    [Fact]
    public void A_hash_whose_fields_have_all_expired_is_gone()
    {
        Run("HPEXPIRE", "h", "10", "FIELDS", "3", "a", "b", "c");
        Advance(11);
        Assert.Empty(Assert.IsType<object?[]>(Run("HGETALL", "h")));
        Assert.Equal(0L, Run("EXISTS", "h"));
        Assert.Equal(0L, Run("DBSIZE"));
    }

    [Fact]
    public void Hgetex_reads_and_sets_in_one_step()
    {
        Assert.Equal(new object?[] { "1", null }, Run("HGETEX", "h", "EX", "10", "FIELDS", "2", "a", "nope"));
        Assert.Equal(Numbers(10), Run("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal(new object?[] { "1" }, Run("HGETEX", "h", "FIELDS", "1", "a"));
        Assert.Equal(Numbers(10), Run("HTTL", "h", "FIELDS", "1", "a"));
        Run("HGETEX", "h", "PERSIST", "FIELDS", "2", "a", "b");
        Assert.Equal(Numbers(-1), Run("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal(new object?[] { "1", null }, Run("HGETEX", "h", "PXAT", "1", "FIELDS", "2", "a", "a"));
        Assert.Equal(2L, Run("HLEN", "h"));
    }

    [Fact]
    public void Hsetex_sets_fields_with_their_time_on_a_condition()
    {
        Assert.Equal(0L, Run("HSETEX", "h", "FNX", "EX", "10", "FIELDS", "2", "new", "x", "a", "y"));
        Assert.Equal(0L, Run("HSETEX", "h", "FXX", "EX", "10", "FIELDS", "2", "new", "x", "a", "y"));
        Assert.Equal(1L, Run("HSETEX", "h", "FXX", "EX", "10", "FIELDS", "1", "a", "y"));
        Assert.Equal(1L, Run("HSETEX", "h", "KEEPTTL", "FIELDS", "2", "a", "z", "b", "z"));
        Assert.Equal(Numbers(10, -1), Run("HTTL", "h", "FIELDS", "2", "a", "b"));
        Assert.Equal(1L, Run("HSETEX", "h", "FIELDS", "1", "a", "w"));
        Assert.Equal(Numbers(-1), Run("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal(1L, Run("HSETEX", "fresh", "PX", "5", "FIELDS", "2", "f", "1", "g", "2"));
        Advance(6);
        Assert.Equal(0L, Run("HLEN", "fresh"));
        Assert.Equal(1L, Run("HSETEX", "over", "EXAT", "1", "FIELDS", "1", "f", "1"));
        Assert.Equal(0L, Run("EXISTS", "over"));
    }

    [Fact]
    public void Hgetdel_reads_and_removes()
    {
        Assert.Equal(new object?[] { "1", null, null }, Run("HGETDEL", "h", "FIELDS", "3", "a", "nope", "a"));
        Assert.Equal(new object?[] { "2", "3" }, Run("HGETDEL", "h", "FIELDS", "2", "b", "c"));
        Assert.Equal(0L, Run("EXISTS", "h"));
    }

    [Fact]
    public void A_dump_keeps_the_times_and_a_copy_too()
    {
        Run("HEXPIRE", "h", "10", "FIELDS", "1", "a");
        string dump = Assert.IsType<string>(Run("DUMP", "h"));
        Assert.Equal("OK", Run("RESTORE", "restored", "0", dump));
        Run("COPY", "h", "copy");
        Assert.Equal(Numbers(10, -1), Run("HTTL", "restored", "FIELDS", "2", "a", "b"));
        Assert.Equal(Numbers(10, -1), Run("HTTL", "copy", "FIELDS", "2", "a", "b"));
        Advance(10_001);
        Assert.Equal(2L, Run("HLEN", "restored"));
        Assert.Equal(2L, Run("HLEN", "copy"));
    }

    private static object?[] Numbers(params long[] numbers) => [.. numbers.Cast<object?>()];
}
