namespace KvServer.Server.Tests.Commands;

public sealed class SlowLogCommandsTests : CommandHarness
{
    [Fact]
    public void A_call_is_noted_from_the_limit_on()
    {
        EachCallTakes(9_999);
        Run("SET", "k", "v");
        EachCallTakes(10_000);
        Run("CLIENT", "SETNAME", "me");
        Run("GET", "k");
        EachCallTakes(0);
        object?[] entries = Entries();
        Assert.Equal(2, entries.Length);
        Assert.Equal(
            [1L, NowMs / 1000, 10_000L, new object?[] { "GET", "k" }, "127.0.0.1:50000", "me"], (object?[])entries[0]!);
        Assert.Equal(0L, ((object?[])entries[1]!)[0]);
    }

    [Fact]
    public void The_limit_and_the_length_can_be_changed()
    {
        Run("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "3");
        Assert.Equal("0", Arguments(Assert.Single(Entries()))[3]); // The very call that changes the limit is under it.
        for (int i = 0; i < 5; i++)
        {
            Run("SET", "k", $"{i}");
        }

        Assert.Equal(["4", "3", "2"], Entries().Select(entry => Arguments(entry)[2]));
        Run("CONFIG", "SET", "slowlog-log-slower-than", "-1");
        long length = (long)Run("SLOWLOG", "LEN")!;
        EachCallTakes(1_000_000_000);
        Run("SET", "k", "v");
        Assert.Equal(length, Run("SLOWLOG", "LEN"));
        Assert.Equal("OK", Run("SLOWLOG", "RESET"));
        Assert.Equal(0L, Run("SLOWLOG", "LEN"));
    }

    [Fact]
    public void Ids_go_on_after_a_reset()
    {
        EachCallTakes(20_000);
        Run("SET", "k", "v");
        Run("SLOWLOG", "RESET");
        EachCallTakes(0);
        Assert.Equal(1L, ((object?[])Entries().Single()!)[0]);
    }

    [Fact]
    public void Long_and_many_arguments_are_cut()
    {
        EachCallTakes(20_000);
        Run(["RPUSH", .. Enumerable.Range(1, 31).Select(i => $"{i}")]);
        Assert.Equal("31", Arguments(Entries()[0])[^1]);
        Run(["RPUSH", .. Enumerable.Range(1, 32).Select(i => $"{i}")]);
        string[] arguments = Arguments(Entries()[0]);
        Assert.Equal(32, arguments.Length);
        Assert.Equal("... (2 more arguments)", arguments[^1]);
        Run("SET", new string('k', 128), new string('v', 129));
        Assert.Equal([new string('k', 128), new string('v', 128) + "... (1 more bytes)"], Arguments(Entries()[0])[1..]);
    }

    [Theory]
    [InlineData("SET", "k", "{v}")]
    [InlineData("SETEX", "k", "100", "{v}")]
    [InlineData("GETSET", "k", "{v}")]
    [InlineData("SET", "k", "{v}", "EX", "100")]
    [InlineData("MSET", "a", "1", "k", "{v}", "b", "2")]
    [InlineData("APPEND", "k", "{v}")]
    public void A_large_argument_that_has_become_the_value_is_still_read(params string[] command)
    {
        EachCallTakes(20_000);
        Run([.. command.Select(word => word == "{v}" ? new string('v', 70_000) : word)]);
        string[] arguments = Arguments(Entries()[0]);
        Assert.Equal(new string('v', 128) + "... (69872 more bytes)", arguments[Array.IndexOf(command, "{v}")]);
    }

    [Fact]
    public void An_entry_that_there_is_no_memory_for_is_left_out()
    {
        EachCallTakes(20_000);
        TestClient client = Connect();
        client.IsOutOfMemory = true; // Its address is looked up for the entry.
        Assert.Equal("PONG", client.Run("PING"));
        EachCallTakes(0);
        Assert.Empty(Entries());
    }

    [Fact]
    public void Secrets_are_hidden()
    {
        EachCallTakes(20_000);
        string[][] commands =
        [
            ["AUTH", "secret"],
            ["AUTH", "secret", "secret"],
            ["AUTH", "secret", "secret", "secret"],
            ["HELLO", "3", "AUTH", "secret", "secret", "SETNAME", "n"],
            ["HELLO", "3", "SETNAME", "auth", "auth", "secret", "secret"],
            ["HELLO", "9", "foo", "AUTH", "secret"],
            ["HELLO", "AUTH", "secret", "secret"],
            ["HELLO", "SETNAME", "auth", "AUTH", "secret", "secret"],
            ["CONFIG", "SET", "masterauth", "secret", "maxmemory", "0", "MASTERUSER", "secret"],
            ["CONFIG", "SET", "tls-key-file-pass", "secret", "tls-client-key-file-pass", "secret"],
            ["CONFIG", "SET", "requirepass", "secret", "nosuch", "x"],
        ];
        Assert.All(commands, command =>
        {
            Raw(command);
            string[] arguments = Arguments(Entries()[0]);
            Assert.Equal(command.Select(word => word == "secret" ? "(redacted)" : word), arguments);
        });
    }

    [Fact]
    public void Refused_calls_and_EXEC_are_not_noted_but_its_commands_are()
    {
        EachCallTakes(20_000);
        Run("NOSUCH");
        Run("GET");
        Run("MULTI");
        Run("SET", "k", "v");
        Run("GET", "k");
        Run("EXEC");
        EachCallTakes(0);
        Assert.Equal(["GET", "SET", "MULTI"], Entries().Select(entry => Arguments(entry)[0]));
    }

    [Fact]
    public void A_call_that_waited_is_noted_when_it_ends_without_the_wait()
    {
        EachCallTakes(20_000);
        TestClient waiter = Connect();
        waiter.Start("BLPOP", "l", "0");
        Assert.Equal(0L, Run("SLOWLOG", "LEN"));
        Advance(3_600_000);
        Run("RPUSH", "l", "x");
        EachCallTakes(0);
        Assert.NotEqual("", waiter.TakeOutput());
        object?[] entry = (object?[])Entries().Single(entry => Arguments(entry)[0] == "BLPOP")!;
        Assert.Equal(40_000L, entry[2]);
        Assert.Contains("cmdstat_blpop:calls=1,usec=40000,", (string)Run("INFO", "commandstats")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_in_a_pipeline_that_are_slow_together_are_told_apart_from_then_on()
    {
        EachCallTakes(10_000);
        Pipeline("GET a", "GET b", "GET c");
        object?[] entry = (object?[])Entries().Single()!;
        Assert.Equal(10_000L, entry[2]);
        Assert.Equal(["GET", "c"], Arguments(entry));

        Pipeline("GET d", "GET e");
        Assert.Equal(["e", "d"], Entries().Take(2).Select(later => Arguments(later)[1]));
        Run("SLOWLOG", "RESET");
        Advance(10_000);
        Run("SLOWLOG", "RESET");
        Pipeline("GET f", "GET g");
        EachCallTakes(0);
        Assert.Equal(["g"], Entries().Where(later => Arguments(later)[0] == "GET").Select(later => Arguments(later)[1]));
    }

    [Fact]
    public void Calls_that_may_take_long_for_what_they_are_given_are_timed_alone()
    {
        Run("SET", "big", new string('x', 100_000));
        EachCallTakes(10_000);
        Pipeline("SADD s 1", "SADD s 1 2 3 4 5 6 7", "SADD s 3", "GET big", "GET k", "KEYS x", "KEYS y");
        EachCallTakes(0);
        Assert.Equal(
            ["KEYS y", "KEYS x", "GET k", "GET big", "SADD s 3", "SADD s 1 2 3 4 5 6 7", "SADD s 1"],
            Entries().Select(entry => string.Join(' ', Arguments(entry))));
    }

    private static string[] Arguments(object? entry) => [.. ((object?[])((object?[])entry!)[3]!).Cast<string>()];

    private object?[] Entries() => (object?[])Run("SLOWLOG", "GET", "-1")!;

    private void Pipeline(params string[] commands) =>
        Client.Send(System.Text.Encoding.ASCII.GetBytes(string.Concat(commands.Select(command => command + "\r\n"))));
}
