using System.Text;
using KvServer.Resp;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>LATENCY: what took long, and how long commands take.</summary>
internal static class LatencyCommands
{
    private const CommandFlags Flags =
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;

    private const string Tips = "nondeterministic_output request_policy:all_nodes response_policy:special";

    private static readonly string[] Help =
    [
        "DOCTOR",
        "    What took long, in words, and what may help.",
        "GRAPH <event>",
        "    The samples of an event as a drawing.",
        "HISTORY <event>",
        "    The samples of an event: seconds since the epoch, milliseconds.",
        "LATEST",
        "    For each event its newest sample and the longest time ever.",
        "RESET [<event> ...]",
        "    Forget the samples of these events, or of all.",
        "HISTOGRAM [<command> ...]",
        "    How many calls of these commands, or of all, took up to so many microseconds.",
    ];

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("LATENCY", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "2.8.13",
        Complexity = "That of the subcommand.", Summary = "Holds the commands on what took long.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with a report in words.</summary>
    [Command("LATENCY|DOCTOR", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.8.13", Tips = Tips,
        Summary = "Reports what took long, with advice.")]
    internal static void Doctor(CommandContext ctx) => Text(ctx, LatencyReport.Make(ctx.Server));

    /// <summary>Replies with a drawing of an event's samples.</summary>
    [Command("LATENCY|GRAPH", arity: 3, Flags, Group = CommandGroup.Server, Since = "2.8.13", Syntax = "event:string",
        Tips = Tips, Summary = "Draws the samples of an event.")]
    internal static void Graph(CommandContext ctx)
    {
        string name = Encoding.Latin1.GetString(ctx.Args[2]);
        if (ctx.Server.Latency.Events.TryGetValue(name, out LatencySeries? series))
        {
            Text(ctx, LatencyGraph.Draw(name, series, ctx.Server.Clock.GetUtcNow().ToUnixTimeSeconds()));
        }
        else
        {
            ctx.Reply.Error(CommandError.Format("ERR No samples available for event '", ctx.Args[2], "'"));
        }
    }

    /// <summary>Replies with an event's samples, oldest first.</summary>
    [Command("LATENCY|HISTORY", arity: 3, Flags, Group = CommandGroup.Server, Since = "2.8.13", Syntax = "event:string",
        Tips = Tips, Summary = "Lists the samples of an event.")]
    internal static void History(CommandContext ctx)
    {
        if (!ctx.Server.Latency.Events.TryGetValue(Encoding.Latin1.GetString(ctx.Args[2]), out LatencySeries? series))
        {
            ctx.Reply.EmptyArray();
            return;
        }

        ctx.Reply.Array(series.Samples.Count);
        foreach (LatencySample sample in series.Samples)
        {
            ctx.Reply.Array(2);
            ctx.Reply.Integer(sample.AtSeconds);
            ctx.Reply.Integer(sample.Ms);
        }
    }

    /// <summary>Replies with the newest sample of each event.</summary>
    [Command("LATENCY|LATEST", arity: 2, Flags, Group = CommandGroup.Server, Since = "2.8.13", Tips = Tips,
        Summary = "Lists the newest sample of each event.")]
    internal static void Latest(CommandContext ctx)
    {
        ctx.Reply.Array(ctx.Server.Latency.Events.Count);
        foreach ((string name, LatencySeries series) in ctx.Server.Latency.Events)
        {
            ctx.Reply.Array(4);
            ctx.Reply.BulkString(Encoding.ASCII.GetBytes(name));
            ctx.Reply.Integer(series.Latest.AtSeconds);
            ctx.Reply.Integer(series.Latest.Ms);
            ctx.Reply.Integer(series.MaxMs);
        }
    }

    /// <summary>Forgets events, all of them without a name, and replies with how many those were.</summary>
    [Command("LATENCY|RESET", arity: -2, Flags, Group = CommandGroup.Server, Since = "2.8.13", Syntax = "[event:string...]",
        Tips = "request_policy:all_nodes response_policy:all_succeeded", Summary = "Forgets the samples of events.")]
    internal static void Reset(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        int forgotten = args.Count == 2 ? ctx.Server.Latency.Reset() : 0;
        for (int i = 2; i < args.Count; i++)
        {
            forgotten += ctx.Server.Latency.Reset(Encoding.Latin1.GetString(args[i])) ? 1 : 0;
        }

        ctx.Reply.Integer(forgotten);
    }

    /// <summary>Replies with how many calls took how long, for each command asked for that has been called.</summary>
    /// <remarks>A container stands for its subcommands. Names that are no command are passed over.</remarks>
    [Command("LATENCY|HISTOGRAM", arity: -2, Flags, Group = CommandGroup.Server, Since = "7.0.0",
        Complexity = "O(N) in the commands.", Syntax = "[command:string...]", Tips = Tips,
        Summary = "Tells how the times of calls are distributed.")]
    internal static void Histogram(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        DeferredAggregate map = ctx.Reply.BeginMap();
        int count = 0;
        if (args.Count == 2)
        {
            foreach (Command command in ctx.Server.Commands.All)
            {
                count += WriteHistogram(ctx.Reply, command);
            }
        }

        for (int i = 2; i < args.Count; i++)
        {
            if (ctx.Server.Commands.FindFullName(args[i]) is { } command)
            {
                count += WriteHistogram(ctx.Reply, command);
                foreach (Command subcommand in command.SubcommandList)
                {
                    count += WriteHistogram(ctx.Reply, subcommand);
                }
            }
        }

        ctx.Reply.End(map, count);
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("LATENCY|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "2.8.13", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void Text(CommandContext ctx, string text) => ctx.Reply.Verbatim(Encoding.UTF8.GetBytes(text), "txt"u8);

    private static int WriteHistogram(ReplyWriter reply, Command command)
    {
        if (command.Latency is not { } latency)
        {
            return 0;
        }

        IReadOnlyList<(long Micros, long Calls)> steps = latency.Distribution();
        reply.BulkString(Encoding.ASCII.GetBytes(command.DisplayName));
        reply.Map(2);
        reply.BulkString("calls"u8);
        reply.Integer(latency.Count);
        reply.BulkString("histogram_usec"u8);
        reply.Map(steps.Count);
        foreach ((long micros, long calls) in steps)
        {
            reply.Integer(micros);
            reply.Integer(calls);
        }

        return 1;
    }
}
