namespace KvServer.Server.Tests.Commands;

public class ConfigCommandsTests : CommandHarness
{
    [Fact]
    public void Get_takes_several_patterns()
    {
        object?[] found = Assert.IsType<object?[]>(Run("CONFIG", "GET", "databases", "lazyfree-lazy-user-*"));
        Assert.Contains("databases", found);
        Assert.Contains("lazyfree-lazy-user-flush", found);
        Assert.Equal("%0\r\n", Connect(protocol: 3).Raw("CONFIG", "GET", "nosuch"));
    }

    [Fact]
    public void Set_changes_all_options_or_none()
    {
        Assert.Equal("OK", Run("CONFIG", "SET", "timeout", "7", "lazyfree-lazy-user-flush", "yes"));
        Assert.True(Server.Config.LazyFreeLazyUserFlush);
        Assert.StartsWith("ERR CONFIG SET failed", Error("CONFIG", "SET", "timeout", "9", "hz", "x"), StringComparison.Ordinal);
        Assert.Equal(["timeout", "7"], Assert.IsType<object?[]>(Run("CONFIG", "GET", "timeout")));
    }

    [Fact]
    public void A_password_set_later_leaves_present_clients_in_and_stops_new_ones()
    {
        Assert.Equal("OK", Run("CONFIG", "SET", "requirepass", "secret"));
        Assert.Null(Run("GET", "k"));
        TestClient late = Connect();
        Assert.Equal("NOAUTH Authentication required.", Assert.IsType<ErrorReply>(late.Run("GET", "k")).Text);
    }

    [Fact]
    public void Calls_that_cannot_work_say_so()
    {
        Assert.Equal("ERR wrong number of arguments for 'config|set' command", Error("CONFIG", "SET", "a", "b", "c"));
        Assert.Equal("ERR Unknown option or number of arguments for CONFIG SET - 'a'", Error("CONFIG", "SET", "a", "b"));
        Assert.Equal("ERR The server is running without a config file", Error("CONFIG", "REWRITE"));
    }
}
