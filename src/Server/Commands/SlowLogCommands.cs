using System.Text;
using KvServer.Resp;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>SLOWLOG: the calls that took long; see <see cref="SlowLog"/>.</summary>
internal static class SlowLogCommands
{
    private const CommandFlags Flags = CommandFlags.Admin | CommandFlags.Loading | CommandFlags.Stale;
    private const long DefaultCount = 10;

    private static readonly string[] Help =
    [
        "GET [<count>]",
        "    The newest entries, ten unless a count is given; -1 for all. Each has its id, the second it ran in,",
        "    microseconds, arguments, the client's address and its name.",
        "LEN",
        "    How many entries there are.",
        "RESET",
        "    Forget all entries.",
    ];

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("SLOWLOG", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "2.2.12",
        Complexity = "That of the subcommand.", Summary = "Holds the commands on the slow log.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the newest entries, the newest first.</summary>
    [Command("SLOWLOG|GET", arity: -2, Flags, Group = CommandGroup.Server, Since = "2.2.12",
        Complexity = "O(N) in the entries.", Syntax = "[count:integer]",
        Tips = "request_policy:all_nodes nondeterministic_output", Summary = "Lists calls that took long.",
        History = "4.0.0: Tells the client's address and name.")]
    internal static void Get(CommandContext ctx)
    {
        long count = DefaultCount;
        if (ctx.Args.Count > 3)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("SLOWLOG", ctx.Args[1]));
            return;
        }

        if (ctx.Args.Count == 3 && (!Numbers.TryParseInt64(ctx.Args[2], out count) || count < -1))
        {
            ctx.Reply.Error("ERR count should be greater than or equal to -1"u8);
            return;
        }

        IReadOnlyCollection<SlowLogEntry> entries = ctx.Server.SlowLog.Entries;
        int shown = (int)Math.Min((ulong)count, (ulong)entries.Count);
        ctx.Reply.Array(shown);
        foreach (SlowLogEntry entry in entries.Take(shown))
        {
            Write(ctx.Reply, entry);
        }
    }

    /// <summary>Replies with the number of entries.</summary>
    [Command("SLOWLOG|LEN", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.2.12",
        Tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
        Summary = "Counts the calls in the slow log.")]
    internal static void Len(CommandContext ctx) => ctx.Reply.Integer(ctx.Server.SlowLog.Entries.Count);

    /// <summary>Forgets all entries.</summary>
    [Command("SLOWLOG|RESET", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.2.12",
        Complexity = "O(N) in the entries.", Tips = "request_policy:all_nodes response_policy:all_succeeded",
        Summary = "Empties the slow log.")]
    internal static void Reset(CommandContext ctx)
    {
        ctx.Server.SlowLog.Clear();
        ctx.Reply.Ok();
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("SLOWLOG|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "6.2.0", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void Write(ReplyWriter reply, SlowLogEntry entry)
    {
        reply.Array(6);
        reply.Integer(entry.Id);
        reply.Integer(entry.AtSeconds);
        reply.Integer(entry.Micros);
        reply.Array(entry.Arguments.Length);
        foreach (byte[] argument in entry.Arguments)
        {
            reply.BulkString(argument);
        }

        reply.BulkString(Encoding.UTF8.GetBytes(entry.Address));
        reply.BulkString(entry.ClientName);
    }
}
