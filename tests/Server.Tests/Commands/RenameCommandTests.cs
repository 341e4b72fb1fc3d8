using System.Text;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Tests.Config;

namespace KvServer.Server.Tests.Commands;

/// <summary>The directive rename-command.</summary>
public sealed class RenameCommandTests : CommandHarness
{
    [Fact]
    public void A_command_answers_to_its_new_name_in_any_case_and_to_no_other()
    {
        Assert.Null(Server.Commands.Rename("set", "Store"));
        Assert.Equal("OK", Run("STORE", "a", "1"));
        Assert.Equal("OK", Run("store", "a", "1"));
        Assert.Equal("ERR unknown command 'SET', with args beginning with: 'a' '1' ", Error("SET", "a", "1"));
        Assert.Equal("ERR wrong number of arguments for 'set' command", Error("store"));
        Assert.Equal([null], Assert.IsType<object?[]>(Run("COMMAND", "INFO", "set")));
        Assert.Equal("set", ((object?[])((object?[])Run("COMMAND", "INFO", "store")!)[0]!)[0]);
        Assert.Contains("cmdstat_set:calls=2", (string)Run("INFO", "commandstats")!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_without_a_name_is_gone_for_clients_and_there_for_rules_and_logs()
    {
        object? before = Run("COMMAND", "COUNT");
        Assert.Null(Server.Commands.Rename("CONFIG", ""));
        Assert.StartsWith("ERR unknown command 'CONFIG'", Error("CONFIG", "GET", "port"), StringComparison.Ordinal);
        Assert.Equal((long)before! - 1, Run("COMMAND", "COUNT"));
        Assert.Empty(Assert.IsType<object?[]>(Run("COMMAND", "LIST", "FILTERBY", "PATTERN", "config*")));
        Assert.Equal("OK", Run("ACL", "SETUSER", "u", "+CONFIG|get"));
        Assert.EndsWith(" -@all +config|get", LineOfUser(), StringComparison.Ordinal);
        Assert.Equal("OK", Run("ACL", "SETUSER", "u", "+config"));
        Assert.EndsWith(" -@all +config", LineOfUser(), StringComparison.Ordinal);

        string LineOfUser() => Assert.IsType<string>(Assert.IsType<object?[]>(Run("ACL", "LIST"))[1]);
    }

    [Fact]
    public void Subcommands_go_with_their_container()
    {
        Assert.Null(Server.Commands.Rename("config", "cfg"));
        Assert.Equal(["hz", "10"], Assert.IsType<object?[]>(Run("CFG", "GET", "hz")));
        Assert.Equal("ERR unknown subcommand 'nosuch'. Try CFG HELP.", Error("cfg", "nosuch"));
    }

    [Fact]
    public void Each_line_sees_the_names_of_the_ones_before()
    {
        CommandTable table = Server.Commands;
        Assert.Null(table.Rename("GET", "tmp"));
        Assert.Null(table.Rename("SET", "GET"));
        Assert.Null(table.Rename("tmp", "SET"));
        Assert.Equal("set", table.Find("get"u8)!.DisplayName);
        Assert.Equal("get", table.Find("set"u8)!.DisplayName);
        Assert.Equal("No such command in rename-command", table.Rename("tmp", "x"));
        Assert.Equal("No such command in rename-command", table.Rename("config|get", "x"));
        Assert.Equal("Target command name already exists", table.Rename("DEL", "get"));
        Assert.Null(table.Rename("DEL", "del"));
    }

    [Fact]
    public void A_name_may_have_any_bytes()
    {
        Assert.Null(Server.Commands.Rename("KEYS", "Cl\u00e9 \u0001"));
        Assert.NotNull(Server.Commands.Find(Encoding.Latin1.GetBytes("cL\u00e9 \u0001")));
        Assert.Null(Server.Commands.Find(Encoding.Latin1.GetBytes("Cl\u00c9 \u0001")));
        Assert.Null(Server.Commands.Find(Encoding.Latin1.GetBytes("Cl\u00e9!\u0001")));
    }

    [Fact]
    public void What_is_passed_on_has_the_declared_name()
    {
        Assert.Null(Server.Commands.Rename("SET", "store"));
        Server.Propagation.Start();
        Run("store", "a", "1");
        string log = Encoding.ASCII.GetString(Server.Propagation.Bytes);
        Assert.Contains("\r\nSET\r\n", log, StringComparison.Ordinal);
        Assert.DoesNotContain("store", log, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_is_checked_line_by_line()
    {
        using ConfigFixture fixture = new();
        string path = fixture.Write("a.conf", "rename-command FLUSHALL \"\"\nrename-command KEYS list-keys\n");
        ServerConfig config = ConfigFixture.Load(path).Config;
        Assert.Equal([("FLUSHALL", ""), ("KEYS", "list-keys")], config.RenamedCommands);
        CommandTable table = CommandCatalog.CreateTable(config.RenamedCommands);
        Assert.Null(table.Find("flushall"u8));
        Assert.Equal("keys", table.Find("LIST-KEYS"u8)!.DisplayName);

        string wrong = fixture.Write("b.conf", "rename-command KEYS x\nrename-command KEYS y\n");
        Assert.EndsWith(
            $"at line 2 of {wrong}\n>>> 'rename-command KEYS y'\nNo such command in rename-command",
            ConfigFixture.LoadError(wrong),
            StringComparison.Ordinal);
    }
}
