using System.Text;

namespace KvServer.Server.Tests.Commands;

public sealed class SortedSetBlockingTests : CommandHarness
{
    [Fact]
    public void Members_serve_the_client_that_has_waited_longest_after_the_whole_command()
    {
        TestClient first = Connect();
        TestClient second = Connect();
        TestClient third = Connect(protocol: 3);
        Assert.False(first.Start("BZPOPMIN", "other", "k", "0"));
        Assert.False(second.Start("BZPOPMAX", "k", "0"));
        Assert.False(third.Start("BZMPOP", "0", "1", "k", "MIN", "COUNT", "2"));

        Assert.Equal(5L, Run("ZADD", "k", "3", "c", "1", "a", "2", "b", "4.5", "d", "2.5", "e"));

        Assert.Equal("*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n", first.TakeOutput());
        Assert.Equal("*3\r\n$1\r\nk\r\n$1\r\nd\r\n$3\r\n4.5\r\n", second.TakeOutput());
        Assert.Equal("*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\nb\r\n,2\r\n*2\r\n$1\r\ne\r\n,2.5\r\n", third.TakeOutput());
        Assert.Equal(["c"], (object?[])Run("ZRANGE", "k", "0", "-1")!);
        Assert.Equal(0, Server.KeyWaits.Count);
        Assert.Equal(0, Server.Blocked.Count);
    }

    [Fact]
    public void Each_client_is_served_by_a_value_of_the_type_it_waits_for()
    {
        TestClient list = Connect();
        TestClient sortedSet = Connect();
        list.Start("BLPOP", "k", "0");
        sortedSet.Start("BZMPOP", "0", "2", "other", "k", "MAX");
        Run("SET", "k", "a string");
        Run("DEL", "k");

        Run("ZADD", "k", "1", "m");
        Assert.Equal("", list.TakeOutput());
        Assert.Equal("*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\nm\r\n$1\r\n1\r\n", sortedSet.TakeOutput());

        sortedSet.Start("BZPOPMIN", "k", "0");
        Run("RPUSH", "k", "x");
        Assert.Equal("*2\r\n$1\r\nk\r\n$1\r\nx\r\n", list.TakeOutput());
        Assert.Equal("", sortedSet.TakeOutput());
    }

    [Fact]
    public void Waiting_ends_with_null_when_the_time_is_over()
    {
        TestClient client = Connect();
        TestClient newer = Connect(protocol: 3);
        client.Start("BZPOPMIN", "k", "0.5");
        newer.Start("BZMPOP", "0.5", "1", "k", "MIN");
        Server.Blocked.EndWhenDue(NowMs + 499);
        Assert.Equal("", client.TakeOutput());
        Server.Blocked.EndWhenDue(NowMs + 500);
        Assert.Equal("*-1\r\n", client.TakeOutput());
        Assert.Equal("_\r\n", newer.TakeOutput());
        Run("ZADD", "k", "1", "m");
        Assert.Equal(1L, Run("ZCARD", "k"));
    }

    [Theory]
    [InlineData("ZUNIONSTORE", "k", "1", "other")]
    [InlineData("ZRANGESTORE", "k", "other", "0", "-1")]
    [InlineData("ZINCRBY", "k", "1", "x")]
    [InlineData("RENAME", "other", "k")]
    [InlineData("COPY", "other", "k")]
    public void Every_way_to_a_sorted_set_serves_the_client(params string[] request)
    {
        TestClient client = Connect();
        Run("ZADD", "other", "1", "x");
        client.Start("BZPOPMAX", "k", "0");

        Run(request);

        Assert.Equal("*3\r\n$1\r\nk\r\n$1\r\nx\r\n$1\r\n1\r\n", client.TakeOutput());
        Assert.Equal(0L, Run("EXISTS", "k"));
    }

    [Theory]
    [InlineData("BZPOPMIN k 0", "ZPOPMIN k")]
    [InlineData("BZPOPMAX nosuch k 0", "ZPOPMAX k")]
    [InlineData("BZMPOP 0 2 nosuch k MIN", "ZPOPMIN k 1")]
    [InlineData("BZMPOP 0 1 k MAX COUNT 2", "ZPOPMAX k 2")]
    [InlineData("BZMPOP 0 1 k MAX COUNT 9", "ZPOPMAX k 3")]
    public void What_was_done_in_the_end_is_passed_on(string request, string expected)
    {
        const string Added = "ZADD k 1 a 2 b 3 c";
        foreach (bool waits in new[] { false, true })
        {
            Run("DEL", "k");
            Server.Propagation.Start();
            TestClient client = Connect();
            if (waits)
            {
                client.Start(request.Split(' '));
            }

            Run(Added.Split(' '));
            if (!waits)
            {
                client.Run(request.Split(' '));
            }

            string text = Encoding.Latin1.GetString(Server.Propagation.Bytes);
            Assert.EndsWith(ToRequest(Added) + ToRequest(expected), text, StringComparison.Ordinal);
            Server.Propagation.Stop();
            client.TakeOutput();
        }
    }

    private static string ToRequest(string line)
    {
        string[] words = line.Split(' ');
        return $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
    }
}
