using System.Text;
using KvServer.Resp;
using KvServer.Server.Text;

namespace KvServer.Server.Commands;

/// <summary>COMMAND and its subcommands: what the server can do, read from the declarations.</summary>
internal static class CommandCommands
{
    private const CommandFlags Flags = CommandFlags.Loading | CommandFlags.Stale;

    private static readonly string[] Help =
    [
        "(no subcommand)",
        "    Details of every command.",
        "COUNT",
        "    How many commands there are.",
        "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
        "    The names of all commands, or of those that pass the filter.",
        "INFO [<command-name> ...]",
        "    Details of the named commands, or of all.",
        "DOCS [<command-name> ...]",
        "    Documentation of the named commands, or of all.",
        "GETKEYS <full-command>",
        "    The keys a complete command line would touch.",
        "GETKEYSANDFLAGS <full-command>",
        "    The same with what it would do to each of them.",
    ];

    /// <summary>Replies with the details of every command. O(commands).</summary>
    [Command("COMMAND", arity: -1, Flags, Group = CommandGroup.Server, Since = "2.8.13",
        Complexity = "O(N) in the commands there are.", Acl = "connection", Tips = "nondeterministic_output_order",
        Summary = "Tells the details of every command.")]
    internal static void All(CommandContext ctx)
    {
        IReadOnlyList<Command> commands = ctx.Server.Commands.TopLevel;
        ctx.Reply.Array(commands.Count);
        foreach (Command command in commands)
        {
            CommandInfoReply.Write(ctx.Reply, command);
        }
    }

    /// <summary>Replies with the number of commands, subcommands not counted.</summary>
    [Command("COMMAND|COUNT", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.8.13", Acl = "connection",
        Summary = "Counts the commands.")]
    internal static void Count(CommandContext ctx) => ctx.Reply.Integer(ctx.Server.Commands.TopLevel.Count);

    /// <summary>Replies with the details of the named commands, null for an unknown one; all without a name.</summary>
    [Command("COMMAND|INFO", arity: -2, Flags, Group = CommandGroup.Server, Since = "2.8.13",
        Complexity = "O(N) in the names given.", Syntax = "[command-name...]", Acl = "connection",
        Tips = "nondeterministic_output_order", Summary = "Tells the details of some commands, or of all.",
        History = "7.0.0: Without a name it tells about every command.")]
    internal static void Info(CommandContext ctx)
    {
        if (ctx.Args.Count == 2)
        {
            All(ctx);
            return;
        }

        ctx.Reply.Array(ctx.Args.Count - 2);
        for (int i = 2; i < ctx.Args.Count; i++)
        {
            if (ctx.Server.Commands.FindFullName(ctx.Args[i]) is { } command)
            {
                CommandInfoReply.Write(ctx.Reply, command);
            }
            else
            {
                ctx.Reply.Null();
            }
        }
    }

    /// <summary>Replies with a map of documentation; unknown names are left out.</summary>
    [Command("COMMAND|DOCS", arity: -2, Flags, Group = CommandGroup.Server, Since = "7.0.0",
        Complexity = "O(N) in the names given.", Syntax = "[command-name...]", Acl = "connection",
        Tips = "nondeterministic_output_order", Summary = "Tells the documentation of some commands, or of all.")]
    internal static void Docs(CommandContext ctx)
    {
        List<Command> commands = [];
        if (ctx.Args.Count == 2)
        {
            commands.AddRange(ctx.Server.Commands.TopLevel);
        }

        for (int i = 2; i < ctx.Args.Count; i++)
        {
            if (ctx.Server.Commands.FindFullName(ctx.Args[i]) is { } command)
            {
                commands.Add(command);
            }
        }

        ctx.Reply.Map(commands.Count);
        foreach (Command command in commands)
        {
            CommandDocsReply.Write(ctx.Reply, command);
        }
    }

