using KvServer.TestSupport;
using StackExchange.Redis;

namespace KvServer.Client.Tests;

/// <summary>Users over restarts: those of the ACL file, those of the configuration file, and clients that log in.</summary>
public sealed class AclFileTests
{
    [Fact]
    public async Task Users_are_saved_to_the_file_and_loaded_at_the_next_start()
    {
        using TempFile file = new("user default on nopass ~* &* +@all\nuser ann on >annpw ~a* +@read (~b +get)\n", "users.acl");
        string[] saved;
        await using (ServerProcess server = await StartAsync(file.Path))
        {
            using RespClient client = server.Connect();
            Assert.Equal("OK", client.Execute("ACL", "SETUSER", "bob", "on", ">bobpw", "+@all", "-@dangerous", "~*").AsString);
            Assert.Equal("OK", client.Execute("ACL", "SAVE").AsString);
            saved = client.Execute("ACL", "LIST").AsStrings;
            Assert.Equal(3, saved.Length);
        }

        Assert.Equal(saved, File.ReadAllLines(file.Path));
        Assert.Equal([file.Path], Directory.GetFiles(Path.GetDirectoryName(file.Path)!));
        await using (ServerProcess server = await StartAsync(file.Path))
        {
            using RespClient client = server.Connect();
            Assert.Equal(saved, client.Execute("ACL", "LIST").AsStrings);
            Assert.Equal("OK", client.Execute("AUTH", "ann", "annpw").AsString);
            Assert.True(client.Execute("GET", "b").IsNull);
            Assert.StartsWith("NOPERM", client.Execute("STRLEN", "b").AsString, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_reload_replaces_all_users_or_none()
    {
        using TempFile file = new("user default on nopass ~* &* +@all\nuser ann on nopass ~* +@all\n", "users.acl");
        await using ServerProcess server = await StartAsync(file.Path);
        using RespClient client = server.Connect();
        using RespClient ann = server.Connect();
        Assert.Equal("OK", ann.Execute("AUTH", "ann", "x").AsString);
        File.WriteAllText(
            file.Path, "user default off\nuser bob +nosuch on\nuser bob on\nnonsense\n\nuser eve foo bar\nuser zed (+get\n");
        Assert.Equal(
            $"ERR {file.Path}:2: Error in applying operation '+nosuch': Unknown command or category name in ACL. "
            + $"WARNING: Duplicate user 'bob' found on line 3. "
            + $"{file.Path}:4 should start with user keyword followed by the username. "
            + $"{file.Path}:6: Syntax error. "
            + $"{file.Path}:7: Unmatched parenthesis in selector definition."
            + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
            client.Execute("ACL", "LOAD").AsString);
        Assert.Equal(["ann", "default"], client.Execute("ACL", "USERS").AsStrings);
        Assert.Equal("ann", ann.Execute("ACL", "WHOAMI").AsString);
        File.WriteAllText(file.Path, "\n  user bob on >pw ~x +get\r\n");
        Assert.Equal("OK", client.Execute("ACL", "LOAD").AsString);
        Assert.Equal(["bob", "default"], client.Execute("ACL", "USERS").AsStrings);
        Assert.Equal("default", client.Execute("ACL", "WHOAMI").AsString);
        (_, bool closed) = ann.ReadUntilQuiet(quietMs: 5000);
        Assert.True(closed, "A client of a user that is gone was left open.");
        File.Delete(file.Path);
        Assert.Equal(
            $"ERR Error loading ACLs, opening file '{file.Path}': No such file or directory", client.Execute("ACL", "LOAD").AsString);
        Assert.Equal(["bob", "default"], client.Execute("ACL", "USERS").AsStrings);
    }

    [Fact]
    public async Task A_file_with_errors_stops_the_start()
    {
        using TempFile file = new("user ann on +nosuch\n", "users.acl");
        ServerStartException error = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(file.Path));
        Assert.Contains("Unknown command or category name in ACL", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_of_the_configuration_file_are_there_and_are_rewritten()
    {
        string port = FreePort.Next().ToString(System.Globalization.CultureInfo.InvariantCulture);
        using TempFile file = new("");
        File.WriteAllText(
            file.Path,
            $"port {port}\ndir {Path.GetDirectoryName(file.Path)}\nsave \"\"\n# people\nuser ann on >annpw ~a* (~b +get ) +@read\n"
            + "user bob off -@all\nrequirepass boss\n");
        ServerOptions options = new() { CommandLine = [file.Path] };
        options.Settings["port"] = port;
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            using RespClient client = server.Connect();
            Assert.StartsWith("NOAUTH", client.Execute("PING").AsString, StringComparison.Ordinal);
            Assert.Equal("OK", client.Execute("AUTH", "boss").AsString);
            Assert.Equal(["ann", "bob", "default"], client.Execute("ACL", "USERS").AsStrings);
            Assert.Equal(1, client.Execute("ACL", "DELUSER", "bob").AsInteger);
            Assert.Equal("OK", client.Execute("ACL", "SETUSER", "cid", "on", "nopass", "+ping").AsString);
            Assert.Equal("OK", client.Execute("CONFIG", "REWRITE").AsString);
        }

        string[] lines = File.ReadAllLines(file.Path);
        Assert.Single(lines, line => line.StartsWith("user ann on ", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("user cid on nopass ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.StartsWith("user bob", StringComparison.Ordinal));
        Assert.Contains("# people", lines);
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            using RespClient client = server.Connect();
            Assert.Equal("OK", client.Execute("AUTH", "boss").AsString);
            Assert.Equal(["ann", "cid", "default"], client.Execute("ACL", "USERS").AsStrings);
            Assert.Equal("OK", client.Execute("AUTH", "ann", "annpw").AsString);
            Assert.True(client.Execute("GET", "b").IsNull);
        }
    }

    [Theory]
    [InlineData("+nosuch", "Unknown command or category name in ACL")]
    [InlineData("(+get", "Unmatched")]
    public async Task A_bad_declaration_in_the_configuration_stops_the_start(string rule, string reason)
    {
        string port = FreePort.Next().ToString(System.Globalization.CultureInfo.InvariantCulture);
        ServerOptions options = new() { CommandLine = ["--port", port, "--user", "ann", "on", rule] };
        options.Settings["port"] = port;
        ServerStartException error = await Assert.ThrowsAsync<ServerStartException>(() => ServerProcess.StartAsync(options));
        if (!TestPaths.IsStandIn)
        {
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task StackExchange_Redis_works_within_the_rights_it_has()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests());
        using RespClient admin = server.Connect();
        Assert.Equal("OK", admin.Execute(
            "ACL", "SETUSER", "default", "resetpass", ">secret", "resetkeys", "~app:*", "-@dangerous", "+info", "+config|get").AsString);
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port},password=secret");
        IDatabase database = connection.GetDatabase();
        Assert.True(await database.StringSetAsync("app:x", "1"));
        Assert.Equal("1", await database.StringGetAsync("app:x"));
        RedisServerException refused =
            await Assert.ThrowsAsync<RedisServerException>(() => database.StringGetAsync("other"));
        Assert.StartsWith("NOPERM", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RedisConnectionException>(
            () => ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port},password=wrong"));
    }

    private static Task<ServerProcess> StartAsync(string file) =>
        ServerProcess.StartAsync(ServerOptions.ForTests().With("aclfile", file));
}
