using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

/// <summary>Commands on a store whose size stays about the same: no managed memory, and native memory is reused.</summary>
public sealed class SteadyStateTests() : CommandHarness(new NativeHeap())
{
    // Slabs and regions of all these sizes become empty and are needed again in every round.
    private static readonly int[] Sizes = [10, 100, 250, 260, 1000, 4096, 4097, 20_000, 32_000];

    [Fact]
    public void Values_that_change_their_size_allocate_nothing_and_keep_their_regions()
    {
        List<string[]> requests = [];
        foreach (int size in Sizes)
        {
            string value = new('v', size);
            requests.AddRange(Enumerable.Range(0, 600).Select(i => (string[])["SET", "key" + i, value]));
        }

        requests.AddRange(Enumerable.Range(0, 600).Select(i => (string[])["DEL", "key" + i]));
        AssertSteady(requests, rounds: 10);
    }

    [Fact]
    public void A_value_received_into_its_own_block_allocates_two_small_objects_whatever_its_size()
    {
        string large = new('v', 200_000);
        string larger = new('v', 1_500_000);
        string[][] requests = [["SET", "key", large], ["SET", "key", larger], ["SET", "key", "small"]];
        Assert.InRange(Client.AllocatedBytesOf(requests, rounds: 60), 0, 60 * 200);
    }

    [Fact]
    public void Strings_that_grow_and_go_allocate_nothing()
    {
        List<string[]> requests = [];
        string part = new('p', 700);
        requests.AddRange(Enumerable.Repeat((string[])["APPEND", "key", part], 100));
        requests.AddRange(Enumerable.Repeat((string[])["INCR", "counter"], 10));
        requests.AddRange([["SETRANGE", "key", "100000", "x"], ["DEL", "key"], ["GETDEL", "counter"]]);
        AssertSteady(requests);
    }

    [Fact]
    public void Streams_that_are_written_trimmed_and_read_allocate_nothing()
    {
        Run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
        List<string[]> requests = [];
        for (int i = 0; i < 300; i++)
        {
            requests.AddRange([["XADD", "s", "MAXLEN", "50", "*", "field", "value"], ["XLEN", "s"]]);
            requests.AddRange([["XRANGE", "s", "-", "+", "COUNT", "3"], ["XREAD", "COUNT", "3", "STREAMS", "s", "0"]]);
            requests.Add(["XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", "s", ">"]);
        }

        AssertSteady(requests);
    }

    [Fact]
    public void Keys_that_come_and_go_with_expiry_times_allocate_nothing()
    {
        List<string[]> requests = [];
        for (int i = 0; i < 300; i++)
        {
            string key = "key" + i;
            requests.AddRange([["SET", key, "value"], ["EXPIRE", key, "100"], ["GET", key], ["TTL", key]]);
            requests.Add(i % 2 == 0 ? ["DEL", key] : ["UNLINK", key]);
        }

        AssertSteady(requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("member")]
    public void Sets_that_grow_and_shrink_allocate_nothing(string prefix)
    {
        List<string[]> requests = [];
        requests.AddRange(Enumerable.Range(0, 700).Select(i => (string[])["SADD", "set", prefix + i]));
        requests.AddRange(Enumerable.Range(0, 700).Select(i => (string[])["SISMEMBER", "set", prefix + i]));
        requests.AddRange(Enumerable.Range(0, 700).Select(i => (string[])["SREM", "set", prefix + i]));
        AssertSteady(requests, rounds: 30);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(700)]
    public void Hashes_that_grow_and_shrink_allocate_nothing(int fields)
    {
        List<string[]> requests = [];
        requests.AddRange(Enumerable.Range(0, fields).Select(i => (string[])["HSET", "hash", "field" + i, "value" + i]));
        requests.AddRange(Enumerable.Range(0, fields).Select(i => (string[])["HSET", "hash", "field" + i, "a longer value"]));
        requests.AddRange(Enumerable.Range(0, fields).Select(i => (string[])["HGET", "hash", "field" + i]));
        requests.AddRange(Enumerable.Range(0, fields).Select(i => (string[])["HEXPIRE", "hash", "100", "FIELDS", "1", "field" + i]));
        requests.Add(["HGETALL", "hash"]);
        requests.AddRange(Enumerable.Range(0, fields).Select(i => (string[])["HDEL", "hash", "field" + i]));
        AssertSteady(requests, rounds: 20);
    }

    [Theory]
    [InlineData("LPUSH", "RPOP")]
    [InlineData("RPUSH", "RPOP")]
    [InlineData("RPUSH", "LPOP")]
    public void Lists_that_grow_and_shrink_allocate_nothing(string push, string pop)
    {
        List<string[]> requests = [];
        requests.AddRange(Enumerable.Range(0, 3000).Select(i => (string[])[push, "list", "element" + i]));
        requests.AddRange([["LRANGE", "list", "100", "300"], ["LINDEX", "list", "1500"], ["LSET", "list", "1500", "x"]]);
        requests.AddRange(Enumerable.Range(0, 100).Select(i => (string[])["RPOPLPUSH", "list", "list"]));
        requests.AddRange(Enumerable.Range(0, 3000).Select(i => (string[])[pop, "list"]));
        AssertSteady(requests, rounds: 20);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(700)]
    public void Sorted_sets_that_grow_and_shrink_allocate_nothing(int size)
    {
        List<string[]> requests = [];
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["ZADD", "z", (i * 7 % 50) + ".5", "m" + i]));
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["ZINCRBY", "z", "3", "m" + i]));
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["ZRANK", "z", "m" + i]));
        requests.AddRange([["ZRANGE", "z", "10", "30", "WITHSCORES"], ["ZRANGEBYSCORE", "z", "5", "(9", "LIMIT", "1", "9"]]);
        requests.AddRange([["ZUNION", "2", "z", "z"], ["ZPOPMIN", "z", "5"], ["ZREMRANGEBYRANK", "z", "0", "3"]]);
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["ZREM", "z", "m" + i]));
        AssertSteady(requests, rounds: 10);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(700)]
    public void Positions_that_come_are_found_and_go_allocate_nothing(int size)
    {
        List<string[]> requests = [];
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["GEOADD", "g", (i % 50) + ".5", (i % 37) + ".25", "m" + i]));
        requests.AddRange([["GEODIST", "g", "m1", "m2", "km"], ["GEOPOS", "g", "m1", "m2"], ["GEOHASH", "g", "m1", "m2"]]);
        requests.AddRange([["GEORADIUS", "g", "20", "20", "4000", "km", "ASC", "WITHDIST", "WITHCOORD", "WITHHASH"]]);
        requests.AddRange([["GEOSEARCH", "g", "FROMMEMBER", "m5", "BYBOX", "4000", "4000", "km", "COUNT", "9"]]);
        requests.AddRange([["GEOSEARCHSTORE", "d", "g", "FROMMEMBER", "m5", "BYRADIUS", "4000", "km"], ["DEL", "d"]]);
        requests.AddRange(Enumerable.Range(0, size).Select(i => (string[])["ZREM", "g", "m" + i]));
        AssertSteady(requests, rounds: 10);
    }

    private void AssertSteady(List<string[]> requests, int rounds = 100)
    {
        Client.AllocatedBytesOf([.. requests], rounds: 1); // Past the first growth of pools and lists.
        long mapped = Server.Keyspace.Heap.RegionsMapped;
        Assert.Equal(0, Client.AllocatedBytesOf([.. requests], rounds));
        // Tables that the background frees come back when it has got round to them: a region more may be in use.
        Assert.InRange(Server.Keyspace.Heap.RegionsMapped, mapped, mapped + 1);
    }
}
