using KvServer.Server.Config;
using KvServer.Server.Hosting;

namespace KvServer.Server.Tests.Acl;

public sealed class AccessControlTests : CommandHarness
{
    [Fact]
    public void Users_that_may_do_everything_are_not_checked()
    {
        Assert.False(Client.Session.Is(KvServer.Server.Clients.ClientFlags.Restricted));
        Run("ACL", "SETUSER", "default", "-flushall");
        Assert.True(Client.Session.Is(KvServer.Server.Clients.ClientFlags.Restricted));
        Assert.StartsWith("NOPERM", Error("FLUSHALL"), StringComparison.Ordinal);
        Run("ACL", "SETUSER", "default", "+flushall");
        Assert.True(Client.Session.Is(KvServer.Server.Clients.ClientFlags.Restricted));
        Run("ACL", "SETUSER", "default", "+@all");
        Assert.False(Client.Session.Is(KvServer.Server.Clients.ClientFlags.Restricted));
    }

    [Fact]
    public void Checks_allocate_nothing()
    {
        string[] rules = [.. Enumerable.Range(0, 25).Select(i => $"~prefix{i}:*"), .. Enumerable.Range(0, 24).Select(i => $"&c{i}"), "~k*"];
        Run(["ACL", "SETUSER", "u", "on", "nopass", "+@all", "-flushall", .. rules]);
        Assert.Equal("OK", Run("AUTH", "u", "x"));
        string[][] requests =
        [
            ["SET", "k", "v"], ["GET", "k"], ["MGET", "k", "k2"], ["EXISTS", "k"], ["PUBLISH", "c1", "m"],
            ["ZUNIONSTORE", "k3", "2", "k4", "k5"], ["XREAD", "COUNT", "1", "STREAMS", "k6", "k7", "0", "0"],
            ["LMPOP", "2", "k8", "k9", "LEFT"],
        ];
        Assert.Equal(0, Client.AllocatedBytesOf(requests, rounds: 200));
    }

    [Fact]
    public void A_wrong_password_costs_the_same_for_a_name_that_nobody_has()
    {
        Run("ACL", "SETUSER", "ann", "on", ">secret");
        long ofUser = Client.AllocatedBytesOf([["AUTH", "ann", "wrong"]], rounds: 200);
        long ofNobody = Client.AllocatedBytesOf([["AUTH", "bob", "wrong"]], rounds: 200);
        Assert.Equal(ofUser, ofNobody);
    }

    [Theory]
    [InlineData("secret", "Syntax error")]
    [InlineData("#secret", "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")]
    [InlineData("<secret", "The password you are trying to remove from the user does not exist")]
    [InlineData("(>secret", "Unmatched parenthesis in selector definition.")]
    [InlineData("+nosuch", "Error in applying operation '+nosuch': Unknown command or category name in ACL")]
    public void What_may_be_a_password_is_not_told_when_a_declaration_is_wrong(string rule, string reason)
    {
        Server.Config.Users = [["ann", "on", rule]];
        StartupException error = Assert.Throws<StartupException>(Server.Acl.LoadAtStart);
        Assert.Equal("Error in the declaration of user 'ann': " + reason, error.Message);
    }

    [Theory]
    [InlineData("0 +@all")]
    [InlineData("0\nuser eve on nopass +@all ~*")]
    [InlineData("0\0")]
    public void A_first_argument_is_one_word(string firstArg)
    {
        Run("ACL", "SETUSER", "u", "+select|1");
        object? before = Run("ACL", "LIST");
        Assert.EndsWith("': Syntax error", Error("ACL", "SETUSER", "u", "+select|" + firstArg), StringComparison.Ordinal);
        Assert.Equal(before, Run("ACL", "LIST"));
    }

    [Fact]
    public void Lines_of_the_configuration_bring_back_every_user()
    {
        Run("ACL", "SETUSER", "a\"b", "on", ">pw", "~a\"b", "~'c", "~back\\slash", "~\u00e9", "%R~r", "&\"", "+get", "+select|\"0");
        Run("ACL", "SETUSER", "sel", "(~s1 +get &c)", "(~s2) -@all +@read)", "(\"~s\\\"3\" +set)", "+@all", "-flushall");
        Run("ACL", "SETUSER", "", "nopass", "#" + new string('0', 64));
        Run("ACL", "SETUSER", "default", "sanitize-payload", "-flushall");
        object? users = Run("ACL", "LIST");
        object? selectors = Run("ACL", "GETUSER", "sel");
        Assert.Contains(Server.Acl.ConfigLines(), line => line.Contains(" on #", StringComparison.Ordinal));
        Server.Config.Users = [.. Server.Acl.ConfigLines().Select(line => ConfigText.Split(line)!.Skip(1).ToArray())];
        foreach (string name in new[] { "a\"b", "sel", "" })
        {
            Run("ACL", "DELUSER", name);
        }

        Run("ACL", "SETUSER", "default", "+@all");
        Server.Acl.LoadAtStart();
        Assert.Equal(users, Run("ACL", "LIST"));
        Assert.Equal(selectors, Run("ACL", "GETUSER", "sel"));
    }

    [Fact]
    public void Newer_commands_belong_to_their_categories()
    {
        Run("ACL", "SETUSER", "u", "+@hash", "~h");
        Assert.Equal("OK", Run("ACL", "DRYRUN", "u", "HEXPIRE", "h", "1", "FIELDS", "1", "f"));
        Assert.Equal(
            "This user has no permissions to access the 'i' key",
            Run("ACL", "DRYRUN", "u", "HGETDEL", "i", "FIELDS", "1", "f"));
        Assert.Contains("-@all +@hash", Assert.IsType<string>(Assert.IsType<object?[]>(Run("ACL", "LIST"))[1]), StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_that_the_server_does_not_have_are_kept_in_rules()
    {
        Assert.Equal("OK", Run("ACL", "SETUSER", "u", "+@all", "-replicaof", "-@scripting"));
        string line = Assert.IsType<string>(Assert.IsType<object?[]>(Run("ACL", "LIST"))[1]);
        Assert.Equal("user u off resetchannels +@all -@scripting -replicaof", line);
    }

    [Fact]
    public void Removing_a_user_closes_its_clients_and_no_others()
    {
        Run("ACL", "SETUSER", "u", "on", "nopass", "+@all");
        TestClient user = Connect();
        TestClient other = Connect();
        Assert.Equal("OK", user.Run("AUTH", "u", "x"));
        Assert.Equal(1L, Run("ACL", "DELUSER", "u", "nobody"));
        Assert.NotNull(user.ClosedBecause);
        Assert.Null(other.ClosedBecause);
        Assert.Null(Client.ClosedBecause);
    }

    [Fact]
    public void Rules_are_secret_wherever_calls_are_shown()
    {
        Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
        Run("ACL", "SETUSER", "u", ">secret");
        object?[] entry = Assert.IsType<object?[]>(Assert.IsType<object?[]>(Run("SLOWLOG", "GET", "1"))[0]);
        Assert.Equal(["ACL", "SETUSER", "(redacted)", "(redacted)"], Assert.IsType<object?[]>(entry[3]));
    }
}
