namespace KvServer.Server.Tests.Acl;

/// <summary>What ACL LOG makes of refusals, by a clock of its own.</summary>
public sealed class AclLogTests : CommandHarness
{
    private const int MinuteMs = 60_000;

    private readonly TestClient _user;

    public AclLogTests()
    {
        Assert.Equal("OK", Run("ACL", "SETUSER", "u", "on", "nopass", "+@all", "-flushall", "~a*", "&a*"));
        _user = Connect();
        Assert.Equal("OK", _user.Run("AUTH", "u", "x"));
    }

    [Fact]
    public void Like_refusals_within_a_minute_share_an_entry()
    {
        _user.Run("GET", "b");
        Advance(MinuteMs);
        _user.Run("GET", "b");
        Advance(500);
        object?[] log = Log();
        object?[] entry = Assert.IsType<object?[]>(Assert.Single(log));
        Assert.Equal(
            ["count", 2L, "reason", "key", "context", "toplevel", "object", "b", "username", "u", "age-seconds", "0.5", "client-info"],
            entry[..13]);
        Assert.Contains(" user=u ", Assert.IsType<string>(entry[13]), StringComparison.Ordinal);
        Advance(MinuteMs - 500 + 1);
        _user.Run("GET", "b");
        Assert.Equal([1L, 2L], Log().Select(CountOf));
    }

    [Fact]
    public void Reason_context_and_object_keep_refusals_apart()
    {
        _user.Run("GET", "b");
        _user.Run("GET", "c");
        _user.Run("SET", "b", "x");
        _user.Run("FLUSHALL");
        _user.Run("PUBLISH", "b", "x");
        _user.Run("AUTH", "u2", "b");
        _user.Run("MULTI");
        _user.Run("GET", "b");
        Assert.Equal(
            ["1 key multi b u", "1 auth toplevel AUTH u2", "1 channel toplevel b u", "1 command toplevel flushall u",
                "2 key toplevel b u", "1 key toplevel c u"],
            Log().Select(Describe));
        Assert.Equal("1 key multi b u", Describe(Assert.Single(Assert.IsType<object?[]>(Run("ACL", "LOG", "1")))));
        Assert.Equal("OK", Run("ACL", "LOG", "RESET"));
        Assert.Empty(Log());
    }

    [Fact]
    public void What_exec_refuses_is_logged_once_more()
    {
        _user.Run("MULTI");
        _user.Run("GET", "a");
        Run("ACL", "SETUSER", "u", "resetkeys");
        object?[] replies = Assert.IsType<object?[]>(_user.Run("EXEC"));
        Assert.StartsWith("NOPERM ACLs rules changed", Assert.IsType<ErrorReply>(Assert.Single(replies)).Text, StringComparison.Ordinal);
        Assert.Equal("1 key multi a u", Describe(Assert.Single(Log())));
    }

    [Fact]
    public void Only_the_newest_entries_are_kept_and_only_the_beginning_of_long_names()
    {
        Server.Config.AclLogMaxLen = 3;
        for (int i = 0; i < 20; i++)
        {
            _user.Run("GET", $"k{i}");
        }

        Assert.Equal(["1 key toplevel k19 u", "1 key toplevel k18 u", "1 key toplevel k17 u"], Log().Select(Describe));
        _user.Run("GET", new string('k', 100_000));
        Assert.Equal($"1 key toplevel {new string('k', 1024)} u", Describe(Log()[0]));
        Server.Config.AclLogMaxLen = 0;
        _user.Run("GET", "x");
        Assert.Empty(Log());
    }

    [Fact]
    public void Info_counts_refusals_by_reason()
    {
        _user.Run("GET", "b");
        _user.Run("GET", "b");
        _user.Run("FLUSHALL");
        _user.Run("PUBLISH", "b", "x");
        Assert.StartsWith("WRONGPASS", Assert.IsType<ErrorReply>(_user.Run("AUTH", "nobody", "x")).Text, StringComparison.Ordinal);
        string info = Assert.IsType<string>(Run("INFO", "stats"));
        Assert.Contains("acl_access_denied_auth:1\r\n", info, StringComparison.Ordinal);
        Assert.Contains("acl_access_denied_cmd:1\r\n", info, StringComparison.Ordinal);
        Assert.Contains("acl_access_denied_key:2\r\n", info, StringComparison.Ordinal);
        Assert.Contains("acl_access_denied_channel:1\r\n", info, StringComparison.Ordinal);
    }

    private static long CountOf(object? entry) => Assert.IsType<long>(Assert.IsType<object?[]>(entry)[1]);

    private static string Describe(object? entry)
    {
        object?[] fields = Assert.IsType<object?[]>(entry);
        return $"{fields[1]} {fields[3]} {fields[5]} {fields[7]} {fields[9]}";
    }

    private object?[] Log() => Assert.IsType<object?[]>(Run("ACL", "LOG", "100"));
}
