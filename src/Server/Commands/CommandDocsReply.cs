using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>Writes a command the way COMMAND DOCS shows it: name, then a map of what is known.</summary>
internal static class CommandDocsReply
{
    /// <summary>Writes the name and the map of one command; subcommands are inside.</summary>
    public static void Write(ReplyWriter reply, Command command)
    {
        Bulk(reply, command.DisplayName);
        DeferredAggregate map = reply.BeginMap();
        int fields = WriteText(reply, command.Declaration);
        fields += WriteDeprecation(reply, command.Declaration);
        fields += WriteHistory(reply, command.Declaration.History);
        if (command.Declaration.Syntax.Length > 0)
        {
            Bulk(reply, "arguments");
            WriteArguments(reply, CommandSyntax.Parse(command.Declaration.Syntax, command.Keys.Count(key => key.IsOfKeys)));
            fields++;
        }

        if (command.SubcommandList.Count > 0)
        {
            Bulk(reply, "subcommands");
            reply.Map(command.SubcommandList.Count);
            foreach (Command subcommand in command.SubcommandList)
            {
                Write(reply, subcommand);
            }

            fields++;
        }

        reply.End(map, fields);
    }

    private static int WriteText(ReplyWriter reply, CommandAttribute declaration)
    {
        WriteField(reply, "summary", declaration.Summary);
        WriteField(reply, "since", declaration.Since);
        WriteField(reply, "group", NameOf(declaration.Group));
        if (declaration.Complexity.Length == 0)
        {
            return 3;
        }

        WriteField(reply, "complexity", declaration.Complexity);
        return 4;
    }

    private static int WriteDeprecation(ReplyWriter reply, CommandAttribute declaration)
    {
        bool isDeprecated = declaration.Deprecated.Length > 0;
        if (!isDeprecated && !declaration.IsInternal)
        {
            return 0;
        }

        Bulk(reply, "doc_flags");
        reply.Set((isDeprecated ? 1 : 0) + (declaration.IsInternal ? 1 : 0));
        if (isDeprecated)
        {
            Simple(reply, "deprecated");
        }

        if (declaration.IsInternal)
        {
            Simple(reply, "syscmd");
        }

        if (!isDeprecated)
        {
            return 1;
        }

        (string version, string instead) = Cut(declaration.Deprecated);
        WriteField(reply, "deprecated_since", version);
        WriteField(reply, "replaced_by", instead);
        return 3;
    }

    private static int WriteHistory(ReplyWriter reply, string history)
    {
        if (history.Length == 0)
        {
            return 0;
        }

        string[] changes = history.Split(';', StringSplitOptions.RemoveEmptyEntries);
        Bulk(reply, "history");
        reply.Set(changes.Length);
        foreach (string change in changes)
        {
            (string version, string what) = Cut(change);
            reply.Array(2);
            Bulk(reply, version);
            Bulk(reply, what);
        }

        return 1;
    }

    private static (string Version, string What) Cut(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text.Trim(), "") : (text[..colon].Trim(), text[(colon + 1)..].Trim());
    }

    private static void WriteArguments(ReplyWriter reply, IReadOnlyList<CommandArgument> arguments)
    {
        reply.Array(arguments.Count);
        foreach (CommandArgument argument in arguments)
        {
            WriteArgument(reply, argument);
        }
    }

    private static void WriteArgument(ReplyWriter reply, CommandArgument argument)
    {
        DeferredAggregate map = reply.BeginMap();
        WriteField(reply, "name", argument.Name);
        WriteField(reply, "type", NameOf(argument.Type));
        int fields = 2;
        if (argument.KeySpecIndex >= 0)
        {
            Bulk(reply, "key_spec_index");
            reply.Integer(argument.KeySpecIndex);
            fields++;
        }

        fields += argument.Token is null ? 0 : WriteField(reply, "token", argument.Token);
        fields += argument.Since.Length == 0 ? 0 : WriteField(reply, "since", argument.Since);
        fields += argument.DeprecatedSince.Length == 0
            ? 0 : WriteField(reply, "deprecated_since", argument.DeprecatedSince);
        fields += WriteFlags(reply, argument);
        if (argument.Arguments.Count > 0)
        {
            Bulk(reply, "arguments");
            WriteArguments(reply, argument.Arguments);
            fields++;
        }

        reply.End(map, fields);
    }

    private static int WriteFlags(ReplyWriter reply, CommandArgument argument)
    {
        int count = (argument.IsOptional ? 1 : 0) + (argument.IsMultiple ? 1 : 0) + (argument.RepeatsToken ? 1 : 0);
        if (count == 0)
        {
            return 0;
        }

        Bulk(reply, "flags");
        reply.Set(count);
        if (argument.IsOptional)
        {
            Simple(reply, "optional");
        }

        if (argument.IsMultiple)
        {
            Simple(reply, "multiple");
        }

        if (argument.RepeatsToken)
        {
            Simple(reply, "multiple_token");
        }

        return 1;
    }

    private static string NameOf(CommandArgumentType type) => type switch
    {
        CommandArgumentType.Integer => "integer",
        CommandArgumentType.Double => "double",
        CommandArgumentType.Key => "key",
        CommandArgumentType.Pattern => "pattern",
        CommandArgumentType.UnixTime => "unix-time",
        CommandArgumentType.PureToken => "pure-token",
        CommandArgumentType.OneOf => "oneof",
        CommandArgumentType.Block => "block",
        _ => "string",
    };

    private static string NameOf(CommandGroup group) =>
        group == CommandGroup.SortedSet ? "sorted-set" : group.ToString().ToLowerInvariant();

    private static int WriteField(ReplyWriter reply, string name, string value)
    {
        Bulk(reply, name);
        Bulk(reply, value);
        return 1;
    }

    private static void Bulk(ReplyWriter reply, string text) => reply.BulkString(Encoding.UTF8.GetBytes(text));

    private static void Simple(ReplyWriter reply, string text) => reply.SimpleString(Encoding.ASCII.GetBytes(text));
}
