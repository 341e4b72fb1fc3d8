using System.Text;
using KvServer.Resp;
using KvServer.Server.Observability;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>MEMORY: what keys and the server cost.</summary>
internal static class MemoryCommands
{
    private static readonly string[] HelpLines =
    [
        "DOCTOR",
        "    What is unusual about the use of memory, in words.",
        "MALLOC-STATS",
        "    What the heap knows about itself.",
        "PURGE",
        "    Give memory that nothing is in back to the system.",
        "STATS",
        "    What memory is used for, in figures.",
        "USAGE <key> [SAMPLES <count>]",
        "    Bytes that the key and its value take, of a large one estimated from samples; 0 looks at all parts.",
    ];

    [Command("MEMORY", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "Depends on the subcommand.", Summary = "Tells what memory is used for.")]
    internal static void Memory(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the bytes of a key with its value and its share of the tables, null for a missing key.</summary>
    [Command("MEMORY|USAGE", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(1) for packed values, O(N) for a hash table of N members.",
        Summary = "Tells the bytes a key and its value take.", Syntax = "key [SAMPLES count]")]
    [Keys(first: 2, KeyAccess.ReadOnly)]
    internal static void Usage(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        long samples = 5;
        for (int i = 3; i < args.Count; i += 2)
        {
            if (!Ascii.EqualsIgnoreCase(args[i], "SAMPLES"u8) || i + 1 == args.Count)
            {
                ctx.Reply.Error(CommandError.Syntax);
                return;
            }

            if (!Numbers.TryParseInt64(args[i + 1], out samples))
            {
                ctx.Reply.Error(CommandError.NotAnInteger);
                return;
            }

            if (samples < 0)
            {
                ctx.Reply.Error(CommandError.Syntax);
                return;
            }
        }

        if (!ctx.Database.TryFind(ctx.Key(2), LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry))
        {
            ctx.Reply.Null();
            return;
        }

        ctx.Reply.Integer(entry.MemoryUsage(samples));
    }

    /// <summary>Replies with figures on the use of memory.</summary>
    [Command("MEMORY|STATS", arity: 2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(N) in the clients.",
        Tips = "nondeterministic_output request_policy:all_shards response_policy:special",
        Summary = "Tells what memory is used for.")]
    internal static void Stats(CommandContext ctx) => MemoryStatsReply.Write(ctx.Reply, ctx.Server);

    /// <summary>Replies with a report in words.</summary>
    [Command("MEMORY|DOCTOR", arity: 2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(N) in the clients.",
        Tips = "nondeterministic_output request_policy:all_shards response_policy:special",
        Summary = "Reports what is unusual about the use of memory.")]
    internal static void Doctor(CommandContext ctx) =>
        ctx.Reply.Verbatim(Encoding.ASCII.GetBytes(MemoryReport.Make(ctx.Server)), "txt"u8);

    /// <summary>Replies with what the heap knows about itself.</summary>
    [Command("MEMORY|MALLOC-STATS", arity: 2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Tips = "nondeterministic_output request_policy:all_shards response_policy:special",
        Summary = "Tells what the heap knows about itself.")]
    internal static void MallocStats(CommandContext ctx) =>
        ctx.Reply.Verbatim(Encoding.ASCII.GetBytes(MemoryReport.DescribeHeap(ctx.Server.Keyspace.Heap)), "txt"u8);

    /// <summary>Gives back to the system whatever memory is free, also what sparse slabs hold.</summary>
    [Command("MEMORY|PURGE", arity: 2, CommandFlags.None, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(N) in the entries that have to be moved for it, and in all elements of all values when those lie far apart.",
        Tips = "request_policy:all_shards response_policy:all_succeeded",
        Summary = "Gives free memory back to the system.")]
    internal static void Purge(CommandContext ctx)
    {
        ctx.Server.Keyspace.Eviction.Purge();
        ctx.Reply.Ok();
    }

    [Command("MEMORY|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "4.0.0", Complexity = "O(1)", Summary = "Lists the subcommands of MEMORY.")]
    internal static void Help(CommandContext ctx) => HelpReply.Write(ctx, HelpLines);
}
