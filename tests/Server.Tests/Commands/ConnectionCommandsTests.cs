using System.Text;
using KvServer.Server.PubSub;

namespace KvServer.Server.Tests.Commands;

public class ConnectionCommandsTests : CommandHarness
{
    private const string Refused = "WRONGPASS invalid username-password pair or user is disabled.";

    [Fact]
    public void Ping_replies_pong_or_the_message()
    {
        Assert.Equal("+PONG\r\n", Raw("PING"));
        Assert.Equal("$2\r\nhi\r\n", Raw("PING", "hi"));
        Assert.Equal("ERR wrong number of arguments for 'ping' command", Error("PING", "a", "b"));
    }

    [Fact]
    public void Auth_without_a_configured_password_is_an_error_for_one_argument_only()
    {
        Assert.StartsWith("ERR AUTH <password> called without any password", Error("AUTH", "x"), StringComparison.Ordinal);
        Assert.Equal("OK", Run("AUTH", "default", "whatever"));
        Assert.Equal(Refused, Error("AUTH", "somebody", "x"));
        Assert.Equal("ERR syntax error", Error("AUTH", "a", "b", "c"));
    }

    [Fact]
    public void A_password_lets_nobody_in_who_does_not_know_it()
    {
        Server.Acl.SetRequiredPassword(Encoding.ASCII.GetBytes("secret"));
        Client.Session.Authenticated = false;
        Assert.Equal("NOAUTH Authentication required.", Error("GET", "k"));
        Assert.Equal(Refused, Error("AUTH", "secre"));
        Assert.Equal(Refused, Error("AUTH", "other", "secret"));
        Assert.StartsWith("NOAUTH HELLO must be called", Error("HELLO", "3"), StringComparison.Ordinal);
        Assert.Equal(2, Server.Statistics.AclAccessDeniedAuth);
        Assert.Equal("OK", Run("AUTH", "secret"));
        Assert.Null(Run("GET", "k"));
        Assert.Equal("RESET", Run("RESET"));
        Assert.Equal("NOAUTH Authentication required.", Error("GET", "k"));
    }

    [Fact]
    public void A_password_taken_away_lets_everybody_in()
    {
        Client.Session.Authenticated = false;
        Assert.Null(Run("GET", "k"));
    }

    [Fact]
    public void Hello_switches_the_protocol_and_names_the_client()
    {
        string greeting = Raw("HELLO", "3", "AUTH", "default", "x", "SETNAME", "me");
        Assert.StartsWith("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n", greeting, StringComparison.Ordinal);
        Assert.Equal("me", Run("CLIENT", "GETNAME"));
        Assert.Equal("_\r\n", Raw("GET", "k"));
        Assert.StartsWith("%7\r\n", Raw("HELLO"), StringComparison.Ordinal);
        Assert.StartsWith("*14\r\n", Raw("HELLO", "2"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4", "NOPROTO unsupported protocol version")]
    [InlineData("x", "ERR Protocol version is not an integer or out of range")]
    [InlineData("3 AUTH a", "ERR Syntax error in HELLO option 'AUTH'")]
    [InlineData("3 FOO", "ERR Syntax error in HELLO option 'FOO'")]
    [InlineData("3 AUTH nobody x SETNAME a", "WRONGPASS invalid username-password pair or user is disabled.")]
    public void A_refused_hello_changes_nothing(string arguments, string error)
    {
        Assert.Equal(error, Error(["HELLO", .. arguments.Split(' ')]));
        Assert.Equal(2, Client.Session.Reply.Protocol);
        Assert.Null(Run("CLIENT", "GETNAME"));
    }

    [Fact]
    public void Reset_forgets_what_the_client_chose()
    {
        Run("HELLO", "3", "SETNAME", "me");
        Run("SELECT", "3");
        Client.Raw("SUBSCRIBE", "c");
        Assert.Equal("+RESET\r\n", Raw("RESET"));
        Assert.Equal(0, Client.Session.Database.Index);
        Assert.Equal(2, Client.Session.Reply.Protocol);
        Assert.Equal(0, Server.PubSub.CountOf(SubscriptionKind.Channel));
        Assert.Null(Run("CLIENT", "GETNAME"));
    }

    [Theory]
    [InlineData("16", "ERR DB index is out of range")]
    [InlineData("-1", "ERR DB index is out of range")]
    [InlineData("x", "ERR value is not an integer or out of range")]
    [InlineData("99999999999", "ERR value is out of range, value must between -2147483648 and 2147483647")]
    public void Select_refuses_what_is_no_database(string index, string error) =>
        Assert.Equal(error, Error("SELECT", index));

    [Fact]
    public void Quit_replies_and_closes()
    {
        Assert.Equal("+OK\r\n", Raw("QUIT"));
        Assert.NotNull(Client.ClosedBecause);
    }
}
