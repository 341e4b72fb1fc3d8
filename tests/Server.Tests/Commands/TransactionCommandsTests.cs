using System.Globalization;

namespace KvServer.Server.Tests.Commands;

public sealed class TransactionCommandsTests : CommandHarness
{
    [Fact]
    public void Queued_commands_run_at_EXEC_and_reply_in_one_array()
    {
        Assert.Equal("OK", Run("MULTI"));
        Assert.Equal("QUEUED", Run("SET", "a", "1"));
        Assert.Equal("QUEUED", Run("INCR", "a"));
        Assert.Equal("QUEUED", Run("SADD", "a", "x"));
        Assert.Equal("QUEUED", Run("GET", "a"));
        Assert.Equal(0L, Connect().Run("EXISTS", "a"));

        object?[] replies = (object?[])Run("EXEC")!;

        Assert.Equal(["OK", 2L, "2"], new[] { replies[0], replies[1], replies[3] });
        Assert.StartsWith("WRONGTYPE", Assert.IsType<ErrorReply>(replies[2]).Text, StringComparison.Ordinal);
        Assert.Equal("ERR EXEC without MULTI", Error("EXEC"));
        Assert.Equal(0, Client.Session.TransactionBytes);
    }

    [Fact]
    public void Arguments_outlive_the_bytes_they_came_in_however_long()
    {
        string large = new('x', 100_000);
        Run("MULTI");
        Run("SET", "k", large);
        Run("APPEND", "k", new string('y', 1000));
        Run("SET", "k2", large);
        for (int i = 0; i < 200; i++)
        {
            Run("RPUSH", "l", $"element {i}");
        }

        Assert.Equal(203, ((object?[])Run("EXEC")!).Length);
        Assert.Equal(large + new string('y', 1000), Run("GET", "k"));
        Assert.Equal("element 117", Run("LINDEX", "l", "117"));
    }

    [Fact]
    public void What_was_queued_is_freed_when_the_client_goes_or_gives_up()
    {
        TestClient leaver = Connect();
        leaver.Run("WATCH", "a", "b");
        leaver.Run("MULTI");
        leaver.Run("SET", "a", new string('x', 100_000));
        Executor.Disconnected(leaver.Session);
        Run("WATCH", "a");
        Run("MULTI");
        Run("SET", "a", new string('x', 100_000));
        Assert.Equal("OK", Run("DISCARD"));
        Run("MULTI");
        Run("SET", "a", new string('x', 100_000));
        Assert.Equal("RESET", Run("RESET"));

        Assert.Equal("ERR DISCARD without MULTI", Error("DISCARD"));
        Assert.Equal(0, Server.Transactions.Watched.Count);
        Assert.Equal(0L, Run("DBSIZE"));
    }

    [Theory]
    [InlineData("NOSUCH")]
    [InlineData("GET")]
    [InlineData("CLIENT", "NOSUCH")]
    [InlineData("SAVE")]
    [InlineData("SHUTDOWN")]
    [InlineData("DISCARD", "x")]
    public void A_command_that_cannot_be_queued_makes_EXEC_refuse_all(params string[] request)
    {
        Run("MULTI");
        Run("SET", "a", "1");
        Assert.IsType<ErrorReply>(Run(request));
        Assert.Equal("QUEUED", Run("SET", "a", "2"));
        Assert.Equal("EXECABORT Transaction discarded because of previous errors.", Error("EXEC"));
        Assert.Equal(0L, Run("EXISTS", "a"));
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
    }

    [Fact]
    public void MULTI_and_WATCH_inside_MULTI_are_errors_that_leave_the_transaction_alone()
    {
        Run("MULTI");
        Assert.Equal("ERR MULTI calls can not be nested", Error("MULTI"));
        Assert.Equal("ERR WATCH inside MULTI is not allowed", Error("WATCH", "a"));
        Run("PING");
        Assert.Equal("*1\r\n+PONG\r\n", Raw("EXEC"));
    }

    [Fact]
    public void EXEC_that_is_refused_itself_says_why_and_ends_the_transaction()
    {
        Run("MULTI");
        Run("PING");
        Assert.Equal(
            "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command", Error("EXEC", "x"));
        Assert.Equal("ERR EXEC without MULTI", Error("EXEC"));
    }

    [Fact]
    public void A_transaction_that_writes_is_refused_and_held_where_writes_are()
    {
        Run("MULTI");
        Run("SET", "a", "1");
        Server.Restrict(KvServer.Server.Persistence.Restrictions.WritesRefused, applies: true);
        Assert.StartsWith("EXECABORT Transaction discarded because of: MISCONF", Error("EXEC"), StringComparison.Ordinal);
        Run("MULTI");
        Run("GET", "a");
        Assert.Equal("*1\r\n$-1\r\n", Raw("EXEC"));
        Server.Restrict(KvServer.Server.Persistence.Restrictions.WritesRefused, applies: false);

        TestClient writer = Connect();
        writer.Run("MULTI");
        writer.Run("SET", "a", "1");
        Run("MULTI");
        Run("GET", "a");
        Connect().Run("CLIENT", "PAUSE", "10000", "WRITE");
        Assert.Equal("*1\r\n$-1\r\n", Raw("EXEC"));
        Assert.False(writer.Start("EXEC"));
        Run("CLIENT", "UNPAUSE");
        Assert.Equal("*1\r\n+OK\r\n", writer.TakeOutput());
    }

