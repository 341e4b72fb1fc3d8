using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class SetCommandsTests : CommandHarness
{
    [Fact]
    public void Changes_count_towards_the_next_save_as_on_the_reference_server()
    {
        Assert.Equal(3, DirtyAfter("SADD", "s", "a", "b", "c"));
        Assert.Equal(0, DirtyAfter("SADD", "s", "a"));
        Assert.Equal(1, DirtyAfter("SREM", "s", "a", "x"));
        Assert.Equal(0, DirtyAfter("SREM", "s", "x"));
        Assert.Equal(2, DirtyAfter("SMOVE", "s", "t", "b"));
        Run("SADD", "s", "b");
        Assert.Equal(1, DirtyAfter("SMOVE", "s", "t", "b"));
        Assert.Equal(0, DirtyAfter("SMOVE", "s", "t", "x"));
        Assert.Equal(1, DirtyAfter("SPOP", "t"));
        Run("SADD", "u", "1", "2", "3", "4");
        Assert.Equal(3, DirtyAfter("SPOP", "u", "3"));
        Assert.Equal(1, DirtyAfter("SPOP", "u", "10"));
        Assert.Equal(0, DirtyAfter("SPOP", "u", "10"));
        Assert.Equal(1, DirtyAfter("SUNIONSTORE", "d", "s"));
        Assert.Equal(1, DirtyAfter("SINTERSTORE", "d", "none"));
        Assert.Equal(0, DirtyAfter("SDIFFSTORE", "d", "none"));
    }

    [Fact]
    public void Sets_are_sets_in_resp3()
    {
        TestClient client = Connect(protocol: 3);
        client.Run("SADD", "s", "1", "2");
        Assert.Equal("~2\r\n$1\r\n1\r\n$1\r\n2\r\n", client.Raw("SMEMBERS", "s"));
        Assert.Equal("~2\r\n$1\r\n1\r\n$1\r\n2\r\n", client.Raw("SINTER", "s", "s"));
        Assert.Equal("~0\r\n", client.Raw("SUNION", "none"));
        Assert.Equal("~0\r\n", client.Raw("SPOP", "none", "2"));
        Assert.Equal("_\r\n", client.Raw("SPOP", "none"));
        Assert.Equal("*0\r\n", client.Raw("SRANDMEMBER", "none", "2"));
        Assert.Equal("*2\r\n:1\r\n:0\r\n", client.Raw("SMISMEMBER", "s", "1", "5"));
        Assert.Equal("~2\r\n$1\r\n1\r\n$1\r\n2\r\n", client.Raw("SPOP", "s", "2"));
    }

    [Theory]
    [InlineData(10, 3)]
    [InlineData(10, 9)]
    [InlineData(200, 20)]
    [InlineData(200, 195)]
    [InlineData(200, 199)]
    public void Popping_some_leaves_exactly_the_others(int size, int count)
    {
        foreach (string prefix in (string[])["", "w"])
        {
            string[] members = Members(prefix, size);
            Run(["SADD", "s", .. members]);
            Run("EXPIRE", "s", "1000");
            object?[] popped = Assert.IsType<object?[]>(Run("SPOP", "s", count.ToString(CultureInfo.InvariantCulture)));
            object?[] left = Assert.IsType<object?[]>(Run("SMEMBERS", "s"));
            Assert.Equal(count, popped.Length);
            Assert.Equal(members.Order(), popped.Concat(left).Cast<string>().Order());
            Assert.Equal(1000L, Run("TTL", "s"));
            Run("DEL", "s");
        }
    }

    [Fact]
    public void Popping_one_by_one_empties_the_set_and_deletes_the_key()
    {
        string[] members = Members("w", 300);
        Run(["SADD", "s", .. members]);
        HashSet<string> popped = [];
        for (int i = 0; i < members.Length; i++)
        {
            Assert.True(popped.Add((string)Run("SPOP", "s")!));
        }

        Assert.Equal(members.ToHashSet(), popped);
        Assert.Equal(0L, Run("EXISTS", "s"));
    }

    [Fact]
    public void Random_members_are_distinct_for_a_count_and_may_repeat_for_a_negative_one()
    {
        foreach (int size in (int[])[5, 100, 400])
        {
            Run(["SADD", "s", .. Members("w", size)]);
            foreach (int count in (int[])[2, 50, 390])
            {
                string text = count.ToString(CultureInfo.InvariantCulture);
                object?[] distinct = Assert.IsType<object?[]>(Run("SRANDMEMBER", "s", text));
                Assert.Equal(Math.Min(count, size), distinct.Distinct().Count());
                Assert.Equal(Math.Min(count, size), distinct.Length);
                object?[] drawn = Assert.IsType<object?[]>(Run("SRANDMEMBER", "s", "-" + text));
                Assert.Equal(count, drawn.Length);
            }

            Assert.Equal((long)size, Run("SCARD", "s"));
        }
    }

    [Fact]
    public void Scanning_a_large_set_returns_every_member()
    {
        string[] members = Members("w", 1000);
        Run(["SADD", "s", .. members]);
        HashSet<string> seen = [];
        string cursor = "0";
        int calls = 0;
        do
        {
            object?[] reply = Assert.IsType<object?[]>(Run("SSCAN", "s", cursor, "COUNT", "50"));
            cursor = (string)reply[0]!;
            seen.UnionWith(((object?[])reply[1]!).Cast<string>());
            calls++;
        }
        while (cursor != "0");

        Assert.Equal(members.ToHashSet(), seen);
        Assert.True(calls > 10);
    }

    [Fact]
    public void Object_encoding_follows_the_configured_limits()
    {
        Run("SADD", "i", "1", "2");
        Run("SADD", "l", "1", "w");
        Assert.Equal("intset", Run("OBJECT", "ENCODING", "i"));
        Assert.Equal("listpack", Run("OBJECT", "ENCODING", "l"));
        Server.Config.SetMaxListpackEntries = 2;
        Run("SADD", "l", "x");
        Assert.Equal("hashtable", Run("OBJECT", "ENCODING", "l"));
        Server.Config.SetMaxIntsetEntries = 2;
        Run("SADD", "i", "3");
        Assert.Equal("hashtable", Run("OBJECT", "ENCODING", "i"));
    }

    [Fact]
    public void A_stored_result_of_integers_is_an_intset_again()
    {
        Run(["SADD", "a", "w", .. Members("", 200)]);
        Run(["SADD", "b", "x", .. Members("", 300)]);
        Run("SINTERSTORE", "d", "a", "b");
        Assert.Equal("intset", Run("OBJECT", "ENCODING", "d"));
        Run("SUNIONSTORE", "d", "a", "b");
        Assert.Equal("hashtable", Run("OBJECT", "ENCODING", "d"));
        Run("SDIFFSTORE", "d", "b", "a");
        Assert.Equal("listpack", Run("OBJECT", "ENCODING", "d"));
    }

    [Fact]
    public void An_expired_set_is_missing()
    {
        Run("SADD", "s", "a");
        Run("PEXPIRE", "s", "10");
        Advance(11);
        Assert.Equal(0L, Run("SISMEMBER", "s", "a"));
        Assert.Equal(1L, Run("SADD", "s", "b"));
        Assert.Equal(-1L, Run("TTL", "s"));
        Assert.Equal(1L, Run("SCARD", "s"));
    }

    private static string[] Members(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => prefix + i.ToString(CultureInfo.InvariantCulture))];
}
