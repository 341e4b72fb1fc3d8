using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>MEMORY: what keys cost.</summary>
internal static class MemoryCommands
{
    private static readonly string[] HelpLines =
    [
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

    [Command("MEMORY|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server,
        Since = "4.0.0", Complexity = "O(1)", Summary = "Lists the subcommands of MEMORY.")]
    internal static void Help(CommandContext ctx) => HelpReply.Write(ctx, HelpLines);
}