    [Theory]
    [InlineData("SET k v")]
    [InlineData("DEL k")]
    [InlineData("RENAME k other")]
    [InlineData("RENAME other k")]
    [InlineData("COPY other k REPLACE")]
    [InlineData("EXPIRE k 100")]
    [InlineData("PEXPIREAT k 1")]
    [InlineData("MOVE k 1")]
    [InlineData("FLUSHDB")]
    [InlineData("FLUSHALL")]
    [InlineData("SWAPDB 0 1")]
    [InlineData("SWAPDB 1 0")]
    [InlineData("LSET k 0 v")]
    [InlineData("SORT other STORE k")]
    [InlineData("BLPOP k 0")]
    [InlineData("BLMOVE other k LEFT LEFT 0")]
    public void A_watched_key_that_somebody_changes_makes_EXEC_run_nothing(string change)
    {
        TestClient other = Connect();
        other.Run("RPUSH", "k", "1");
        other.Run("RPUSH", "other", "2");
        Run("WATCH", "k");
        Assert.IsNotType<ErrorReply>(other.Run(change.Split(' ')));
        Run("MULTI");
        Run("SET", "mark", "1");
        Assert.Equal("*-1\r\n", Raw("EXEC"));
        Assert.Equal(0L, Run("EXISTS", "mark"));
        Assert.Equal(0, Server.Transactions.Watched.Count);
    }

    [Theory]
    [InlineData("SET other v")]
    [InlineData("GET k")]
    [InlineData("DEL none")]
    [InlineData("SWAPDB 1 2")]
    [InlineData("COPY k k DB 1")]
    [InlineData("COPY other k")]
    [InlineData("SADD k x")]
    public void What_does_not_change_a_watched_key_lets_EXEC_run(string change)
    {
        TestClient other = Connect();
        other.Run("RPUSH", "k", "1");
        other.Run("RPUSH", "other", "2");
        Run("WATCH", "k", "k");
        other.Run(change.Split(' '));
        Run("MULTI");
        Run("PING");
        Assert.Equal("*1\r\n+PONG\r\n", Raw("EXEC"));
    }