    /// <summary>Replies with names, those of subcommands too.</summary>
    [Command("COMMAND|LIST", arity: -2, Flags, Group = CommandGroup.Server, Since = "7.0.0",
        Complexity = "O(N) in the commands there are.",
        Syntax = "[FILTERBY filterby:(MODULE module-name|ACLCAT category|PATTERN pattern)]", Acl = "connection",
        Tips = "nondeterministic_output_order", Summary = "Lists the names of commands.")]
    internal static void List(CommandContext ctx)
    {
        if (ctx.Args.Count == 2)
        {
            WriteNames(ctx, [.. ctx.Server.Commands.All.Where(command => command.IsCallable)]);
            return;
        }

        if (ctx.Args.Count != 5 || !Ascii.EqualsIgnoreCase(ctx.Args[2], "filterby"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        ReadOnlySpan<byte> filter = ctx.Args[3];
        byte[] value = ctx.Args[4].ToArray();
        if (Ascii.EqualsIgnoreCase(filter, "module"u8))
        {
            // Modules cannot be loaded, so no command belongs to one.
            WriteNames(ctx, []);
        }
        else if (Ascii.EqualsIgnoreCase(filter, "aclcat"u8))
        {
            string category = Encoding.UTF8.GetString(value).ToLowerInvariant();
            WriteNames(ctx, [.. ctx.Server.Commands.All.Where(command => command.IsCallable && AclCategories.Of(command).Contains(category))]);
        }
        else if (Ascii.EqualsIgnoreCase(filter, "pattern"u8))
        {
            WriteNames(ctx, [.. ctx.Server.Commands.All.Where(command =>
                command.IsCallable && Glob.IsMatch(value, Encoding.UTF8.GetBytes(command.DisplayName), ignoreCase: true))]);
        }
        else
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
    }

    /// <summary>Replies with the keys of a complete command line.</summary>
    [Command("COMMAND|GETKEYS", arity: -4, Flags, Group = CommandGroup.Server, Since = "2.8.13",
        Complexity = "O(N) in the arguments of the command line.", Acl = "connection",
        Summary = "Finds the keys in a command line.")]
    internal static void GetKeys(CommandContext ctx)
    {
        List<KeyPlace>? keys = FindKeys(ctx);
        if (keys is null)
        {
            return;
        }

        ctx.Reply.Array(keys.Count);
        foreach (KeyPlace key in keys)
        {
            ctx.Reply.BulkString(ctx.Args[2 + key.ArgIndex]);
        }
    }

    /// <summary>Replies with the keys of a complete command line and what it does to each.</summary>
    [Command("COMMAND|GETKEYSANDFLAGS", arity: -4, Flags, Group = CommandGroup.Server, Since = "7.0.0",
        Complexity = "O(N) in the arguments of the command line.", Acl = "connection",
        Summary = "Finds the keys in a command line and what is done to them.")]
    internal static void GetKeysAndFlags(CommandContext ctx)
    {
        List<KeyPlace>? keys = FindKeys(ctx);
        if (keys is null)
        {
            return;
        }

        ctx.Reply.Array(keys.Count);
        foreach (KeyPlace key in keys)
        {
            ctx.Reply.Array(2);
            ctx.Reply.BulkString(ctx.Args[2 + key.ArgIndex]);
            CommandInfoReply.WriteAccess(ctx.Reply, key.Access);
        }
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("COMMAND|HELP", arity: 2, Flags, Group = CommandGroup.Server, Since = "5.0.0", Acl = "connection",
        Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void WriteNames(CommandContext ctx, IReadOnlyList<Command> commands)
    {
        ctx.Reply.Array(commands.Count);
        foreach (Command command in commands)
        {
            ctx.Reply.BulkString(Encoding.UTF8.GetBytes(command.DisplayName));
        }
    }

    /// <summary>The keys of the command line that follows the two words; replies with the error and returns null when
    /// there is something wrong with it.</summary>
    private static List<KeyPlace>? FindKeys(CommandContext ctx)
    {
        Arguments line = ctx.Args.Slice(2);
        Command? command = ctx.Server.Commands.Find(line);
        if (command is null || (command.Subcommands is not null && line.Count > 1))
        {
            ctx.Reply.Error("ERR Invalid command specified"u8);
        }
        else if (!command.Keys.Any(key => key.IsOfKeys))
        {
            ctx.Reply.Error("ERR The command has no key arguments"u8);
        }
        else if (!command.AcceptsArity(line.Count))
        {
            ctx.Reply.Error("ERR Invalid number of arguments specified for command"u8);
        }
        else if (KeyPlace.TryFindAll(command, line, out List<KeyPlace> keys))
        {
            return keys;
        }
        else if (command.Is(CommandFlags.NoMandatoryKeys))
        {
            ctx.Reply.EmptyArray();
        }
        else
        {
            ctx.Reply.Error("ERR Invalid arguments specified for command"u8);
        }

        return null;
    }
}
