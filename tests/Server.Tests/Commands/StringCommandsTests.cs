namespace KvServer.Server.Tests.Commands;

public sealed class StringCommandsTests : CommandHarness
{
    private const string WrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

    [Fact]
    public void Set_stores_what_get_returns()
    {
        Assert.Equal("OK", Run("SET", "k", "v"));
        Assert.Equal("v", Run("GET", "k"));
        Assert.Null(Run("GET", "other"));
        Assert.Equal("_\r\n", Connect(protocol: 3).Raw("GET", "other"));
    }

    [Fact]
    public void Set_keeps_every_byte_of_any_length()
    {
        foreach (int length in new[] { 0, 1, 20, 44, 45, 254, 255, 256, 4096, 4097, 32768, 32769, 200_000 })
        {
            string value = new([.. Enumerable.Range(0, length).Select(i => (char)(i * 7 % 256))]);
            Run("SET", "k", value);
            Assert.Equal(value, Run("GET", "k"));
            Assert.Equal((long)length, Run("STRLEN", "k"));
        }
    }

    [Theory]
    [InlineData("0", "int")]
    [InlineData("-9223372036854775808", "int")]
    [InlineData("9223372036854775807", "int")]
    [InlineData("9223372036854775808", "embstr")]
    [InlineData("-0", "embstr")]
    [InlineData("+1", "embstr")]
    [InlineData("01", "embstr")]
    [InlineData(" 1", "embstr")]
    [InlineData("", "embstr")]
    [InlineData("12345678901234567890123456789012345678901234", "embstr")]
    [InlineData("123456789012345678901234567890123456789012345", "raw")]
    public void Canonical_integers_are_stored_as_integers(string value, string encoding)
    {
        Run("SET", "k", value);
        Assert.Equal(encoding, Run("OBJECT", "ENCODING", "k"));
        Assert.Equal(value, Run("GET", "k"));
    }

    [Fact]
    public void Set_replaces_a_value_of_any_type_and_drops_its_expiry()
    {
        Run("SADD", "k", "m");
        Run("EXPIRE", "k", "100");
        Assert.Equal("OK", Run("SET", "k", "v"));
        Assert.Equal("string", Run("TYPE", "k"));
        Assert.Equal(-1L, Run("TTL", "k"));
    }

    [Fact]
    public void A_key_set_with_ex_is_gone_when_its_time_has_come()
    {
        Run("SET", "k", "v", "EX", "10");
        Advance(10_000);
        Assert.Equal("v", Run("GET", "k"));
        Advance(1);
        Assert.Null(Run("GET", "k"));
        Assert.Equal(0L, Run("EXISTS", "k"));
    }

    [Fact]
    public void Set_with_an_instant_that_is_over_stores_a_key_nobody_can_see()
    {
        Assert.Equal("OK", Run("SET", "k", "v", "PXAT", "1"));
        Assert.Equal(1, Server.Keyspace[0].Count);
        Assert.Null(Run("GET", "k"));
        Assert.Equal(0, Server.Keyspace[0].Count);
    }

    [Fact]
    public void Set_get_on_another_type_replies_wrong_type_and_keeps_the_key()
    {
        Run("SADD", "k", "m");
        Assert.Equal(WrongType, Error("SET", "k", "v", "GET"));
        Assert.Equal("set", Run("TYPE", "k"));
        Assert.Null(Run("SET", "k", "v", "NX"));
    }

    [Fact]
    public void Options_are_read_in_any_case_and_the_same_expiry_may_repeat()
    {
        Assert.Equal("OK", Run("SET", "k", "v", "eX", "10", "nx", "Ex", "20"));
        Assert.Equal(20L, Run("TTL", "k"));
    }

    [Fact]
    public void A_failed_set_changes_nothing()
    {
        Run("SET", "k", "old", "EX", "100");
        Assert.Equal("ERR syntax error", Error("SET", "k", "v", "EX"));
        Assert.Equal("ERR value is not an integer or out of range", Error("SET", "k", "v", "EX", "1x"));
        Assert.Equal("ERR invalid expire time in 'set' command", Error("SET", "k", "v", "EX", "0"));
        Assert.Equal("ERR invalid expire time in 'set' command", Error("SET", "k", "v", "PX", "9223372036854775807"));
        Assert.Equal("old", Run("GET", "k"));
        Assert.Equal(100L, Run("TTL", "k"));
    }

    [Fact]
    public void SetNx_stores_only_once()
    {
        Assert.Equal(1L, Run("SETNX", "k", "a"));
        Assert.Equal(0L, Run("SETNX", "k", "b"));
        Assert.Equal("a", Run("GET", "k"));
    }

    [Fact]
    public void SetEx_and_PSetEx_give_a_time_to_live()
    {
        Assert.Equal("OK", Run("SETEX", "k", "10", "v"));
        Assert.Equal(10_000L, Run("PTTL", "k"));
        Assert.Equal("OK", Run("PSETEX", "k", "1500", "w"));
        Assert.Equal(1_500L, Run("PTTL", "k"));
        Assert.Equal("w", Run("GET", "k"));
        Assert.Equal("ERR invalid expire time in 'setex' command", Error("SETEX", "k", "0", "v"));
        Assert.Equal("ERR invalid expire time in 'psetex' command", Error("PSETEX", "k", "-1", "v"));
    }