    [Fact]
    public void A_key_is_watched_in_the_database_it_was_named_in()
    {
        TestClient other = Connect();
        Run("WATCH", "k");
        Run("SELECT", "1");
        other.Run("SELECT", "1");
        other.Run("SET", "k", "v");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
        Run("WATCH", "k");
        other.Run("COPY", "k", "k", "DB", "2");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
        other.Run("SELECT", "2");
        Run("SELECT", "2");
        Run("WATCH", "k", "l");
        other.Run("SELECT", "1");
        other.Run("COPY", "k", "l", "DB", "2");
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));
    }

    [Fact]
    public void UNWATCH_and_a_transaction_forget_changes()
    {
        TestClient other = Connect();
        Run("WATCH", "k");
        other.Run("SET", "k", "v");
        Assert.Contains(" flags=d ", (string)Run("CLIENT", "INFO")!, StringComparison.Ordinal);
        Run("UNWATCH");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
        Run("WATCH", "k");
        other.Run("SET", "k", "v");
        Run("MULTI");
        Run("DISCARD");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
    }

    [Fact]
    public void A_watched_key_that_expires_counts_as_changed_whether_or_not_it_is_removed()
    {
        TestClient other = Connect();
        Run("SET", "k", "v", "PX", "10");
        Run("WATCH", "k");
        Advance(11);
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));

        Run("SET", "k", "v", "PX", "10");
        Run("WATCH", "k");
        Advance(11);
        other.Run("GET", "k");
        Run("SET", "unrelated", "v");
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));
    }

    [Fact]
    public void A_key_that_had_expired_when_it_was_watched_is_missing_and_its_removal_is_no_change()
    {
        TestClient other = Connect();
        Run("SET", "k", "v", "PX", "10");
        Advance(11);
        Run("WATCH", "k");
        other.Run("GET", "k");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));

        Run("SET", "k", "v", "PX", "10");
        Advance(11);
        Run("WATCH", "k");
        other.Run("SET", "k", "w");
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));

        Run("SET", "k", "v", "PX", "10");
        Advance(11);
        Run("WATCH", "k");
        other.Run("FLUSHALL");
        Run("MULTI");
        Assert.Equal("*0\r\n", Raw("EXEC"));
    }

    [Fact]
    public void A_field_that_expires_changes_its_hash()
    {
        Run("HSET", "h", "f", "1", "g", "2");
        Run("HPEXPIRE", "h", "10", "FIELDS", "1", "f");
        Run("WATCH", "h");
        Advance(11);
        Run("HGET", "h", "f");
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));
    }

    [Fact]
    public void Blocking_commands_do_not_block_inside()
    {
        Run("MULTI");
        Run("BLPOP", "k", "0");
        Run("BLMOVE", "k", "l", "LEFT", "LEFT", "0");
        Run("BRPOPLPUSH", "k", "l", "0");
        Run("BLMPOP", "0", "1", "k", "LEFT");
        Run("BZPOPMIN", "k", "0");
        Run("BZMPOP", "0", "1", "k", "MIN");
        Assert.Equal("*6\r\n*-1\r\n$-1\r\n$-1\r\n*-1\r\n*-1\r\n*-1\r\n", Raw("EXEC"));
        Assert.Equal(0, Server.Blocked.Count);
        Assert.False(Client.Start("BLPOP", "k", "0"));
    }

    [Fact]
    public void Clients_that_wait_are_served_after_the_whole_transaction()
    {
        TestClient waiter = Connect();
        waiter.Start("BLPOP", "k", "l", "0");
        Run("MULTI");
        Run("RPUSH", "k", "a");
        Run("LPOP", "k");
        Run("RPUSH", "l", "b");
        Run("LPUSH", "l", "c");
        Run("EXEC");
        Assert.Equal("*2\r\n$1\r\nl\r\n$1\r\nc\r\n", waiter.TakeOutput());
    }

    [Fact]
    public void A_pop_that_was_waiting_breaks_watches()
    {
        TestClient waiter = Connect();
        waiter.Start("BLPOP", "k", "0");
        Run("WATCH", "k");
        Connect().Run("RPUSH", "k", "a");
        waiter.TakeOutput();
        Run("MULTI");
        Assert.Equal("*-1\r\n", Raw("EXEC"));
    }

    [Fact]
    public void The_description_of_a_client_counts_what_is_queued_as_the_reference_does()
    {
        Run("MULTI");
        Run("SET", "a", "b");
        Run("CLIENT", "INFO");
        Run("CLIENT", "LIST");
        string line = (string)((object?[])Run("EXEC")!)[1]!;
        Assert.Contains(" flags=x ", line, StringComparison.Ordinal);
        Assert.Contains(" multi=3 ", line, StringComparison.Ordinal);
        Assert.Contains(" multi-mem=81 ", line, StringComparison.Ordinal);
        Assert.Contains(" cmd=exec ", line, StringComparison.Ordinal);
        Assert.Contains(" multi=-1 ", (string)Run("CLIENT", "INFO")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_and_errors_are_counted_for_the_commands_inside_and_for_EXEC_itself()
    {
        long before = Server.Statistics.CommandsProcessed;
        Run("MULTI");
        Run("SET", "a", "x");
        Run("INCR", "a");
        Run("EXEC");
        Assert.Equal(4, Server.Statistics.CommandsProcessed - before);
        Assert.Equal(1, Server.Commands.Find("incr"u8)!.FailedCalls);
        Assert.Equal(1, Server.Commands.Find("incr"u8)!.Calls);
        Assert.Equal(0, Server.Commands.Find("exec"u8)!.FailedCalls);
        Assert.Equal(1, Server.Statistics.ErrorsByCode.Single(pair => pair.Key == "ERR").Value);
        Error("EXEC");
        Assert.Equal(1, Server.Commands.Find("exec"u8)!.FailedCalls);
    }

    [Fact]
    public void A_hundred_thousand_commands_run_as_one()
    {
        Run("MULTI");
        for (int i = 0; i < 100_000; i++)
        {
            Run("INCR", "n");
        }

        Assert.Contains("multi=100000", (string)Connect().Run("CLIENT", "LIST")!, StringComparison.Ordinal);
        object?[] replies = (object?[])Run("EXEC")!;
        Assert.Equal(100_000, replies.Length);
        Assert.Equal(100_000L, replies[^1]);
    }

    [Fact]
    public void Many_watches_come_and_go()
    {
        string[] watch = ["WATCH", .. Enumerable.Range(0, 20_000).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        TestClient second = Connect();
        Run(watch);
        second.Run(watch);
        Run(watch);
        Assert.Equal(40_000, Server.Transactions.Watched.Count);
        Connect().Run("SET", "77", "x");
        Assert.Equal(0, Server.Transactions.Watched.Count);
        Assert.Equal(0, Client.Session.TransactionBytes);
    }

    [Fact]
    public void A_transaction_in_steady_state_allocates_nothing()
    {
        string[][] requests = [["MULTI"], ["SET", "k", "v"], ["GET", "k"], ["INCR", "n"], ["EXEC"]];
        Assert.InRange(Client.AllocatedBytesOf(requests, rounds: 100), 0, 100 * 64);
    }
}
