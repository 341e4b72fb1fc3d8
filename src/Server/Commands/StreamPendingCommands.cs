using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Entries that consumers were given and have not acknowledged.</summary>
/// <remarks>Semantics: redis.io/commands, group stream.</remarks>
internal static class StreamPendingCommands
{
    /// <summary>Takes entries off the pending ones of a group and replies with how many there were.</summary>
    [Command("XACK", arity: -4, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N) for each entry.", Summary = "Acknowledges entries that a consumer of a group was given.",
        Syntax = "key group id...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void XAck(CommandContext ctx)
    {
        if (!StreamGroupCommands.TryFindGroup(ctx, out _, out StreamGroup group, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        int count = ctx.Args.Count - 3;
        Span<StreamId> ids = count <= StreamCommands.StackIds ? stackalloc StreamId[count] : new StreamId[count];
        if (!StreamIdText.TryReadAll(ctx, 3, ids))
        {
            return;
        }

        long acknowledged = 0;
        int done = 0;
        try
        {
            for (; done < count; done++)
            {
                acknowledged += group.RemovePending(ids[done]) ? 1 : 0;
            }
        }
        catch (OutOfMemoryException) when (acknowledged > 0)
        {
            // What is acknowledged stays so; the reply says how many, and only these are passed on.
            if (ctx.BeginPropagation(done + 3) is { } log)
            {
                for (int i = 0; i < done + 3; i++)
                {
                    log.Argument(ctx.Args[i]);
                }
            }
        }

        ctx.DatasetChanged(acknowledged);
        ctx.Reply.Integer(acknowledged);
    }

    /// <summary>Replies with how much of a group is pending, or with a range of the pending entries.</summary>
    [Command("XPENDING", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N + M) for M entries looked at; O(C) in the consumers for the summary.",
        Summary = "Returns what consumers of a group were given and have not acknowledged.",
        Syntax = "key group [filters:[IDLE min-idle-time]@6.2.0 start:string end:string count [consumer]]",
        History = "6.2.0: IDLE and exclusive ends.", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void XPending(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        bool isSummary = args.Count == 3;
        PendingRange range = default;
        if (!isSummary && !TryReadRange(ctx, out range))
        {
            return;
        }

        if (!StreamGroupCommands.TryFindGroup(ctx, out _, out StreamGroup group, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Error(StreamGroupCommands.NoKeyOrGroup(args[1], args[2]));
            }

            return;
        }

        if (isSummary)
        {
            WriteSummary(ctx.Reply, in group);
        }
        else
        {
            WriteRange(ctx, in group, in range);
        }
    }

    private static void WriteSummary(ReplyWriter reply, in StreamGroup group)
    {
        reply.Array(4);
        reply.Integer(group.PendingCount);
        if (!group.TryGetPendingFrom(StreamId.Min, out StreamPending first) || !group.TryGetLastPending(out StreamPending last))
        {
            reply.Null();
            reply.Null();
            reply.NullArray();
            return;
        }

        StreamReply.Id(reply, first.Id);
        StreamReply.Id(reply, last.Id);
        long busy = 0;
        foreach (StreamConsumer consumer in group.AllConsumers())
        {
            busy += consumer.PendingCount > 0 ? 1 : 0;
        }

        reply.Array(busy);
        foreach (StreamConsumer consumer in group.AllConsumers())
        {
            if (consumer.PendingCount > 0)
            {
                reply.Array(2);
                reply.BulkString(consumer.Name);
                reply.BulkString(consumer.PendingCount);
            }
        }
    }

    // Entries are counted first, so that they stream into the reply.
    private static void WriteRange(CommandContext ctx, in StreamGroup group, in PendingRange range)
    {
        ReplyWriter reply = ctx.Reply;
        StreamConsumer consumer = default;
        if (range.ConsumerIndex > 0 && !group.TryFindConsumer(ctx.Args[range.ConsumerIndex], out consumer))
        {
            reply.EmptyArray();
            return;
        }

        StreamPendingEnumerator pendings = Walk(in group, in range, consumer);
        long count = 0;
        while (count < range.Count && TryMoveNext(ctx, ref pendings, in range))
        {
            count++;
        }

        reply.Array(count);
        pendings = Walk(in group, in range, consumer);
        for (; count > 0 && TryMoveNext(ctx, ref pendings, in range); count--)
        {
            StreamPending pending = pendings.Current;
            reply.Array(4);
            StreamReply.Id(reply, pending.Id);
            Invariant.Check(group.TryGetConsumer(pending.Consumer, out StreamConsumer owner), "a pending entry has a consumer");
            reply.BulkString(owner.Name);
            reply.Integer(Math.Max(unchecked(ctx.NowMs - pending.DeliveredMs), 0));
            reply.Integer(pending.Deliveries);
        }
    }

    private static StreamPendingEnumerator Walk(in StreamGroup group, in PendingRange range, in StreamConsumer consumer) =>
        range.ConsumerIndex > 0 ? group.PendingOf(consumer.Number, range.Start) : group.Pending(range.Start);

    private static bool TryMoveNext(CommandContext ctx, ref StreamPendingEnumerator pendings, in PendingRange range)
    {
        while (pendings.MoveNext() && pendings.Current.Id <= range.End)
        {
            if (range.MinIdleMs == 0 || unchecked(ctx.NowMs - pendings.Current.DeliveredMs) >= range.MinIdleMs)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryReadRange(CommandContext ctx, out PendingRange range)
    {
        Arguments args = ctx.Args;
        range = default;
        if (args.Count is < 6 or > 9)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        int at = 3;
        if (Ascii.EqualsIgnoreCase(args[3], "idle"u8))
        {
            if (!Numbers.TryParseInt64(args[4], out range.MinIdleMs))
            {
                ctx.Reply.Error(CommandError.NotAnInteger);
                return false;
            }

            if (args.Count < 8)
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }

            at = 5;
        }

        if (!Numbers.TryParseInt64(args[at + 2], out range.Count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        range.ConsumerIndex = at + 3 < args.Count ? at + 3 : 0;
        return StreamIdText.TryReadStart(ctx, at, out range.Start) && StreamIdText.TryReadStop(ctx, at + 1, out range.End);
    }

    private struct PendingRange
    {
        public StreamId Start;
        public StreamId End;
        public long Count;
        public long MinIdleMs;
        public int ConsumerIndex;
    }
}
