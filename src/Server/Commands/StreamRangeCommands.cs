using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Entries of streams between two ids.</summary>
/// <remarks>Entries are counted first and then stream into the reply. Semantics: redis.io/commands, group stream.</remarks>
internal static class StreamRangeCommands
{
    /// <summary>Replies with the entries between two ids.</summary>
    [Command("XRANGE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N + M) for M entries returned.", Summary = "Returns the entries of a stream between two ids.",
        Syntax = "key start:string end:string [COUNT count]", History = "6.2.0: Exclusive ends.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void XRange(CommandContext ctx) => Range(ctx, forward: true);

    /// <summary>XRANGE from the end; the largest id is named first.</summary>
    [Command("XREVRANGE", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N + M) for M entries returned.",
        Summary = "Returns the entries of a stream between two ids, the last one first.",
        Syntax = "key end:string start:string [COUNT count]", History = "6.2.0: Exclusive ends.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void XRevRange(CommandContext ctx) => Range(ctx, forward: false);

    private static void Range(CommandContext ctx, bool forward)
    {
        if (!StreamIdText.TryReadStart(ctx, forward ? 2 : 3, out StreamId start)
            || !StreamIdText.TryReadStop(ctx, forward ? 3 : 2, out StreamId end)
            || !TryReadCount(ctx, out long count))
        {
            return;
        }

        if (!StreamCommands.TryOpen(ctx, ctx.Key(1), forWrite: false, out StreamValue stream, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.EmptyArray();
            }

            return;
        }

        if (count == 0)
        {
            ctx.Reply.NullArray();
        }
        else
        {
            long found = StreamReply.Count(in stream, start, end, Math.Max(count, 0));
            if (LongReply.Pays(ctx, found))
            {
                _ = new LongStreamReply(ctx, in stream, start, end, found, forward); // Before the head: it may fail.
                ctx.Reply.Array(found);
            }
            else
            {
                StreamReply.Counted(ctx.Reply, in stream, start, end, found, forward);
            }
        }
    }

    // -1 when there is none.
    private static bool TryReadCount(CommandContext ctx, out long count)
    {
        Arguments args = ctx.Args;
        count = -1;
        for (int i = 4; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count || !Ascii.EqualsIgnoreCase(args[i], "count"u8))
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }

            if (!Numbers.TryParseInt64(args[i + 1], out count))
            {
                ctx.Reply.Error(CommandError.NotAnInteger);
                return false;
            }

            count = Math.Max(count, 0);
        }

        return true;
    }
}
