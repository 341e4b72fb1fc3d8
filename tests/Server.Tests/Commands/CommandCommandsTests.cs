using KvServer.Server.Commands;

namespace KvServer.Server.Tests.Commands;

public class CommandCommandsTests : CommandHarness
{
    [Fact]
    public void Info_shows_arity_flags_key_range_and_categories()
    {
        object?[] get = Assert.IsType<object?[]>(Assert.IsType<object?[]>(Run("COMMAND", "INFO", "GeT", "nosuch"))[0]);
        Assert.Equal("get", get[0]);
        Assert.Equal(2L, get[1]);
        Assert.Equal(["readonly", "fast"], Assert.IsType<object?[]>(get[2]));
        Assert.Equal([1L, 1L, 1L], get[3..6]);
        Assert.Equal(["@read", "@string", "@fast"], Assert.IsType<object?[]>(get[6]));
        Assert.Null(Assert.IsType<object?[]>(Run("COMMAND", "INFO", "nosuch"))[0]);
    }

    [Fact]
    public void Info_finds_a_subcommand_by_its_full_name_only()
    {
        Assert.StartsWith("*1\r\n*10\r\n$10\r\nconfig|get\r\n:-3\r\n", Raw("COMMAND", "INFO", "config|get"), StringComparison.Ordinal);
        Assert.Equal("*1\r\n$-1\r\n", Raw("COMMAND", "INFO", "config|nosuch"));
    }

    [Fact]
    public void Without_a_name_info_tells_about_every_command()
    {
        object?[] all = Assert.IsType<object?[]>(Run("COMMAND"));
        Assert.Equal(Run("COMMAND", "COUNT"), (long)all.Length);
        Assert.Equal(all.Length, Assert.IsType<object?[]>(Run("COMMAND", "INFO")).Length);
        Assert.Equal(all.Length * 2, Assert.IsType<object?[]>(Run("COMMAND", "DOCS")).Length);
    }

    [Fact]
    public void Resp3_shows_sets_and_maps() =>
        Assert.Contains(
            "~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%2\r\n$4\r\ntype\r\n$5\r\nindex\r\n",
            Connect(protocol: 3).Raw("COMMAND", "INFO", "get"),
            StringComparison.Ordinal);

    [Fact]
    public void Docs_leaves_unknown_names_out() => Assert.Equal("*0\r\n", Raw("COMMAND", "DOCS", "nosuch"));

    [Theory]
    [InlineData("mset a b c d", "a c")]
    [InlineData("get a", "a")]
    [InlineData("object encoding k", "k")]
    [InlineData("sintercard 2 a b limit 5", "a b")]
    public void Getkeys_finds_the_keys_of_a_line(string line, string keys) =>
        Assert.Equal(keys.Split(' '), Assert.IsType<object?[]>(Run(["COMMAND", "GETKEYS", .. line.Split(' ')])));

    [Theory]
    [InlineData("nosuch a", "ERR Invalid command specified")]
    [InlineData("client nosuch", "ERR Invalid command specified")]
    [InlineData("ping a", "ERR The command has no key arguments")]
    [InlineData("get a b", "ERR Invalid number of arguments specified for command")]
    [InlineData("sintercard 9 a b", "ERR Invalid arguments specified for command")]
    public void Getkeys_tells_what_is_wrong_with_a_line(string line, string error) =>
        Assert.Equal(error, Error(["COMMAND", "GETKEYS", .. line.Split(' ')]));

    [Theory]
    [InlineData("set a b", "OW update")]
    [InlineData("set a b get", "RW access update")]
    [InlineData("bitfield a get u8 0", "RO access")]
    [InlineData("bitfield a set u8 0 1", "RW access update")]
    public void Getkeysandflags_says_what_this_very_line_does(string line, string flags)
    {
        object?[] keys = Assert.IsType<object?[]>(Run(["COMMAND", "GETKEYSANDFLAGS", .. line.Split(' ')]));
        Assert.Equal(flags.Split(' '), Assert.IsType<object?[]>(Assert.IsType<object?[]>(keys[0])[1]));
    }

    [Fact]
    public void List_filters_by_pattern_category_and_module()
    {
        Assert.Contains("config|get", Assert.IsType<object?[]>(Run("COMMAND", "LIST", "FILTERBY", "PATTERN", "*|GET")));
        Assert.Equal(Run("COMMAND", "LIST", "FILTERBY", "PATTERN", "*"), Run("COMMAND", "LIST"));
        Assert.Contains("config", Assert.IsType<object?[]>(Run("COMMAND", "LIST")));
        Assert.Contains("publish", Assert.IsType<object?[]>(Run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "PubSub")));
        Assert.Empty(Assert.IsType<object?[]>(Run("COMMAND", "LIST", "FILTERBY", "MODULE", "x")));
        Assert.Equal("ERR syntax error", Error("COMMAND", "LIST", "FILTERBY", "x", "y"));
    }

    [Fact]
    public void Every_command_has_a_summary_and_known_categories()
    {
        foreach (Command command in Server.Commands.All)
        {
            Assert.NotEmpty(command.Declaration.Summary);
            Assert.NotEmpty(AclCategories.Of(command));
        }
    }
}
