using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class HashCommandsTests : CommandHarness
{
    [Fact]
    public void Changes_count_towards_the_next_save_as_on_the_reference_server()
    {
        Assert.Equal(3, DirtyAfter("HSET", "h", "a", "1", "b", "2", "c", "3"));
        Assert.Equal(1, DirtyAfter("HSET", "h", "a", "1"));
        Assert.Equal(2, DirtyAfter("HMSET", "h", "a", "1", "z", "2"));
        Assert.Equal(0, DirtyAfter("HSETNX", "h", "a", "1"));
        Assert.Equal(1, DirtyAfter("HSETNX", "h", "new", "1"));
        Assert.Equal(1, DirtyAfter("HINCRBY", "h", "a", "1"));
        Assert.Equal(1, DirtyAfter("HINCRBYFLOAT", "h", "a", "1"));
        Assert.Equal(2, DirtyAfter("HDEL", "h", "b", "c", "nope"));
        Assert.Equal(0, DirtyAfter("HDEL", "h", "nope"));
        Assert.Equal(0, DirtyAfter("HGETALL", "h"));
    }

    [Fact]
    public void An_error_changes_nothing()
    {
        Run("HSET", "h", "f", "abc");
        Assert.Equal("ERR wrong number of arguments for 'hset' command", Error("HSET", "h", "f", "v", "g"));
        Assert.Equal("ERR hash value is not an integer", Error("HINCRBY", "h", "f", "1"));
        Assert.Equal("ERR hash value is not a float", Error("HINCRBYFLOAT", "h", "f", "1"));
        Assert.Equal(new object?[] { "f", "abc" }, Run("HGETALL", "h"));
        Error("HINCRBY", "none", "f", "x");
        Assert.Equal(0L, Run("EXISTS", "none"));
    }

    [Fact]
    public void Hashes_are_maps_in_resp3()
    {
        TestClient client = Connect(protocol: 3);
        client.Run("HSET", "h", "f", "1");
        Assert.Equal("%1\r\n$1\r\nf\r\n$1\r\n1\r\n", client.Raw("HGETALL", "h"));
        Assert.Equal("%0\r\n", client.Raw("HGETALL", "none"));
        Assert.Equal("*1\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n", client.Raw("HRANDFIELD", "h", "1", "WITHVALUES"));
        Assert.Equal("_\r\n", client.Raw("HGET", "h", "none"));
    }

    [Fact]
    public void A_scan_with_no_values_returns_names_alone()
    {
        Run("HSET", "h", "f", "1", "g", "2");
        Assert.Equal(new object?[] { "0", new object?[] { "f", "g" } }, Run("HSCAN", "h", "0", "NOVALUES"));
        Assert.Equal(
            new object?[] { "0", new object?[] { "g" } }, Run("HSCAN", "h", "0", "MATCH", "g*", "novalues", "COUNT", "5"));
        Assert.Equal("ERR syntax error", Error("HSCAN", "h", "0", "NOVALUES", "COUNT"));
    }

    [Fact]
    public void A_large_hash_comes_and_goes_whole()
    {
        string[] pairs = [.. Enumerable.Range(0, 2000).SelectMany(i => new[] { "f" + i, "v" + i })];
        Assert.Equal(2000L, Run(["HSET", "h", .. pairs]));
        Assert.Equal("hashtable", Run("OBJECT", "ENCODING", "h"));
        object?[] all = Assert.IsType<object?[]>(Run("HGETALL", "h"));
        Assert.Equal(pairs.Order(), all.Cast<string>().Order());
        Assert.InRange((long)Run("MEMORY", "USAGE", "h")!, 40_000, 200_000);
        for (int i = 0; i < 2000; i++)
        {
            Assert.Equal(1L, Run("HDEL", "h", "f" + i.ToString(CultureInfo.InvariantCulture)));
        }

        Assert.Equal(0L, Run("EXISTS", "h"));
    }
}
