using KvServer.Resp;
using KvServer.Server.Config;

namespace KvServer.Server.Commands;

/// <summary>CONFIG: reading and changing options; <see cref="ConfigService"/> does the work.</summary>
internal static class ConfigCommands
{
    private const CommandFlags Flags =
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;

    private static readonly string[] Help =
    [
        "GET <pattern> [<pattern> ...]",
        "    The options that match, with their values.",
        "SET <directive> <value> [<directive> <value> ...]",
        "    Change options, all of them or none.",
        "RESETSTAT",
        "    Let the counters of INFO start at zero again.",
        "REWRITE",
        "    Write the options into the configuration file.",
    ];

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("CONFIG", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "2.0.0",
        Complexity = "That of the subcommand.", Summary = "Holds the commands on the configuration.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with a map of the options that match the patterns.</summary>
    [Command("CONFIG|GET", arity: -3, Flags, Group = CommandGroup.Server, Since = "2.0.0",
        Complexity = "O(N) in the patterns.", Syntax = "parameter:(parameter)...", Summary = "Tells the values of options.",
        History = "7.0.0: Takes several patterns.")]
    internal static void Get(CommandContext ctx)
    {
        IReadOnlyList<KeyValuePair<byte[], byte[]>> found = ctx.Server.Configuration.Get(Copy(ctx.Args));
        ctx.Reply.Map(found.Count);
        foreach ((byte[] name, byte[] value) in found)
        {
            ctx.Reply.BulkString(name);
            ctx.Reply.BulkString(value);
        }
    }

    /// <summary>Changes options, all of them or none.</summary>
    [Command("CONFIG|SET", arity: -4, Flags, Group = CommandGroup.Server, Since = "2.0.0",
        Complexity = "O(N) in the options.", Syntax = "(parameter value)...",
        Tips = "request_policy:all_nodes response_policy:all_succeeded", Summary = "Changes options.",
        History = "7.0.0: Takes several options.")]
    [Secrets(Finder = nameof(IsSecretOfSet))]
    internal static void Set(CommandContext ctx)
    {
        if (ctx.Args.Count % 2 != 0)
        {
            ctx.WrongArity();
            return;
        }

        Finish(ctx, ctx.Server.Configuration.Set(Copy(ctx.Args), ServerState.IsLocal(ctx.Client)));
    }

    /// <summary>Writes the values into the configuration file, keeping its comments and order.</summary>
    [Command("CONFIG|REWRITE", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.8.0",
        Summary = "Writes the options into the configuration file.")]
    internal static void Rewrite(CommandContext ctx) => Finish(ctx, ctx.Server.Configuration.Rewrite());

    /// <summary>Lets every counter of INFO start at zero again.</summary>
    [Command("CONFIG|RESETSTAT", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.0.0",
        Summary = "Sets the counters of INFO to zero.")]
    internal static void ResetStat(CommandContext ctx)
    {
        ctx.Server.Statistics.Reset();
        ctx.Server.Commands.ResetStatistics();
        ctx.Server.Keyspace.Statistics.Reset();
        ctx.Server.Keyspace.Reclaimer.ResetStatistics();
        ctx.Server.Keyspace.Eviction.ResetStatistics();
        ctx.Server.Keyspace.Heap.ResetPeak();
        ctx.Server.Configuration.ResetStatistics();
        ctx.Server.KeyTraffic.Reset();
        ctx.Server.BigKeys.Reset();
        ctx.Reply.Ok();
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("CONFIG|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "5.0.0", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static bool IsSecretOfSet(Arguments args, int index) =>
        index >= 3 && index % 2 == 1
        && ConfigRegistry.Find(ConfigText.FromBytes(args[index - 1])) is { } option && option.Is(ConfigFlags.Sensitive);

    private static void Finish(CommandContext ctx, byte[]? error)
    {
        if (error is null)
        {
            ctx.Reply.Ok();
        }
        else
        {
            ctx.Reply.Error(error);
        }
    }

    private static byte[][] Copy(Arguments args)
    {
        byte[][] copies = new byte[args.Count - 2][];
        for (int i = 0; i < copies.Length; i++)
        {
            copies[i] = args[i + 2].ToArray();
        }

        return copies;
    }
}
