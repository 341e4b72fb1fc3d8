using KvServer.Server.Clients;

namespace KvServer.Server.Tests.Commands;

public sealed class StreamBlockingTests : CommandHarness
{
    private const string Entry = "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";

    public StreamBlockingTests()
    {
        Run("XADD", "s", "1-1", "a", "b");
        Run("XGROUP", "CREATE", "s", "g", "$");
    }

    [Fact]
    public void An_entry_serves_all_readers_and_one_consumer_of_each_group()
    {
        TestClient reader = Wait("XREAD BLOCK 0 STREAMS none s $ $");
        TestClient first = Wait("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        TestClient second = Wait("XREADGROUP GROUP g d BLOCK 0 STREAMS s >");
        Run("XADD", "s", "2-1", "a", "b");
        Assert.Equal(Entry, reader.TakeOutput());
        Assert.Equal(Entry, first.TakeOutput());
        Assert.Equal("", second.TakeOutput());
        Run("XADD", "s", "3-1", "a", "b");
        Assert.Contains("$3\r\n3-1\r\n", second.TakeOutput(), StringComparison.Ordinal);
        Assert.Equal(0, Server.KeyWaits.Count);
        Assert.Equal(0, Server.KeyWaits.WakesWhenGoneCount);
        Assert.Equal(0, Server.Blocked.Count);
    }

    [Fact]
    public void A_key_that_expires_by_itself_ends_the_wait_of_consumers()
    {
        TestClient reader = Wait("XREAD BLOCK 0 STREAMS s $");
        TestClient consumer = Wait("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        Run("PEXPIRE", "s", "100");
        Advance(101);
        Server.RunCron(hz: 10);
        Assert.True(Server.KeyWaits.HasReady);
        Executor.ServeWaiting();
        Assert.Equal("-UNBLOCKED the stream key no longer exists\r\n", consumer.TakeOutput());
        Assert.Equal("", reader.TakeOutput());
    }

    [Fact]
    public void One_that_waited_and_named_no_count_gets_a_thousand_entries()
    {
        TestClient reader = Wait("XREAD BLOCK 0 STREAMS s 1-1");
        Run("XADD", "other", "1-1", "a", "b");
        for (int i = 2; i <= 1500; i++)
        {
            Run("XADD", "other", $"{i}-1", "a", "b");
        }

        Run("RENAME", "other", "s");
        Assert.StartsWith("*1\r\n*2\r\n$1\r\ns\r\n*1000\r\n", reader.TakeOutput());
    }

    [Fact]
    public void A_wait_ends_with_null_when_the_time_is_over_and_with_an_error_when_told_so()
    {
        TestClient reader = Wait("XREAD BLOCK 500 STREAMS s $");
        TestClient consumer = Wait("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        Server.Blocked.EndWhenDue(NowMs + 500);
        Assert.Equal("*-1\r\n", reader.TakeOutput());
        Run("CLIENT", "UNBLOCK", consumer.Session.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), "ERROR");
        Assert.Equal("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n", consumer.TakeOutput());
        Assert.Equal(0, Server.KeyWaits.WakesWhenGoneCount);
        Assert.Contains("errorstat_UNBLOCKED:count=1\r\n", (string)Run("INFO", "errorstats")!, StringComparison.Ordinal);
        string calls = (string)Run("INFO", "commandstats")!;
        Assert.Matches("cmdstat_xreadgroup:calls=1,[^\r]*failed_calls=1\r", calls);
        Assert.Matches("cmdstat_xread:calls=1,[^\r]*failed_calls=0\r", calls);
    }

    [Fact]
    public void What_a_consumer_gets_after_a_wait_is_passed_on()
    {
        Server.Propagation.Start();
        Wait("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        Wait("XREADGROUP GROUP g d NOACK BLOCK 0 STREAMS s >");
        Run("XADD", "s", "2-1", "a", "b");
        Run("XADD", "s", "3-1", "a", "b");
        string passed = System.Text.Encoding.Latin1.GetString(Server.Propagation.Bytes);
        Assert.Contains($"XCLAIM\r\n$1\r\ns\r\n$1\r\ng\r\n$1\r\nc\r\n$1\r\n0\r\n$3\r\n2-1\r\n$4\r\nTIME\r\n$13\r\n{NowMs}\r\n", passed, StringComparison.Ordinal);
        Assert.Contains("CREATECONSUMER\r\n$1\r\ns\r\n$1\r\ng\r\n$1\r\nd\r\n", passed, StringComparison.Ordinal);
        Assert.Contains("SETID\r\n$1\r\ns\r\n$1\r\ng\r\n$3\r\n3-1\r\n$11\r\nENTRIESREAD\r\n$1\r\n3\r\n", passed, StringComparison.Ordinal);
        Assert.DoesNotContain("XREADGROUP", passed, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_may_not_wait_gets_its_answer_at_once()
    {
        Client.Session.Set(ClientFlags.DenyBlocking, on: true);
        Assert.Equal("*-1\r\n", Raw("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"));
        Assert.Equal("*-1\r\n", Raw("BLPOP", "none", "0"));
        Assert.Equal(0, Server.Blocked.Count);
    }

    private TestClient Wait(string line)
    {
        TestClient client = Connect();
        Assert.False(client.Start(line.Split(' ')));
        return client;
    }
}