    [Fact]
    public void GetEx_changes_the_expiry_and_only_that()
    {
        Run("SET", "k", "v");
        Assert.Equal("v", Run("GETEX", "k", "EX", "10"));
        Assert.Equal(10L, Run("TTL", "k"));
        Assert.Equal("v", Run("GETEX", "k"));
        Assert.Equal(10L, Run("TTL", "k"));
        Assert.Equal("v", Run("GETEX", "k", "PERSIST"));
        Assert.Equal(-1L, Run("TTL", "k"));
        Assert.Equal("v", Run("GETEX", "k", "PXAT", (NowMs + 5_000).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(5L, Run("TTL", "k"));
    }

    [Fact]
    public void GetEx_with_an_instant_that_is_over_deletes_the_key()
    {
        Run("SET", "k", "v");
        Assert.Equal("v", Run("GETEX", "k", "EXAT", "1"));
        Assert.Equal(0, Server.Keyspace[0].Count);
    }

    [Fact]
    public void GetEx_answers_for_a_missing_key_before_it_reads_the_time()
    {
        Assert.Null(Run("GETEX", "k", "EX", "0"));
        Assert.Null(Run("GETEX", "k", "EX", "abc"));
        Assert.Equal("ERR syntax error", Error("GETEX", "k", "NX"));
    }

    [Fact]
    public void GetDel_returns_the_string_and_deletes_the_key()
    {
        Run("SET", "k", "v");
        Assert.Equal("v", Run("GETDEL", "k"));
        Assert.Null(Run("GETDEL", "k"));
    }

    [Fact]
    public void GetDel_on_a_set_replies_wrong_type_and_keeps_the_key()
    {
        Run("SADD", "k", "m");
        Assert.Equal(WrongType, Error("GETDEL", "k"));
        Assert.Equal(1L, Run("EXISTS", "k"));
    }

    [Fact]
    public void GetSet_returns_the_string_before_and_drops_the_expiry()
    {
        Assert.Null(Run("GETSET", "k", "a"));
        Run("EXPIRE", "k", "100");
        Assert.Equal("a", Run("GETSET", "k", "b"));
        Assert.Equal(-1L, Run("TTL", "k"));
        Run("SADD", "s", "m");
        Assert.Equal(WrongType, Error("GETSET", "s", "x"));
    }

    [Fact]
    public void MGet_replies_null_for_missing_keys_and_other_types()
    {
        Run("SET", "a", "1");
        Run("SADD", "s", "m");
        Assert.Equal(new object?[] { "1", null, null, "1" }, Run("MGET", "a", "b", "s", "a"));
    }

    [Fact]
    public void MSet_stores_all_pairs_and_the_last_of_equal_keys_wins()
    {
        Assert.Equal("OK", Run("MSET", "a", "1", "b", "2", "a", "3"));
        Assert.Equal(new object?[] { "3", "2" }, Run("MGET", "a", "b"));
        Assert.Equal("ERR wrong number of arguments for 'mset' command", Error("MSET", "a", "1", "b"));
    }

    [Fact]
    public void MSetNx_stores_all_pairs_or_none()
    {
        Run("SET", "b", "old");
        Assert.Equal(0L, Run("MSETNX", "a", "1", "b", "2"));
        Assert.Equal(0L, Run("EXISTS", "a"));
        Assert.Equal(1L, Run("MSETNX", "a", "1", "c", "2"));
    }

    [Fact]
    public void Changes_are_counted_as_the_reference_server_counts_them()
    {
        Assert.Equal(1, DirtyAfter("SET", "k", "v", "EX", "10"));
        Assert.Equal(0, DirtyAfter("SET", "k", "v", "NX"));
        Assert.Equal(2, DirtyAfter("MSET", "a", "1", "b", "2"));
        Assert.Equal(0, DirtyAfter("GETEX", "a"));
        Assert.Equal(0, DirtyAfter("GETEX", "a", "PERSIST"));
        Assert.Equal(1, DirtyAfter("GETEX", "a", "EX", "10"));
        Assert.Equal(1, DirtyAfter("GETEX", "a", "PERSIST"));
        Assert.Equal(1, DirtyAfter("GETDEL", "a"));
        Assert.Equal(0, DirtyAfter("GETDEL", "a"));
        Assert.Equal(1, DirtyAfter("APPEND", "k", ""));
        Assert.Equal(0, DirtyAfter("SETRANGE", "k", "0", ""));
        Assert.Equal(1, DirtyAfter("INCR", "n"));
    }

    [Fact]
    public void A_large_value_is_adopted_and_freed_like_any_other()
    {
        string large = new('x', 100_000);
        Run("SET", "k", large);
        Run("MSET", "a", large, "b", large);
        Run("SET", "k", "small");
        Assert.Null(Run("SET", "k", large, "NX"));
        Assert.Equal(100_000L, Run("APPEND", "c", large));
        Assert.Equal(100_001L, Run("APPEND", "c", "y"));
        Assert.Equal(large + "y", Run("GET", "c"));
        Assert.Equal(large, Run("GETSET", "a", large + large));
        Assert.Equal("ERR value is not an integer or out of range", Error("INCR", "b"));
        Assert.Equal(large, Run("GET", "b"));
    }

    [Fact]
    public void A_large_key_is_a_key_like_any_other()
    {
        string key = new('k', 40_000);
        Run("SET", key, "v");
        Assert.Equal("v", Run("GET", key));
        Assert.Equal(1L, Run("DEL", key));
    }
}
