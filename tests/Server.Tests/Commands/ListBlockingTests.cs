namespace KvServer.Server.Tests.Commands;

public sealed class ListBlockingTests : CommandHarness
{
    [Fact]
    public void A_push_serves_the_client_that_has_waited_longest_after_the_whole_command()
    {
        TestClient first = Connect();
        TestClient second = Connect();
        Assert.False(first.Start("BLPOP", "other", "k", "0"));
        Assert.False(second.Start("BRPOP", "k", "0"));
        Assert.Equal(2, Server.KeyWaits.Count);

        Assert.Equal(3L, Run("RPUSH", "k", "a", "b", "c"));

        Assert.Equal("*2\r\n$1\r\nk\r\n$1\r\na\r\n", first.TakeOutput());
        Assert.Equal("*2\r\n$1\r\nk\r\n$1\r\nc\r\n", second.TakeOutput());
        Assert.Equal(["b"], (object?[])Run("LRANGE", "k", "0", "-1")!);
        Assert.Equal(0, Server.KeyWaits.Count);
        Assert.Equal(0, Server.Blocked.Count);
    }

    [Theory]
    [InlineData("BLPOP k1 k2 0", "RPUSH", "*2\r\n$2\r\nk2\r\n$1\r\n2\r\n")]
    [InlineData("BLMPOP 0 2 k1 k2 LEFT", "RPUSH", "*2\r\n$2\r\nk2\r\n*1\r\n$1\r\n2\r\n")]
    [InlineData("BZPOPMIN k1 k2 0", "ZADD", "*3\r\n$2\r\nk2\r\n$1\r\nm\r\n$1\r\n2\r\n")]
    [InlineData("BZMPOP 0 2 k1 k2 MIN", "ZADD", "*2\r\n$2\r\nk2\r\n*1\r\n*2\r\n$1\r\nm\r\n$1\r\n2\r\n")]
    public void The_key_that_was_changed_first_serves_a_client_that_waits_for_several(string wait, string write, string expected)
    {
        TestClient client = Connect();
        Assert.False(client.Start(wait.Split(' ')));
        string[] member = write == "ZADD" ? ["m"] : [];
        Run("MULTI");
        Run([write, "k2", "2", .. member]);
        Run([write, "k1", "1", .. member]);
        Run("EXEC");
        Assert.Equal(expected, client.TakeOutput());
        Assert.Equal(1L, Run("EXISTS", "k1", "k2"));
    }

    [Fact]
    public void A_client_waits_on_while_there_is_nothing_for_it()
    {
        TestClient first = Connect();
        TestClient second = Connect();
        first.Start("BLPOP", "k", "0");
        second.Start("BLPOP", "k", "0");
        Run("SET", "k", "a string");
        Assert.Equal(2, Server.KeyWaits.Count);
        Run("DEL", "k");
        Run("LPUSH", "k", "x");

        Assert.Equal("*2\r\n$1\r\nk\r\n$1\r\nx\r\n", first.TakeOutput());
        Assert.Equal("", second.TakeOutput());
        Assert.Equal(0L, Run("EXISTS", "k"));
        Assert.Equal(1, Server.KeyWaits.Count);
    }

    [Fact]
    public void What_one_client_moves_serves_the_next()
    {
        TestClient mover = Connect();
        TestClient waiter = Connect();
        mover.Start("BLMOVE", "a", "b", "LEFT", "RIGHT", "0");
        waiter.Start("BLMPOP", "0", "1", "b", "LEFT");

        Run("LPUSH", "a", "x");

        Assert.Equal("$1\r\nx\r\n", mover.TakeOutput());
        Assert.Equal("*2\r\n$1\r\nb\r\n*1\r\n$1\r\nx\r\n", waiter.TakeOutput());
    }

    [Fact]
    public void Waiting_ends_with_null_when_the_time_is_over()
    {
        TestClient pop = Connect();
        TestClient move = Connect();
        pop.Start("BLPOP", "k", "0.5");
        move.Start("BRPOPLPUSH", "k", "l", "1");
        Server.Blocked.EndWhenDue(NowMs + 499);
        Assert.Equal("", pop.TakeOutput());
        Server.Blocked.EndWhenDue(NowMs + 500);
        Assert.Equal("*-1\r\n", pop.TakeOutput());
        Server.Blocked.EndWhenDue(NowMs + 1000);
        Assert.Equal("*-1\r\n", move.TakeOutput());
        Run("RPUSH", "k", "x");
        Assert.Equal(1L, Run("LLEN", "k"));
    }

    [Theory]
    [InlineData("TIMEOUT", "*-1\r\n")]
    [InlineData("ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")]
    public void CLIENT_UNBLOCK_ends_the_wait(string how, string expected)
    {
        TestClient client = Connect();
        client.Start("BLPOP", "k", "0");
        Assert.Equal(1L, Run("CLIENT", "UNBLOCK", client.Session.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), how));
        Assert.Equal(expected, client.TakeOutput());
        Assert.Equal(0, Server.KeyWaits.Count);
    }

    [Theory]
    [InlineData("RENAME", "other", "k")]
    [InlineData("COPY", "other", "k")]
    [InlineData("SWAPDB", "0", "1")]
    [InlineData("MOVE", "m", "0")]
    public void A_list_that_comes_under_the_name_serves_the_client(params string[] request)
    {
        TestClient client = Connect();
        TestClient elsewhere = Connect();
        Run("RPUSH", "other", "x");
        elsewhere.Run("SELECT", "1");
        elsewhere.Run("RPUSH", "k", "x");
        elsewhere.Run("RPUSH", "m", "x");
        client.Start("BLPOP", "k", "m", "0");

        (request[0] == "MOVE" ? elsewhere : Client).Run(request);

        Assert.EndsWith("$1\r\nx\r\n", client.TakeOutput(), StringComparison.Ordinal);
        Assert.Equal(0, Server.KeyWaits.Count);
    }

    [Fact]
    public void What_was_done_in_the_end_is_passed_on()
    {
        Server.Propagation.Start();
        TestClient client = Connect();
        client.Start("BLPOP", "k", "0");
        Run("RPUSH", "k", "a");

        string text = System.Text.Encoding.Latin1.GetString(Server.Propagation.Bytes);
        Assert.EndsWith(
            "*3\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$1\r\na\r\n*2\r\n$4\r\nLPOP\r\n$1\r\nk\r\n", text, StringComparison.Ordinal);
        Server.Propagation.Stop();
        client.TakeOutput();
    }

    [Fact]
    public void A_client_that_goes_away_is_not_served()
    {
        TestClient client = Connect();
        client.Start("BLPOP", "k", "0");
        Executor.Disconnected(client.Session);
        Run("RPUSH", "k", "a");
        Assert.Equal(1L, Run("LLEN", "k"));
        Assert.Equal(0, Server.KeyWaits.Count);
    }
}
