namespace KvServer.Server.Tests.Commands;

public sealed class MonitorCommandsTests : CommandHarness
{
    private readonly TestClient _monitor;

    public MonitorCommandsTests()
    {
        _monitor = Connect();
        Assert.Equal("OK", _monitor.Run("MONITOR"));
    }

    [Fact]
    public void Every_monitor_sees_the_same_line()
    {
        TestClient second = Connect(protocol: 3);
        second.Run("MONITOR");
        Run("SELECT", "3");
        Run("SET", "a b\"\\", "\n\r\t\a\b\0\u007f\u00ff~ ");
        string expected = $"+{NowMs / 1000}.000000 [3 127.0.0.1:50000] \"SELECT\" \"3\"\r\n"
            + $"+{NowMs / 1000}.000000 [3 127.0.0.1:50000] \"SET\" \"a b\\\"\\\\\" \"\\n\\r\\t\\a\\b\\x00\\x7f\\xff~ \"\r\n";
        Assert.Equal(expected, _monitor.TakeOutput());
        Assert.Equal(expected, second.TakeOutput());
    }

    [Fact]
    public void A_large_argument_is_shown_whole_also_when_it_has_become_the_value()
    {
        Run("SET", "k", new string('v', 70_000));
        Run("MSET", "a", new string('a', 70_000), "b", new string('b', 70_000));
        string[] lines = Shown();
        Assert.Equal($"\"SET\" \"k\" \"{new string('v', 70_000)}\"", lines[0]);
        Assert.Equal($"\"MSET\" \"a\" \"{new string('a', 70_000)}\" \"b\" \"{new string('b', 70_000)}\"", lines[1]);
    }

    [Fact]
    public void What_did_not_run_or_is_for_operators_is_not_shown()
    {
        Run("GET");
        Run("NOSUCH");
        Run("CONFIG", "GET", "port");
        Run("SLOWLOG", "LEN");
        Run("CLIENT", "ID");
        Assert.Equal(["\"CLIENT\" \"ID\""], Shown());
    }

    [Fact]
    public void Commands_of_a_transaction_come_when_they_run()
    {
        Run("MULTI");
        Run("SET", "k", "v");
        Run("CONFIG", "GET", "port");
        Run("LPUSH", "k", "x");
        Assert.Equal(["\"MULTI\""], Shown());
        Run("EXEC");
        Assert.Equal(["\"SET\" \"k\" \"v\"", "\"LPUSH\" \"k\" \"x\"", "\"EXEC\""], Shown());
    }

    [Fact]
    public void A_waiting_call_is_shown_once()
    {
        Connect().Start("BLPOP", "l", "0");
        Run("RPUSH", "l", "x");
        Assert.Equal(["\"BLPOP\" \"l\" \"0\"", "\"RPUSH\" \"l\" \"x\""], Shown());
    }

    [Fact]
    public void A_monitor_that_there_is_no_memory_for_is_dropped_alone()
    {
        TestClient second = Connect();
        second.Run("MONITOR");
        _monitor.IsOutOfMemory = true;
        Assert.Equal("OK", Run("SET", "k", "v"));
        Assert.NotNull(_monitor.ClosedBecause);
        Assert.Null(second.ClosedBecause);
        Assert.EndsWith("\"SET\" \"k\" \"v\"\r\n", second.TakeOutput(), StringComparison.Ordinal);

        // Without the address there is no line for anybody.
        TestClient nameless = Connect();
        nameless.IsOutOfMemory = true;
        Assert.Equal("v", nameless.Run("GET", "k"));
        Assert.NotNull(second.ClosedBecause);
    }

    [Fact]
    public void Passwords_are_hidden()
    {
        Run("AUTH", "u", "p");
        Run("HELLO", "3", "AUTH", "u", "p");
        Run("HELLO", "2", "FOO", "AUTH", "u", "p");
        Run("HELLO", "AUTH", "u", "p");
        Assert.Equal(
            [
                "\"AUTH\" \"(redacted)\" \"(redacted)\"",
                "\"HELLO\" \"3\" \"AUTH\" \"(redacted)\" \"(redacted)\"",
                "\"HELLO\" \"2\" \"FOO\" \"AUTH\" \"(redacted)\" \"(redacted)\"",
                "\"HELLO\" \"AUTH\" \"(redacted)\" \"(redacted)\"",
            ],
            Shown());
    }

    [Fact]
    public void A_monitor_sees_its_own_commands_after_their_replies_and_may_not_touch_keys()
    {
        Assert.StartsWith("+PONG\r\n+", _monitor.Raw("PING"), StringComparison.Ordinal);
        Assert.Equal("-ERR Replica can't interact with the keyspace\r\n", _monitor.Raw("GET", "k"));
        Assert.Equal("-ERR Replica can't interact with the keyspace\r\n", _monitor.Raw("SET", "k", "v"));
        Assert.Equal("-ERR Replica can't interact with the keyspace\r\n", _monitor.Raw("PUBLISH", "k", "v"));
        Assert.Equal("", _monitor.Raw("MONITOR"));
        Assert.Contains(" flags=O ", (string)Run("CLIENT", "LIST")!, StringComparison.Ordinal);
    }

    [Fact]
    public void RESET_and_the_end_of_the_connection_end_it()
    {
        Assert.Equal("+RESET\r\n", _monitor.Raw("RESET"));
        Run("PING");
        Assert.Equal("", _monitor.TakeOutput());
        Assert.Null(_monitor.Run("GET", "k"));
        _monitor.Run("MONITOR");
        Assert.Equal(1, Server.Monitors.Count);
        Executor.Disconnected(_monitor.Session);
        Assert.Equal(0, Server.Monitors.Count);
        Run("PING");
    }

    [Fact]
    public void Not_in_a_transaction_and_not_for_a_silenced_client()
    {
        Run("MULTI");
        Assert.Equal("QUEUED", Run("MONITOR"));
        Assert.Equal("ERR MONITOR isn't allowed for DENY BLOCKING client", ((object?[])Run("EXEC")!)
            .Cast<ErrorReply>().Single().Text);
        Raw("CLIENT", "REPLY", "OFF");
        Assert.Equal("", Raw("MONITOR"));
        _monitor.Raw("PING");
        Assert.Equal("", Client.TakeOutput());
    }

    // Each line without its time and origin.
    private string[] Shown() => [.. _monitor.TakeOutput()
        .Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line[(line.IndexOf(']', StringComparison.Ordinal) + 2)..])];
}
