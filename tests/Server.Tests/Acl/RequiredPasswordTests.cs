using KvServer.Server.Acl;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Tests.Net;
using KvServer.Storage;

namespace KvServer.Server.Tests.Acl;

/// <summary>The password of the configuration beside users that are declared.</summary>
public sealed class RequiredPasswordTests : IDisposable
{
    private const string Unused = "'requirepass' is set, but the default user needs no password";

    private readonly string _file = Path.GetTempFileName();
    private readonly Keyspace _keyspace = new(new KeyspaceOptions());
    private readonly ListLogger _log = new();

    public void Dispose()
    {
        _keyspace.Dispose();
        File.Delete(_file);
    }

    [Theory]
    [InlineData("", true, false)]
    [InlineData("user ann on nopass", true, false)]
    [InlineData("user default on >own", true, false)]
    [InlineData("user default on nopass", false, true)]
    public void Of_a_file_only_a_declaration_of_the_default_user_takes_its_place(string text, bool isNeeded, bool warns)
    {
        File.WriteAllText(_file, text);
        CheckStart(new ServerConfig { RequirePass = "pw"u8.ToArray(), AclFile = _file }, isNeeded, warns);
    }

    [Theory]
    [InlineData("ann on nopass", true, false)]
    [InlineData("default on >own", true, false)]
    [InlineData("default on nopass", false, true)]
    public void A_declaration_in_the_configuration_takes_its_place(string user, bool isNeeded, bool warns) =>
        CheckStart(new ServerConfig { RequirePass = "pw"u8.ToArray(), Users = [user.Split(' ')] }, isNeeded, warns);

    [Fact]
    public void A_reload_keeps_it_and_warns_where_it_does_not_count()
    {
        File.WriteAllText(_file, "user default on >own\n");
        ServerState server = Start(new ServerConfig { RequirePass = "pw"u8.ToArray(), AclFile = _file });
        File.WriteAllText(_file, "user ann on nopass\n");
        Assert.Null(server.Acl.LoadFile());
        Assert.True(server.Acl.Default.Admits(PasswordHash.Of("pw"u8)));
        Assert.False(server.Acl.Default.Admits(PasswordHash.Of("own"u8)));
        Assert.False(_log.Has(Unused));
        File.WriteAllText(_file, "user default on nopass\n");
        Assert.Null(server.Acl.LoadFile());
        Assert.False(server.Acl.RequiresPassword);
        Assert.True(_log.Has(Unused));
    }

    [Fact]
    public void Without_one_nothing_is_needed_and_nothing_said()
    {
        File.WriteAllText(_file, "user ann on nopass\n");
        CheckStart(new ServerConfig { AclFile = _file }, isNeeded: false, warns: false);
    }

    private void CheckStart(ServerConfig config, bool isNeeded, bool warns)
    {
        ServerState server = Start(config);
        Assert.Equal(isNeeded, server.Acl.RequiresPassword);
        Assert.Equal(isNeeded, !server.Acl.Default.Admits(PasswordHash.Of("wrong"u8)));
        Assert.Equal(warns, _log.Has(Unused));
    }

    private ServerState Start(ServerConfig config)
    {
        ServerState server = new(config, _keyspace, CommandCatalog.CreateTable(), new FakeClock(), _log);
        server.Acl.LoadAtStart();
        return server;
    }
}
