using System.Text;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Commands;

/// <summary>MODULE: there are none, and native modules cannot be loaded into this process.</summary>
internal static partial class ModuleCommands
{
    private const CommandFlags Looks = CommandFlags.Admin | CommandFlags.NoScript;
    private const CommandFlags Changes = Looks | CommandFlags.NoAsyncLoading | CommandFlags.Protected;

    private static readonly string[] Help =
    [
        "LIST",
        "    The modules that are loaded: none, ever.",
        "LOAD <path> [<arg> ...]",
        "    Refused: this server cannot load modules.",
        "LOADEX <path> [CONFIG <name> <value> ...] [ARGS <arg> ...]",
        "    Refused like LOAD.",
        "UNLOAD <name>",
        "    Refused: no module has that name.",
    ];

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("MODULE", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "That of the subcommand.", Summary = "Holds the commands on modules.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the modules there are.</summary>
    [Command("MODULE|LIST", arity: 2, Looks, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(N) in the modules.", Tips = "nondeterministic_output_order", Summary = "Lists the modules.")]
    internal static void List(CommandContext ctx) => ctx.Reply.EmptyArray();

    /// <summary>Replies that the module cannot be loaded; the log says why.</summary>
    [Command("MODULE|LOAD", arity: -3, Changes, Group = CommandGroup.Server, Since = "4.0.0",
        Syntax = "path:string [arg:string...]", Summary = "Loads a module.")]
    internal static void Load(CommandContext ctx) => Refuse(ctx);

    /// <summary>As <see cref="Load"/>, with configuration.</summary>
    [Command("MODULE|LOADEX", arity: -3, Changes, Group = CommandGroup.Server, Since = "7.0.0",
        Syntax = "path:string [configs:CONFIG name:string value:string]... [ARGS args:(arg:string)...]",
        Summary = "Loads a module with its options.")]
    internal static void LoadEx(CommandContext ctx) => Refuse(ctx);

    /// <summary>Replies that there is no such module.</summary>
    [Command("MODULE|UNLOAD", arity: 3, Changes, Group = CommandGroup.Server, Since = "4.0.0", Syntax = "name:string",
        Summary = "Unloads a module.")]
    internal static void Unload(CommandContext ctx) =>
        ctx.Reply.Error("ERR Error unloading module: no such module with that name"u8);

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("MODULE|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "5.0.0", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void Refuse(CommandContext ctx)
    {
        Log.ModuleRefused(ctx.Server.Log, Encoding.UTF8.GetString(ctx.Args[2]));
        ctx.Reply.Error("ERR Error loading the extension. Please check the server logs."u8);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2002, Level = LogLevel.Warning,
            Message = "Module {Path} is not loaded: this server has no modules")]
        public static partial void ModuleRefused(ILogger logger, string path);
    }
}
