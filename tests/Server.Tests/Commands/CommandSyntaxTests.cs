using KvServer.Server.Commands;

namespace KvServer.Server.Tests.Commands;

public class CommandSyntaxTests
{
    [Fact]
    public void The_syntax_of_every_command_can_be_read()
    {
        foreach (Command command in CommandCatalog.CreateTable().All)
        {
            CommandSyntax.Parse(command.Declaration.Syntax, command.Keys.Count(key => key.IsOfKeys));
        }
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("key value", "key:Key#0 value:String")]
    [InlineData("key...", "key:Key#0+")]
    [InlineData("[count]", "count:Integer?")]
    [InlineData("[COUNT count]", "count:Integer?<COUNT>")]
    [InlineData("KEYS key...", "key:Key#0+<KEYS>")]
    [InlineData("[GET pattern]...", "pattern:Pattern?+*<GET>")]
    [InlineData("[WITHSCORES]", "withscores:PureToken?<WITHSCORES>")]
    [InlineData("change:CH", "change:PureToken<CH>")]
    [InlineData("'m'", "m:PureToken<m>")]
    [InlineData("threshold:double", "threshold:Double")]
    [InlineData("{ip:port}:string", "ip:port:String")]
    [InlineData("pattern#1", "pattern:Pattern#1")]
    [InlineData("[NX|XX]", "nx_xx:OneOf?(nx:PureToken<NX> xx:PureToken<XX>)")]
    [InlineData("[condition:NX|XX]", "condition:OneOf?(nx:PureToken<NX> xx:PureToken<XX>)")]
    [InlineData("mode:(WRITE|ALL)", "mode:OneOf(write:PureToken<WRITE> all:PureToken<ALL>)")]
    [InlineData("(field value)...", "field_value:Block+(field:String value:String)")]
    [InlineData("[LIMIT offset count]", "offset_count:Block?<LIMIT>(offset:Integer count:Integer)")]
    [InlineData("id:(client-id...)", "id:Block(client-id:Integer+)")]
    [InlineData("[ID id:(client-id...)]", "id:Block?<ID>(client-id:Integer+)")]
    [InlineData("(TYPE type)", "type:String<TYPE>")]
    [InlineData("[trim:s:(A|B) count]", "trim:Block?(s:OneOf(a:PureToken<A> b:PureToken<B>) count:Integer)")]
    [InlineData("[e:EX seconds|KEEPTTL]", "e:OneOf?(seconds:Integer<EX> keepttl:PureToken<KEEPTTL>)")]
    public void Reads_names_types_tokens_and_flags(string syntax, string expected) =>
        Assert.Equal(expected, Show(CommandSyntax.Parse(syntax, keySpecCount: 1)));

    [Fact]
    public void Keys_count_up_and_stay_at_the_last_specification() =>
        Assert.Equal("a:Key#0 b:Key#1 c:Key#1", Show(CommandSyntax.Parse("a:key b:key c:key", keySpecCount: 2)));

    [Fact]
    public void Versions_stand_behind_what_they_belong_to()
    {
        IReadOnlyList<CommandArgument> arguments = CommandSyntax.Parse("[EX seconds@2.6.12|A]@6.2.0 old@!3.0.0", 0);
        Assert.Equal("6.2.0", arguments[0].Since);
        Assert.Equal("2.6.12", arguments[0].Arguments[0].Since);
        Assert.Equal("3.0.0", arguments[1].DeprecatedSince);
    }

    [Theory]
    [InlineData("[a")]
    [InlineData("a]")]
    [InlineData("(a]")]
    [InlineData("[]")]
    [InlineData("[a||b]")]
    [InlineData("'a")]
    [InlineData("{a b")]
    [InlineData("a@")]
    public void A_malformed_syntax_is_refused(string syntax) =>
        Assert.Throws<FormatException>(() => CommandSyntax.Parse(syntax, keySpecCount: 1));

    private static string Show(IReadOnlyList<CommandArgument> arguments) => string.Join(' ', arguments.Select(Show));

    private static string Show(CommandArgument argument) =>
        $"{argument.Name}:{argument.Type}"
        + (argument.KeySpecIndex >= 0 ? $"#{argument.KeySpecIndex}" : "")
        + (argument.IsOptional ? "?" : "")
        + (argument.IsMultiple ? "+" : "")
        + (argument.RepeatsToken ? "*" : "")
        + (argument.Token is null ? "" : $"<{argument.Token}>")
        + (argument.Arguments.Count == 0 ? "" : $"({Show(argument.Arguments)})");
}
