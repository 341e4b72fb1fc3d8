using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Reading what comes behind given ids, from several streams at once, alone or as a consumer of a group.</summary>
/// <remarks>
/// <para>A call that finds nothing may wait (<see cref="CommandContext.WaitForKeys"/>). It is run again for the one key
/// that has changed and then replies with that stream only. Nothing is taken away from other readers, so every client
/// that waits for the key is served; consumers of one group in the order in which they began to wait.</para>
/// <para>Reading through a group is passed on as what it leaves: see <see cref="StreamPropagation"/>. Semantics:
/// redis.io/commands, group stream.</para>
/// </remarks>
internal static class StreamReadCommands
{
    // Who has waited and named no count is not sent a whole stream at once.
    private const long CountAfterWait = 1000;

    /// <summary>Replies with the entries of streams behind an id each; <c>$</c> is the last one there is.</summary>
    [Command("XREAD", arity: -4, CommandFlags.ReadOnly | CommandFlags.Blocking, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N + M) for each stream with M entries returned.",
        Summary = "Returns the entries of streams behind given ids, waiting for some if need be.",
        Syntax = "[COUNT count] [BLOCK milliseconds] STREAMS streams:(key... id...)")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Keyword = "STREAMS", StartFrom = 1, Last = -1, Limit = 2)]
    internal static void XRead(CommandContext ctx) => Read(ctx, takesGroup: false);

    /// <summary>Replies with the entries of streams that no consumer of the group was given yet (<c>&gt;</c>), or with those
    /// that this consumer was given and has not acknowledged, behind an id.</summary>
    [Command("XREADGROUP", arity: -7, CommandFlags.Write | CommandFlags.Blocking, Group = CommandGroup.Stream,
        Since = "5.0.0", Complexity = "O(M*log N) for each stream with M entries returned.",
        Summary = "Returns new or pending entries of streams to a consumer of a group, waiting for new ones if need be.",
        Syntax = "GROUP group_consumer:(group consumer) [COUNT count] [BLOCK milliseconds] [NOACK] "
            + "STREAMS streams:(key... id...)")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Keyword = "STREAMS", StartFrom = 4, Last = -1, Limit = 2)]
    internal static void XReadGroup(CommandContext ctx) => Read(ctx, takesGroup: true);

    private static void Read(CommandContext ctx, bool takesGroup)
    {
        ctx.PropagateOnlyAs();
        if (!StreamReadOptions.TryRead(ctx, takesGroup, out StreamReadOptions options))
        {
            return;
        }

        if (ctx.IsRetry)
        {
            ServeWaiting(ctx, in options);
            return;
        }

        Span<StreamId> ids = options.KeyCount <= StreamCommands.StackIds
            ? stackalloc StreamId[options.KeyCount]
            : new StreamId[options.KeyCount];
        if (!TryReadIds(ctx, in options, ids))
        {
            return;
        }

        if (TryServe(ctx, in options, ids))
        {
            return;
        }

        if (options.EndsAtMs == StreamReadOptions.NoWait)
        {
            ctx.Reply.NullArray();
        }
        else
        {
            ctx.WaitForKeys(
                options.FirstKey, options.KeyCount, options.EndsAtMs, state: ids.ToArray(), wakesWhenGone: takesGroup);
        }
    }

    // Every stream's id is read, and every group looked for, before anything is done.
    private static bool TryReadIds(CommandContext ctx, in StreamReadOptions options, scoped Span<StreamId> ids)
    {
        Arguments args = ctx.Args;
        for (int i = 0; i < ids.Length; i++)
        {
            bool exists = StreamCommands.TryOpen(
                ctx, ctx.Key(options.FirstKey + i), forWrite: false, out StreamValue stream, out bool replied);
            if (replied)
            {
                return false;
            }

            if (options.GroupIndex > 0 && !(exists && stream.TryFindGroup(args[options.GroupIndex], out _)))
            {
                ctx.Reply.Error(StreamGroupCommands.NoKeyOrGroup(
                    args[options.FirstKey + i], args[options.GroupIndex], " in XREADGROUP with GROUP option"));
                return false;
            }

            int argIndex = options.FirstKey + options.KeyCount + i;
            ReadOnlySpan<byte> id = args[argIndex];
            if (id is [(byte)'$'])
            {
                if (options.GroupIndex > 0)
                {
                    ctx.Reply.Error(
                        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."u8);
                    return false;
                }

                ids[i] = exists ? stream.LastId : StreamId.Min;
            }
            else if (id is [(byte)'>'])
            {
                if (options.GroupIndex == 0)
                {
                    ctx.Reply.Error(
                        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."u8);
                    return false;
                }

                ids[i] = StreamId.Max;
            }
            else if (!StreamIdText.TryRead(ctx, argIndex, out ids[i]))
            {
                return false;
            }
        }

        return true;
    }

    // Replies with every stream that has something, if one does.
    private static bool TryServe(CommandContext ctx, in StreamReadOptions options, scoped ReadOnlySpan<StreamId> ids)
    {
        // What a group has read is not there for a second mention of its stream, so how many streams there will be in the
        // reply is known beforehand only without a group.
        ReplyWriter reply = ctx.Reply;
        bool isCounted = options.GroupIndex == 0 || ids.Length == 1;
        DeferredAggregate deferred = default;
        long count = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (!IsServed(ctx, in options, ids[i], i, out StreamValue stream, out StreamId after))
            {
                ReportMissing(ctx, ctx.Key(options.FirstKey + i));
                continue;
            }

            long header = 0;
            if (count == 0 && isCounted)
            {
                header = CountServed(ctx, in options, ids, i);
            }
            else if (count == 0)
            {
                deferred = reply.Protocol == 2 ? reply.BeginArray() : reply.BeginMap();
            }

            bool isHistory = ids[i] != StreamId.Max;
            ReadOne(ctx, in options, options.FirstKey + i, in stream, after, isHistory, options.Count, header);
            count++;
        }

        if (count > 0 && !isCounted)
        {
            reply.End(deferred, count);
        }

        return count > 0;
    }

    private static long CountServed(
        CommandContext ctx, in StreamReadOptions options, scoped ReadOnlySpan<StreamId> ids, int first)
    {
        long count = 0;
        for (int i = first; i < ids.Length; i++)
        {
            count += IsServed(ctx, in options, ids[i], i, out _, out _) ? 1 : 0;
        }

        return count;
    }

    private static bool IsServed(
        CommandContext ctx, in StreamReadOptions options, StreamId id, int keyIndex, out StreamValue stream, out StreamId after)
    {
        after = id;
        if (!TryOpenAgain(ctx, ctx.Key(options.FirstKey + keyIndex), out stream))
        {
            return false;
        }

        if (options.GroupIndex > 0)
        {
            if (id != StreamId.Max)
            {
                return true; // What a consumer has pending is always told, even that it is nothing.
            }

            Invariant.Check(stream.TryFindGroup(ctx.Args[options.GroupIndex], out StreamGroup group), "the group was there");
            after = group.LastId;
        }

        return stream.TryGetEnd(first: false, out StreamEntry last) && last.Id > after;
    }

    // Whoever listens for keys that are missed hears of a stream twice: it is looked up for its type, and again to be read.
    private static void ReportMissing(CommandContext ctx, Key key)
    {
        if (ctx.Server.Keyspace.Missed is { } missed && !TryOpenAgain(ctx, key, out _))
        {
            missed(ctx.Database, key.Bytes);
        }
    }

    private static bool TryOpenAgain(CommandContext ctx, Key key, out StreamValue stream)
    {
        bool exists = ctx.Database.TryFind(key, LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry)
            && entry.Type == ValueType.Stream;
        stream = exists ? StreamValue.Open(ctx.Database, entry, StreamCommands.LimitsOf(ctx)) : default;
        return exists;
    }

    private static void WriteHeader(ReplyWriter reply, long count)
    {
        if (reply.Protocol == 2)
        {
            reply.Array(count);
        }
        else
        {
            reply.Map(count);
        }
    }

    // The call has waited, and one of its keys has changed: replies with that stream, or why there is nothing to wait for
    // any more, or goes on waiting.
    private static void ServeWaiting(CommandContext ctx, in StreamReadOptions options)
    {
        ReadOnlySpan<byte> name = ctx.ReadyKey;
        int index = 0;
        while (!ctx.Args[options.FirstKey + index].SequenceEqual(name))
        {
            index++;
        }

        StreamId after = ((StreamId[])ctx.WaitState!)[index];
        bool exists = TryOpenAgain(ctx, ctx.Key(options.FirstKey + index), out StreamValue stream);
        if (options.GroupIndex > 0)
        {
            if (!exists)
            {
                ctx.Reply.Error("UNBLOCKED the stream key no longer exists"u8);
                return;
            }

            if (!stream.TryFindGroup(ctx.Args[options.GroupIndex], out StreamGroup group))
            {
                ctx.Reply.Error("NOGROUP the consumer group this client was blocked on no longer exists"u8);
                return;
            }

            after = group.LastId;
        }

        if (!exists || stream.LastId <= after)
        {
            ctx.WaitForKeys(options.FirstKey, options.KeyCount, options.EndsAtMs);
            return;
        }

        long count = options.Count == 0 ? CountAfterWait : options.Count;
        ReadOne(ctx, in options, options.FirstKey + index, in stream, after, isHistory: false, count, header: 1);
    }

    // Replies with one stream. What that changes comes first, so that a client that memory runs out for is told instead of
    // getting half a reply. A header comes before the first stream: how many there will be, or 0 for none.
    private static void ReadOne(
        CommandContext ctx, in StreamReadOptions options, int keyIndex, in StreamValue stream, StreamId after, bool isHistory,
        long limit, long header)
    {
        ReplyWriter reply = ctx.Reply;
        ReadOnlySpan<byte> key = ctx.Args[keyIndex];
        bool hasMore = after.TryGetNext(out StreamId start);
        StreamGroup group = default;
        long consumer = 0;
        long count = 0;
        if (options.GroupIndex > 0)
        {
            Invariant.Check(stream.TryFindGroup(ctx.Args[options.GroupIndex], out group), "the group was there");
            consumer = FindConsumer(ctx, key, in options, ref group);
            count = isHistory
                ? DeliverAgain(ctx, in stream, ref group, consumer, start, limit)
                : Deliver(ctx, key, in stream, ref group, consumer, start, limit, options.NoAck);
        }

        if (header > 0)
        {
            WriteHeader(reply, header);
        }

        if (reply.Protocol == 2)
        {
            reply.Array(2);
        }

        reply.BulkString(key);
        if (options.GroupIndex > 0 && isHistory)
        {
            WritePending(reply, in stream, in group, consumer, start, count);
        }
        else if (options.GroupIndex > 0)
        {
            StreamReply.Counted(reply, in stream, start, StreamId.Max, count);
        }
        else if (hasMore)
        {
            StreamReply.Range(reply, in stream, start, StreamId.Max, limit);
        }
        else
        {
            reply.EmptyArray();
        }
    }

    // The consumer named in the call, who may come to be.
    private static long FindConsumer(
        CommandContext ctx, ReadOnlySpan<byte> key, in StreamReadOptions options, ref StreamGroup group)
    {
        ReadOnlySpan<byte> name = ctx.Args[options.GroupIndex + 1];
        if (group.TryAddConsumer(name, ctx.NowMs, out long consumer))
        {
            ctx.KeyChanged(ctx.Server.Keyspace.KeyOf(key), KeyEvent.XGroupCreateConsumer);
            if (options.NoAck)
            {
                StreamPropagation.NewConsumer(ctx, key, in group, name);
            }
        }
        else
        {
            group.SetSeen(consumer, ctx.NowMs);
        }

        ctx.DatasetChanged(1);
        return consumer;
    }

    // Gives a consumer what the group has not read yet, and returns how many entries that are. Without memory for all, what
    // became pending stays so, and the group has not come any further: who reads next gets the same again.
    private static long Deliver(
        CommandContext ctx, ReadOnlySpan<byte> key, in StreamValue stream, ref StreamGroup group, long consumer, StreamId start,
        long limit, bool noAck)
    {
        long count = 0;
        long entriesRead = group.EntriesRead;
        StreamId lastId = group.LastId;
        foreach (StreamEntry entry in stream.Range(start, StreamId.Max))
        {
            if (entry.Id > lastId)
            {
                entriesRead = StreamProgress.AfterReading(in stream, entriesRead, entry.Id);
                lastId = entry.Id;
            }

            if (!noAck)
            {
                // After XGROUP SETID an entry may be pending already, and goes to the one who reads it now.
                StreamPending pending = new(entry.Id, ctx.NowMs, Deliveries: 1, consumer);
                if (!group.TryAddPending(pending))
                {
                    group.SetPending(pending);
                }

                StreamPropagation.Claim(ctx, key, in group, id: default, in pending, lastId);
            }

            count++;
            if (count == limit)
            {
                break;
            }
        }

        if (lastId != group.LastId)
        {
            group.SetLastId(lastId, entriesRead);
            if (noAck)
            {
                StreamPropagation.GroupPosition(ctx, key, in group);
            }
        }

        return count;
    }

    // Counts what a consumer was given and has not acknowledged, from an id on, as delivered once more, unless it is gone.
    private static long DeliverAgain(
        CommandContext ctx, in StreamValue stream, ref StreamGroup group, long consumer, StreamId start, long limit)
    {
        long count = 0;
        bool hasNext = true;
        while (hasNext && (limit == 0 || count < limit) && group.TryGetPendingFrom(consumer, start, out StreamPending pending))
        {
            if (stream.Contains(pending.Id))
            {
                group.SetPending(pending with { DeliveredMs = ctx.NowMs, Deliveries = pending.Deliveries + 1 });
            }

            count++;
            hasNext = pending.Id.TryGetNext(out start);
        }

        return count;
    }

    // Entries that are gone are told as null.
    private static void WritePending(
        ReplyWriter reply, in StreamValue stream, in StreamGroup group, long consumer, StreamId start, long count)
    {
        reply.Array(count);
        StreamPendingEnumerator pendings = group.PendingOf(consumer, start);
        for (; count > 0; count--)
        {
            Invariant.Check(pendings.MoveNext(), "they have been counted");
            StreamId id = pendings.Current.Id;
            if (stream.Contains(id))
            {
                StreamReply.Entry(reply, in stream, id);
            }
            else
            {
                reply.Array(2);
                StreamReply.Id(reply, id);
                reply.NullArray();
            }
        }
    }
}
