using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Giving pending entries to another consumer.</summary>
/// <remarks>Everything is claimed before the reply begins; when memory runs out half-way, what has been claimed stays so and
/// the client is told. Pending entries whose entry is gone are dropped on the way. Each entry is passed on as what it is
/// then, which gives the same state whenever it is run. Semantics: redis.io/commands, group stream.</remarks>
internal static class StreamClaimCommands
{
    private const long DefaultCount = 100;
    private const long MaxCount = long.MaxValue / 16;
    private const long AttemptsPerEntry = 10;

    /// <summary>Gives pending entries to a consumer, by their ids, and replies with them.</summary>
    [Command("XCLAIM", arity: -6, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N) for each entry.", Summary = "Gives pending entries of a group to another consumer.",
        Syntax = "key group consumer min-idle-time:string id... [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] "
            + "[FORCE] [JUSTID] [LASTID id]",
        Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void XClaim(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        ctx.PropagateOnlyAs();
        if (!TryOpenGroup(ctx, out StreamValue stream, out StreamGroup group) || !TryReadMinIdle(ctx, "XCLAIM", out long minIdleMs))
        {
            return;
        }

        int most = args.Count - 5;
        Span<StreamId> ids = most <= StreamCommands.StackIds ? stackalloc StreamId[most] : new StreamId[most];
        int idCount = 0;
        while (idCount < most && StreamIdText.TryParse(args[5 + idCount], 0, out ids[idCount]))
        {
            idCount++;
        }

        if (!StreamClaimOptions.TryRead(ctx, 5 + idCount, out StreamClaimOptions options))
        {
            return;
        }

        bool isPositionNews = options.LastId > group.LastId;
        if (isPositionNews)
        {
            group.SetLastId(options.LastId, group.EntriesRead);
        }

        Claimer claimer = new(ctx, stream, group, minIdleMs, options.JustId);
        int claimed = 0;
        try
        {
            for (int i = 0; i < idCount; i++)
            {
                if (claimer.TryClaim(in options, ids[i], args[5 + i]))
                {
                    ids[claimed++] = ids[i];
                }
            }
        }
        catch (OutOfMemoryException) when (isPositionNews)
        {
            ctx.DatasetChanged(1); // The group's place has changed, whatever else has.
            throw;
        }

        // Each request of an entry says how far the group has come.
        if (isPositionNews && claimer.Changes == 0)
        {
            StreamPropagation.GroupPosition(ctx, args[1], in claimer.Group);
            ctx.DatasetChanged(1);
        }

        ctx.Reply.Array(claimed);
        foreach (StreamId id in ids[..claimed])
        {
            Write(ctx.Reply, in stream, id, options.JustId);
        }
    }

    /// <summary>Gives pending entries to a consumer that have been pending for long enough, from an id on; replies with the
    /// id to go on from, the entries, and the ids of those whose entries are gone.</summary>
    [Command("XAUTOCLAIM", arity: -6, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Stream, Since = "6.2.0",
        Complexity = "O(M*log N) for M pending entries looked at, up to ten for each to be claimed.",
        Summary = "Gives entries of a group that have been pending for long to another consumer.",
        Syntax = "key group consumer min-idle-time:string start:string [COUNT count] [JUSTID]",
        History = "7.0.0: The third element of the reply.", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void XAutoClaim(CommandContext ctx)
    {
        ctx.PropagateOnlyAs();
        if (!TryReadMinIdle(ctx, "XAUTOCLAIM", out long minIdleMs)
            || !StreamIdText.TryReadStart(ctx, 5, out StreamId start)
            || !TryReadAutoOptions(ctx, out long count, out bool justId)
            || !TryOpenGroup(ctx, out StreamValue stream, out StreamGroup group))
        {
            return;
        }

        StreamClaimOptions options = new() { DeliveredMs = ctx.NowMs, Deliveries = -1, JustId = justId };
        Claimer claimer = new(ctx, stream, group, minIdleMs, justId);
        List<StreamId> claimed = [];
        List<StreamId> gone = [];
        bool hasNext = claimer.Group.TryGetPendingFrom(start, out StreamPending pending);
        for (long attempts = count * AttemptsPerEntry; attempts > 0 && count > 0 && hasNext; attempts--)
        {
            if (claimer.TryClaim(in options, pending.Id, idText: default))
            {
                claimed.Add(pending.Id);
                count--;
            }
            else if (claimer.WasGone)
            {
                gone.Add(pending.Id);
                count--;
            }

            hasNext = pending.Id.TryGetNext(out start) && claimer.Group.TryGetPendingFrom(start, out pending);
        }

        ReplyWriter reply = ctx.Reply;
        reply.Array(3);
        StreamReply.Id(reply, hasNext ? pending.Id : StreamId.Min);
        reply.Array(claimed.Count);
        foreach (StreamId id in claimed)
        {
            Write(reply, in stream, id, justId);
        }

        reply.Array(gone.Count);
        foreach (StreamId id in gone)
        {
            StreamReply.Id(reply, id);
        }
    }

    private static void Write(ReplyWriter reply, in StreamValue stream, StreamId id, bool justId)
    {
        if (justId)
        {
            StreamReply.Id(reply, id);
        }
        else
        {
            StreamReply.Entry(reply, in stream, id);
        }
    }

    private static bool TryOpenGroup(CommandContext ctx, out StreamValue stream, out StreamGroup group)
    {
        bool exists = StreamGroupCommands.TryFindGroup(ctx, out stream, out group, out bool replied);
        if (!exists && !replied)
        {
            ctx.Reply.Error(StreamGroupCommands.NoKeyOrGroup(ctx.Args[1], ctx.Args[2]));
        }

        return exists;
    }

    private static bool TryReadMinIdle(CommandContext ctx, string command, out long minIdleMs)
    {
        if (!Numbers.TryParseInt64(ctx.Args[4], out minIdleMs))
        {
            ctx.Reply.Error(Encoding.ASCII.GetBytes($"ERR Invalid min-idle-time argument for {command}"));
            return false;
        }

        minIdleMs = Math.Max(minIdleMs, 0);
        return true;
    }

    private static bool TryReadAutoOptions(CommandContext ctx, out long count, out bool justId)
    {
        Arguments args = ctx.Args;
        count = DefaultCount;
        justId = false;
        for (int i = 6; i < args.Count; i++)
        {
            if (i + 1 < args.Count && Ascii.EqualsIgnoreCase(args[i], "count"u8))
            {
                i++;
                if (!Numbers.TryParseInt64(args[i], out count) || count < 1 || count > MaxCount)
                {
                    ctx.Reply.Error("ERR COUNT must be > 0"u8);
                    return false;
                }
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "justid"u8))
            {
                justId = true;
            }
            else
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }
        }

        return true;
    }

    // Claims entries one by one for the consumer named in the call, who comes to be with the first of them.
    private ref struct Claimer(CommandContext ctx, StreamValue stream, StreamGroup group, long minIdleMs, bool justId)
    {
        /// <summary>The one handle to the group from here on.</summary>
        public StreamGroup Group = group;

        private readonly StreamValue _stream = stream;
        private long _consumer;

        /// <summary>How many pending entries were claimed or dropped.</summary>
        public long Changes { get; private set; }

        /// <summary>Whether the last one was dropped because its entry is gone.</summary>
        public bool WasGone { get; private set; }

        public bool TryClaim(in StreamClaimOptions options, StreamId id, ReadOnlySpan<byte> idText)
        {
            bool isPending = Group.TryGetPending(id, out StreamPending pending);
            WasGone = isPending && !_stream.Contains(id);
            if (WasGone)
            {
                StreamPropagation.Claim(ctx, ctx.Args[1], in Group, idText, in pending, Group.LastId);
                Group.RemovePending(id);
                Changed();
                return false;
            }

            bool canClaim = isPending
                ? minIdleMs == 0 || unchecked(ctx.NowMs - pending.DeliveredMs) >= minIdleMs
                : options.Force && _stream.Contains(id);
            if (!canClaim)
            {
                return false;
            }

            FindConsumer();
            long before = isPending ? pending.Deliveries : 1;
            long deliveries = options.Deliveries >= 0 ? options.Deliveries : justId ? before : before + 1;
            pending = new StreamPending(id, options.DeliveredMs, deliveries, _consumer);
            if (isPending)
            {
                Group.SetPending(pending);
            }
            else
            {
                Group.TryAddPending(pending);
            }

            Changed(); // Before there may be no memory to pass it on.
            StreamPropagation.Claim(ctx, ctx.Args[1], in Group, idText, in pending, Group.LastId);
            return true;
        }

        private void Changed()
        {
            Changes++;
            ctx.DatasetChanged(1);
        }

        private void FindConsumer()
        {
            if (_consumer != 0)
            {
                return;
            }

            if (Group.TryAddConsumer(ctx.Args[3], ctx.NowMs, out _consumer))
            {
                ctx.KeyChanged(ctx.Key(1), KeyEvent.XGroupCreateConsumer);
            }
            else
            {
                Group.SetSeen(_consumer, ctx.NowMs);
            }
        }
    }
}
