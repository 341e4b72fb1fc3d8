using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

public sealed class ListCommandsTests : CommandHarness
{
    private readonly TrackingHeap _heap;

    public ListCommandsTests()
        : this(new TrackingHeap())
    {
    }

    private ListCommandsTests(TrackingHeap heap)
        : base(heap) => _heap = heap;

    [Fact]
    public void Elements_come_back_in_the_order_of_their_ends()
    {
        Assert.Equal(3L, Run("RPUSH", "l", "a", "b", "c"));
        Assert.Equal(5L, Run("LPUSH", "l", "d", "e"));
        Assert.Equal(["e", "d", "a", "b", "c"], Range("l"));
        Assert.Equal("e", Run("LPOP", "l"));
        Assert.Equal(["c", "b"], (object?[])Run("RPOP", "l", "2")!);
        Assert.Equal(["d", "a"], (object?[])Run("LPOP", "l", "99")!);
        Assert.Equal(0L, Run("EXISTS", "l"));
    }

    [Fact]
    public void The_dirty_count_grows_as_on_the_reference()
    {
        Assert.Equal(9, DirtyAfter("RPUSH", "a", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
        Assert.Equal(1, DirtyAfter("RPOPLPUSH", "a", "b"));
        Assert.Equal(1, DirtyAfter("LMOVE", "a", "a", "LEFT", "RIGHT"));
        Assert.Equal(5, DirtyAfter("LTRIM", "a", "1", "3"));
        Assert.Equal(0, DirtyAfter("LTRIM", "a", "0", "-1"));
        Assert.Equal(1, DirtyAfter("LSET", "a", "0", "x"));
        Assert.Equal(1, DirtyAfter("LINSERT", "a", "BEFORE", "x", "y"));
        Assert.Equal(0, DirtyAfter("LINSERT", "a", "BEFORE", "nothere", "y"));
        Assert.Equal(1, DirtyAfter("LREM", "a", "0", "x"));
        Assert.Equal(0, DirtyAfter("LREM", "a", "0", "x"));
        Assert.Equal(2, DirtyAfter("LMPOP", "1", "a", "LEFT", "COUNT", "2"));
        Assert.Equal(0, DirtyAfter("LPUSHX", "nokey", "a"));
        Assert.Equal(0, DirtyAfter("LPOP", "nokey"));
        Assert.Equal(1, DirtyAfter("LTRIM", "a", "5", "9"));
    }

    [Fact]
    public void An_expired_list_is_missing()
    {
        Run("RPUSH", "l", "a");
        Run("PEXPIRE", "l", "100");
        Advance(101);
        Assert.Null(Run("LPOP", "l"));
        Assert.Equal(1L, Run("RPUSH", "l", "b"));
        Assert.Equal(-1L, Run("TTL", "l"));
    }

    [Theory]
    [InlineData("l", "l")]
    [InlineData("l", "other")]
    public void Moving_an_element_keeps_all_of_them_when_memory_runs_out(string source, string target)
    {
        string[] elements = [.. Enumerable.Range(0, 2000).Select(i => "element" + i)];
        for (int failAt = 0; failAt < 30; failAt++)
        {
            Run("DEL", "l", "other", "copy");
            Run(["RPUSH", "l", .. elements]);
            Run("COPY", "l", "copy"); // Its nodes are shared: changing some takes memory.
            _heap.FailAfter(failAt);
            bool moved = Client.Raw("RPOPLPUSH", source, target).StartsWith('$');
            _heap.FailAfter(-1);
            string[] expected = !moved ? elements : source == target ? [elements[^1], .. elements[..^1]] : elements[..^1];
            Assert.Equal(expected, Range("l"));
            Assert.Equal(moved && source != target ? 1L : 0L, Run("EXISTS", "other"));
            Assert.Equal(elements, Range("copy"));
            if (moved)
            {
                Assert.True(failAt > 0);
                return;
            }
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Theory]
    [InlineData("LPOP l 700")]
    [InlineData("RPOP l 700")]
    [InlineData("LTRIM l 300 -300")]
    [InlineData("LREM l 0 same")]
    [InlineData("RPUSH l many more elements")]
    [InlineData("LINSERT l AFTER element500 x")]
    [InlineData("LSET l 500 x")]
    public void A_command_without_memory_changes_nothing(string line)
    {
        string[] elements = [.. Enumerable.Range(0, 2000).Select(i => i % 100 == 7 ? "same" : "element" + i)];
        int failures = 0;
        for (int failAt = 0; failAt < 60; failAt++)
        {
            Run("DEL", "l", "copy");
            Run(["RPUSH", "l", .. elements]);
            Run("COPY", "l", "copy");
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            string reply = client.Raw(line.Split(' '));
            _heap.FailAfter(-1);
            Assert.Equal(elements, Range("copy"));
            if (!reply.StartsWith("-OOM", StringComparison.Ordinal))
            {
                Assert.NotEqual(elements, Range("l"));
                Assert.True(failures > 0);
                return;
            }

            failures++;
            Assert.Equal(elements, Range("l"));
        }

        Assert.Fail("The command never had memory enough.");
    }

    [Fact]
    public void Changed_limits_count_from_the_next_change_on()
    {
        Run("RPUSH", "l", "1", "2", "3");
        Run("CONFIG", "SET", "list-max-listpack-size", "2");
        Assert.Equal("listpack", Run("OBJECT", "ENCODING", "l"));
        Run("RPUSH", "l", "4");
        Assert.Equal("quicklist", Run("OBJECT", "ENCODING", "l"));
        Run("CONFIG", "SET", "list-max-listpack-size", "-2");
        Run("RPUSH", "l", "5");
        Assert.Equal(["1", "2", "3", "4", "5"], Range("l"));
        Run("CONFIG", "SET", "list-max-ziplist-size", "1");
        Run("LSET", "l", "4", "six");
        Run("LINSERT", "l", "BEFORE", "six", "five");
        Assert.Equal(["1", "2", "3", "4", "five", "six"], Range("l"));
    }

    [Fact]
    public void LMPop_is_passed_on_as_a_pop_of_the_key_it_took_from()
    {
        Run("RPUSH", "l", "1", "2", "3");
        Server.Propagation.Start();
        Run("LMPOP", "2", "nokey", "l", "RIGHT", "COUNT", "2");
        Run("LMPOP", "1", "l", "LEFT", "COUNT", "100");
        Run("LMPOP", "1", "l", "LEFT");
        string text = System.Text.Encoding.Latin1.GetString(Server.Propagation.Bytes);
        Assert.Contains("RPOP\r\n$1\r\nl\r\n$1\r\n2\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith("LPOP\r\n$1\r\nl\r\n$1\r\n1\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("LMPOP", text, StringComparison.Ordinal);
    }

    private string[] Range(string key) => [.. ((object?[])Run("LRANGE", key, "0", "-1")!).Cast<string>()];
}
