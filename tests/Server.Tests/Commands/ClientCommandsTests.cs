using KvServer.Server.Clients;

namespace KvServer.Server.Tests.Commands;

public class ClientCommandsTests : CommandHarness
{
    [Fact]
    public void Names_and_library_show_in_the_line_of_the_client()
    {
        Assert.Equal("OK", Run("CLIENT", "SETNAME", "app"));
        Assert.Equal("OK", Run("CLIENT", "SETINFO", "LIB-NAME", "lib"));
        Assert.Equal("OK", Run("CLIENT", "SETINFO", "lib-ver", "1.2"));
        Run("SELECT", "5");
        Advance(2500);
        string line = Assert.IsType<string>(Run("CLIENT", "INFO"));
        Assert.StartsWith("id=1 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=7 name=app age=2 idle=0 flags=N db=5 ", line, StringComparison.Ordinal);
        Assert.EndsWith(" cmd=client|info user=default redir=-1 resp=2 lib-name=lib lib-ver=1.2\n", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERR Client names cannot contain spaces, newlines or special characters.", "SETNAME", "a b")]
    [InlineData("ERR lib-name cannot contain spaces, newlines or special characters.", "SETINFO", "lib-name", "a b")]
    [InlineData("ERR Unrecognized option 'x'", "SETINFO", "x", "y")]
    [InlineData("ERR syntax error", "REPLY", "maybe")]
    [InlineData("ERR syntax error", "NO-EVICT", "maybe")]
    [InlineData("ERR syntax error", "NO-TOUCH", "maybe")]
    [InlineData("ERR timeout is negative", "PAUSE", "-1")]
    [InlineData("ERR timeout is not an integer or out of range", "PAUSE", "x")]
    [InlineData("ERR CLIENT PAUSE mode must be WRITE or ALL", "PAUSE", "1", "x")]
    [InlineData("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR", "UNBLOCK", "1", "x")]
    [InlineData("ERR Unknown client type 'x'", "LIST", "TYPE", "x")]
    [InlineData("ERR Invalid client ID", "LIST", "ID", "x")]
    [InlineData("ERR syntax error", "LIST", "x")]
    [InlineData("ERR No such client", "KILL", "1.2.3.4:5")]
    [InlineData("ERR client-id should be greater than 0", "KILL", "ID", "0")]
    [InlineData("ERR No such user 'x'", "KILL", "USER", "x")]
    [InlineData("ERR syntax error", "KILL", "SKIPME", "x")]
    [InlineData("ERR syntax error", "KILL", "ID", "1", "TYPE")]
    [InlineData("ERR unknown subcommand 'x'. Try CLIENT HELP.", "x")]
    public void Malformed_calls_are_refused(string error, params string[] arguments) =>
        Assert.Equal(error, Error(["CLIENT", .. arguments]));

    [Fact]
    public void List_filters_by_id_and_type()
    {
        TestClient listener = Connect();
        listener.Raw("SUBSCRIBE", "c");
        Assert.Equal(2, Assert.IsType<string>(Run("CLIENT", "LIST")).Count(c => c == '\n'));
        Assert.StartsWith("id=2 ", Assert.IsType<string>(Run("CLIENT", "LIST", "TYPE", "pubsub")), StringComparison.Ordinal);
        Assert.StartsWith("id=2 ", Assert.IsType<string>(Run("CLIENT", "LIST", "ID", "2", "77")), StringComparison.Ordinal);
        Assert.Equal("", Run("CLIENT", "LIST", "TYPE", "replica"));
    }

    [Fact]
    public void Kill_by_id_closes_that_client_only()
    {
        TestClient other = Connect();
        Assert.Equal(1L, Run("CLIENT", "KILL", "ID", "2"));
        Assert.NotNull(other.ClosedBecause);
        Assert.Null(Client.ClosedBecause);
    }

    [Fact]
    public void Kill_spares_the_caller_unless_told_otherwise()
    {
        Assert.Equal(0L, Run("CLIENT", "KILL", "ID", "1"));
        Assert.Equal(1L, Run("CLIENT", "KILL", "ID", "1", "SKIPME", "no"));
        Assert.NotNull(Client.ClosedBecause);
    }

    [Fact]
    public void Reply_off_silences_until_on()
    {
        Assert.Equal("", Raw("CLIENT", "REPLY", "OFF"));
        Assert.Equal("", Raw("PING"));
        Assert.Equal("", Raw("NOSUCH"));
        Assert.Equal("+OK\r\n", Raw("CLIENT", "REPLY", "ON"));
        Assert.Equal("+PONG\r\n", Raw("PING"));
    }

    [Fact]
    public void Reply_skip_silences_the_next_command_only()
    {
        Assert.Equal("", Raw("CLIENT", "REPLY", "SKIP"));
        Assert.Equal("", Raw("NOSUCH"));
        Assert.Equal("+PONG\r\n", Raw("PING"));
        Assert.Equal("", Raw("CLIENT", "REPLY", "SKIP"));
        Assert.Equal("+OK\r\n", Raw("CLIENT", "REPLY", "ON"));
        Assert.Equal("+PONG\r\n", Raw("PING"));
    }

    [Fact]
    public void A_pause_of_writes_holds_writes_until_it_ends()
    {
        TestClient writer = Connect();
        Assert.Equal("OK", Run("CLIENT", "PAUSE", "1000", "WRITE"));
        Assert.Null(Run("GET", "k"));
        Assert.False(writer.Start("SET", "k", "v"));
        Assert.Equal("", writer.TakeOutput());
        Assert.Null(Run("GET", "k"));
        Assert.Equal("OK", Run("CLIENT", "UNPAUSE"));
        Assert.Equal("+OK\r\n", writer.TakeOutput());
        Assert.Equal("v", Run("GET", "k"));
    }

    [Fact]
    public void A_pause_of_all_ends_by_itself_and_lets_errors_through()
    {
        TestClient other = Connect();
        Run("CLIENT", "PAUSE", "1000");
        Assert.Equal("ERR wrong number of arguments for 'get' command", Assert.IsType<ErrorReply>(other.Run("GET")).Text);
        Assert.False(other.Start("GET", "k"));
        Advance(999);
        Server.Pause.EndWhenDue(NowMs);
        Assert.True(Server.Pause.IsActive);
        Advance(1);
        Server.Pause.EndWhenDue(NowMs);
        Assert.Equal("$-1\r\n", other.TakeOutput());
    }

    [Fact]
    public void Nothing_expires_for_good_while_writes_wait()
    {
        Run("SET", "k", "v", "PX", "10");
        Run("CLIENT", "PAUSE", "1000", "WRITE");
        Advance(20);
        Assert.Null(Run("GET", "k"));
        Assert.Equal(1L, Run("DBSIZE"));
        Run("CLIENT", "UNPAUSE");
        Assert.Null(Run("GET", "k"));
        Assert.Equal(0L, Run("DBSIZE"));
    }

    [Fact]
    public void No_touch_leaves_the_access_time_alone()
    {
        Run("SET", "k", "v");
        Run("CLIENT", "NO-TOUCH", "ON");
        Assert.True(Client.Session.Is(ClientFlags.NoTouch));
        Advance(20_000);
        Run("GET", "k");
        Assert.Equal(20L, Run("OBJECT", "IDLETIME", "k"));
        Run("CLIENT", "NO-TOUCH", "OFF");
        Run("GET", "k");
        Assert.Equal(0L, Run("OBJECT", "IDLETIME", "k"));
    }

    [Fact]
    public void Unblock_of_a_client_that_waits_for_nothing_replies_zero() =>
        Assert.Equal(0L, Run("CLIENT", "UNBLOCK", "1"));
}
