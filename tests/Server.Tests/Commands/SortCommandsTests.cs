using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

public sealed class SortCommandsTests : CommandHarness
{
    private readonly TrackingHeap _heap;

    public SortCommandsTests()
        : this(new TrackingHeap())
    {
    }

    private SortCommandsTests(TrackingHeap heap)
        : base(heap) => _heap = heap;

    [Fact]
    public void Stored_elements_count_towards_the_next_save()
    {
        Run("RPUSH", "l", "3", "1", "2");
        Assert.Equal(0, DirtyAfter("SORT", "l"));
        Assert.Equal(0, DirtyAfter("SORT_RO", "l"));
        Assert.Equal(3, DirtyAfter("SORT", "l", "STORE", "d"));
        Assert.Equal(6, DirtyAfter("SORT", "l", "GET", "#", "GET", "x*", "STORE", "d"));
        Assert.Equal(1, DirtyAfter("SORT", "none", "STORE", "d"));
        Assert.Equal(0, DirtyAfter("SORT", "none", "STORE", "d"));
    }

    [Fact]
    public void Lookups_count_as_reads_and_remove_what_has_expired()
    {
        Run("RPUSH", "l", "1", "2", "3");
        Run("SET", "w1", "5", "PX", "100");
        Run("SET", "w2", "1");
        Run("HSET", "h1", "f", "v");
        Run("HPEXPIRE", "h1", "100", "FIELDS", "1", "f");
        Advance(200);
        Server.Keyspace.Statistics.Reset();

        object? reply = Run("SORT", "l", "BY", "w*", "GET", "#", "GET", "h*->f");

        Assert.Equal(["1", null, "3", null, "2", null], (object?[])reply!);

        Assert.Equal(3, Server.Keyspace.Statistics.Hits); // The list, w2, and h1, which loses its last field then.
        Assert.Equal(4, Server.Keyspace.Statistics.Misses);
        Assert.Equal(2L, Run("DBSIZE"));
    }

    [Fact]
    public void Whoever_waits_for_the_destination_gets_its_first_element()
    {
        Run("RPUSH", "l", "3", "1", "2");
        TestClient waiting = Connect();
        Assert.False(waiting.Start("BLPOP", "queue", "0"));
        Assert.Equal("", waiting.TakeOutput());

        Assert.Equal(3L, Run("SORT", "l", "STORE", "queue"));

        Assert.Equal("*2\r\n$5\r\nqueue\r\n$1\r\n1\r\n", waiting.TakeOutput());
        Assert.Equal(["2", "3"], (object?[])Run("LRANGE", "queue", "0", "-1")!);
    }

    [Fact]
    public void Without_memory_the_destination_stays_what_it_is()
    {
        Run(["RPUSH", "l", .. Enumerable.Range(0, 300).Select(i => "element" + Number(i))]);
        Server.Config.ListMaxListpackSize = 16;
        for (int failAt = 0; failAt < 1000; failAt++)
        {
            Run("SET", "d", "old");
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            string reply = client.Raw("SORT", "l", "ALPHA", "BY", "none*", "STORE", "d");
            _heap.FailAfter(-1);
            if (reply == ":300\r\n")
            {
                Assert.Equal(300L, Run("LLEN", "d"));
                return;
            }

            Assert.StartsWith("-OOM", reply);
            Assert.Equal("old", Run("GET", "d"));
            Assert.Equal(300L, Run("LLEN", "l"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Fact]
    public void Elements_of_compressed_lists_are_copied_before_the_next_node_is_looked_at()
    {
        Server.Config.ListMaxListpackSize = 8;
        Server.Config.ListCompressDepth = 1;
        string[] elements = [.. Enumerable.Range(0, 200).Select(i => new string('x', 100) + Number(i * 37 % 200))];
        Run(["RPUSH", "l", .. elements]);

        Assert.Equal(elements.Order(StringComparer.Ordinal), (object?[])Run("SORT", "l", "ALPHA")!);
        Assert.Equal(elements.Reverse(), (object?[])Run("SORT", "l", "BY", "nosort", "DESC")!);
    }

    [Fact]
    public void Every_limit_returns_the_slice_of_the_whole_order()
    {
        Random random = new(1);
        int[] numbers = [.. Enumerable.Range(0, 2000).Select(_ => random.Next(1000))];
        Run(["RPUSH", "l", .. numbers.Select(Number)]);
        string[] ascending = [.. numbers.Order().Select(Number)];
        string[] descending = [.. ascending.Reverse()];
        (int Offset, int Count)[] limits = [(0, 10), (1990, 10), (1000, 1), (500, 1000), (0, 2000), (1999, 5), (3, 0)];
        foreach ((int offset, int count) in limits)
        {
            string[] limit = ["LIMIT", Number(offset), Number(count)];
            Assert.Equal(ascending.Skip(offset).Take(count), (object?[])Run(["SORT", "l", .. limit])!);
            Assert.Equal(descending.Skip(offset).Take(count), (object?[])Run(["SORT", "l", "DESC", .. limit])!);
        }
    }

    [Fact]
    public void All_the_memory_is_given_back()
    {
        Run(["RPUSH", "l", .. Enumerable.Range(0, 5000).Select(i => "element" + Number(i))]);
        long before = _heap.UsedBytes;
        Run("SORT", "l", "ALPHA", "DESC", "LIMIT", "0", "3");
        Run("SORT", "l");
        Assert.Equal(before, _heap.UsedBytes);
    }

    private static string Number(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
