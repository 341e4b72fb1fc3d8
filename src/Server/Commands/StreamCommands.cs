using System.Text;
using KvServer.Resp;
using KvServer.Server.Config;
using KvServer.Server.Persistence;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Adding and removing entries of streams.</summary>
/// <remarks>Passed on with the ids that entries got, and with what approximate trimming has left. Semantics:
/// redis.io/commands, group stream.</remarks>
internal static class StreamCommands
{
    /// <summary>Ids up to this number need no array.</summary>
    internal const int StackIds = 32;

    /// <summary>Adds an entry and replies with its id; trims the stream on the way if asked to.</summary>
    /// <remarks>When memory runs out for trimming, the entry is there and the next call trims.</remarks>
    [Command("XADD", arity: -5, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast, Group = CommandGroup.Stream,
        Since = "5.0.0", Complexity = "O(1), and O(N) for N entries trimmed.", Summary = "Adds an entry to a stream.",
        Syntax = "key [NOMKSTREAM]@6.2.0 [trim:strategy:(MAXLEN|MINID@6.2.0) [operator:equal:=|approximately:~] threshold "
            + "[LIMIT count]@6.2.0] (id_or_auto:auto_id:*|id) (field value)...",
        History = "6.2.0: NOMKSTREAM, MINID and LIMIT.;7.0.0: Ids of the form ms-*.", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update, Notes = "Updates because trimming may remove entries")]
    internal static void XAdd(CommandContext ctx)
    {
        if (!StreamAddOptions.TryRead(ctx, isAdd: true, out StreamAddOptions options))
        {
            return;
        }

        int fieldWords = ctx.Args.Count - options.IdIndex - 1;
        if (fieldWords < 2 || fieldWords % 2 == 1)
        {
            ctx.WrongArity();
            return;
        }

        if (options.HasId && options.HasSequence && options.Id == StreamId.Min)
        {
            ctx.Reply.Error("ERR The ID specified in XADD must be greater than 0-0"u8);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = TryOpen(ctx, key, forWrite: true, out StreamValue stream, out bool replied);
        if (replied)
        {
            return;
        }

        if (!exists && options.NoMakeStream)
        {
            ctx.Reply.Null();
            return;
        }

        stream = exists ? stream : StreamValue.Create(ctx.Server.Keyspace, LimitsOf(ctx));
        try
        {
            Add(ctx, key, ref stream, exists, in options);
        }
        finally
        {
            stream.Dispose();
        }
    }

    /// <summary>Replies with the number of entries.</summary>
    [Command("XLEN", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(1)", Summary = "Returns the number of entries of a stream.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void XLen(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, ctx.Key(1), forWrite: false, out StreamValue stream, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? stream.Length : 0);
        }
    }

    /// <summary>Removes entries by their ids and replies with how many there were. The stream stays, even an empty one.</summary>
    [Command("XDEL", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N) for each entry.", Summary = "Removes entries from a stream by their ids.",
        Syntax = "key id...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void XDel(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!TryOpen(ctx, key, forWrite: true, out StreamValue stream, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        int count = ctx.Args.Count - 2;
        Span<StreamId> ids = count <= StackIds ? stackalloc StreamId[count] : new StreamId[count];
        if (!StreamIdText.TryReadAll(ctx, 2, ids))
        {
            return;
        }

        long deleted = 0;
        int done = 0;
        try
        {
            for (; done < count; done++)
            {
                deleted += stream.Delete(ids[done]) ? 1 : 0;
            }
        }
        catch (OutOfMemoryException) when (deleted > 0)
        {
            // What is deleted stays so; the reply says how many, and only these are passed on.
            if (ctx.BeginPropagation(done + 2) is { } log)
            {
                for (int i = 0; i < done + 2; i++)
                {
                    log.Argument(ctx.Args[i]);
                }
            }
        }

        if (deleted > 0)
        {
            ctx.KeyChanged(key, KeyEvent.XDel, deleted);
        }

        ctx.Reply.Integer(deleted);
    }

    /// <summary>Removes the first entries, by number or by id, and replies with how many there were.</summary>
    [Command("XTRIM", arity: -4, CommandFlags.Write, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(N) in the entries removed, by nodes.", Summary = "Removes the first entries of a stream.",
        Syntax = "key (trim:strategy:(MAXLEN|MINID@6.2.0) [operator:equal:=|approximately:~] threshold [LIMIT count]@6.2.0)",
        History = "6.2.0: MINID and LIMIT.", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void XTrim(CommandContext ctx)
    {
        if (!StreamAddOptions.TryRead(ctx, isAdd: false, out StreamAddOptions options))
        {
            return;
        }

        Key key = ctx.Key(1);
        if (!TryOpen(ctx, key, forWrite: true, out StreamValue stream, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        long removed = Trim(in stream, in options);
        if (removed > 0)
        {
            ctx.KeyChanged(key, KeyEvent.XTrim, removed);
            if (options.IsApproximate)
            {
                PassOn(ctx, in stream, in options, id: null, rewritesThreshold: true);
            }
        }

        ctx.Reply.Integer(removed);
    }

    /// <summary>Sets what a stream remembers: the last id, how many entries were ever added, the largest id deleted.</summary>
    [Command("XSETID", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast, Group = CommandGroup.Stream,
        Since = "5.0.0", Complexity = "O(1)", Summary = "Sets the last id of a stream, for the append-only file.",
        Syntax = "key last-id [ENTRIESADDED entries_added]@7.0.0 [MAXDELETEDID max_deleted_entry_id]@7.0.0",
        History = "7.0.0: ENTRIESADDED and MAXDELETEDID.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void XSetId(CommandContext ctx)
    {
        if (!TryReadState(ctx, out StreamId id, out long entriesAdded, out StreamId maxDeletedId))
        {
            return;
        }

        Key key = ctx.Key(1);
        if (!TryOpen(ctx, key, forWrite: true, out StreamValue stream, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Error(CommandError.NoSuchKey);
            }

            return;
        }

        if (stream.TryGetEnd(first: false, out StreamEntry last) && id < last.Id)
        {
            ctx.Reply.Error("ERR The ID specified in XSETID is smaller than the target stream top item"u8);
            return;
        }

        if (entriesAdded != -1 && stream.Length > entriesAdded)
        {
            ctx.Reply.Error("ERR The entries_added specified in XSETID is smaller than the target stream length"u8);
            return;
        }

        stream.SetLastId(id);
        stream.SetHistory(
            entriesAdded == -1 ? stream.EntriesAdded : entriesAdded,
            maxDeletedId == StreamId.Min ? stream.MaxDeletedId : maxDeletedId);
        ctx.KeyChanged(key, KeyEvent.XSetId);
        ctx.Reply.Ok();
    }

    /// <summary>How large the nodes of streams become.</summary>
    internal static StreamLimits LimitsOf(CommandContext ctx) => ConfiguredLimits.OfStreams(ctx.Server.Config);

    /// <summary>Opens a stream.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">Its key.</param>
    /// <param name="forWrite">Whether the look-up is that of a command that writes.</param>
    /// <param name="stream">The stream when the result is true; it may be changed either way.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    internal static bool TryOpen(CommandContext ctx, Key key, bool forWrite, out StreamValue stream, out bool replied)
    {
        Lookup found = forWrite
            ? ctx.Database.FindForWrite(key, ValueType.Stream, out Entry entry)
            : ctx.Database.FindForRead(key, ValueType.Stream, out entry);
        replied = found == Lookup.WrongType;
        stream = found == Lookup.Found ? StreamValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        if (replied)
        {
            ctx.Reply.Error(CommandError.WrongType);
        }

        return found == Lookup.Found;
    }

    private static void Add(CommandContext ctx, Key key, ref StreamValue stream, bool exists, in StreamAddOptions options)
    {
        if (stream.LastId == StreamId.Max)
        {
            ctx.Reply.Error("ERR The stream has exhausted the last possible ID, unable to add more items"u8);
            return;
        }

        if (!TryChooseId(ctx, stream.LastId, in options, out StreamId id))
        {
            ctx.Reply.Error("ERR The ID specified in XADD is equal or smaller than the target stream top item"u8);
            return;
        }

        if (!stream.TryAppend(id, new StreamFields(ctx.Args.Slice(options.IdIndex + 1))))
        {
            ctx.Reply.Error("ERR Elements are too large to be stored"u8);
            return;
        }

        long removed = 0;
        bool isTrimmed = true;
        try
        {
            removed = Trim(in stream, in options);
        }
        catch (OutOfMemoryException)
        {
            isTrimmed = false;
        }

        if (exists)
        {
            ctx.KeyChanged(key, KeyEvent.XAdd); // Before there may be no memory to pass it on.
        }

        // What is passed on is said before a new stream becomes the key's, when this handle ends.
        bool rewritesThreshold = options.Strategy != StreamTrimStrategy.None && (options.IsApproximate || !isTrimmed);
        bool rewritesId = !options.HasId || !options.HasSequence;
        if (rewritesThreshold || rewritesId)
        {
            PassOn(ctx, in stream, in options, rewritesId ? id : null, rewritesThreshold);
        }

        if (!exists)
        {
            stream.InsertAs(ctx.Database, key);
            ctx.KeyChanged(key, KeyEvent.XAdd);
        }

        if (removed > 0)
        {
            ctx.KeyChanged(key, KeyEvent.XTrim, changes: 0);
        }

        StreamReply.Id(ctx.Reply, id);
    }

    private static bool TryChooseId(CommandContext ctx, StreamId last, in StreamAddOptions options, out StreamId id)
    {
        if (!options.HasId)
        {
            ulong nowMs = (ulong)ctx.NowMs;
            id = new StreamId(nowMs, 0);
            return nowMs > last.Ms || last.TryGetNext(out id);
        }

        id = options.Id;
        if (!options.HasSequence && id.Ms == last.Ms)
        {
            id = new StreamId(id.Ms, unchecked(last.Sequence + 1)); // Past the end it is 0, and not behind the last one.
        }

        return id > last;
    }

    private static long Trim(in StreamValue stream, in StreamAddOptions options) => options.Strategy switch
    {
        StreamTrimStrategy.MaxLength => stream.TrimToLength(options.MaxLength, options.IsApproximate, options.Limit),
        StreamTrimStrategy.MinId => stream.TrimBefore(options.MinId, options.IsApproximate, options.Limit),
        _ => 0,
    };

    // The call with the id that the entry got, and with what trimming has left in place of what it was to leave.
    private static void PassOn(
        CommandContext ctx, in StreamValue stream, in StreamAddOptions options, StreamId? id, bool rewritesThreshold)
    {
        Arguments args = ctx.Args;
        if (ctx.BeginPropagation(args.Count) is not { } log)
        {
            return;
        }

        for (int i = 0; i < args.Count; i++)
        {
            if (id is { } added && i == options.IdIndex)
            {
                Argument(log, added);
            }
            else if (rewritesThreshold && options.IsApproximate && i == options.ThresholdIndex - 1)
            {
                log.Argument("="u8);
            }
            else if (rewritesThreshold && i == options.ThresholdIndex)
            {
                if (options.Strategy == StreamTrimStrategy.MaxLength)
                {
                    log.Argument(stream.Length);
                }
                else
                {
                    Argument(log, FirstIdOrDeleted(in stream));
                }
            }
            else
            {
                log.Argument(args[i]);
            }
        }
    }

    /// <summary>Adds an id to a request that is passed on.</summary>
    internal static void Argument(PropagationLog log, StreamId id)
    {
        Span<byte> text = stackalloc byte[StreamId.MaxTextLength];
        log.Argument(text[..id.Format(text)]);
    }

    // The id that the first node begins with, whose entry may have been deleted since.
    private static StreamId FirstIdOrDeleted(in StreamValue stream)
    {
        StreamNodeEnumerator nodes = stream.Nodes();
        return nodes.MoveNext() ? nodes.Id : StreamId.Max;
    }

    private static bool TryReadState(CommandContext ctx, out StreamId id, out long entriesAdded, out StreamId maxDeletedId)
    {
        Arguments args = ctx.Args;
        entriesAdded = -1;
        maxDeletedId = default;
        if (!StreamIdText.TryRead(ctx, 2, out id))
        {
            return false;
        }

        for (int i = 3; i < args.Count; i += 2)
        {
            bool hasMore = i + 1 < args.Count;
            if (hasMore && Ascii.EqualsIgnoreCase(args[i], "entriesadded"u8))
            {
                if (!Numbers.TryParseInt64(args[i + 1], out entriesAdded))
                {
                    ctx.Reply.Error(CommandError.NotAnInteger);
                    return false;
                }

                if (entriesAdded < 0)
                {
                    ctx.Reply.Error("ERR entries_added must be positive"u8);
                    return false;
                }
            }
            else if (hasMore && Ascii.EqualsIgnoreCase(args[i], "maxdeletedid"u8))
            {
                if (!StreamIdText.TryRead(ctx, i + 1, out maxDeletedId))
                {
                    return false;
                }

                if (id < maxDeletedId)
                {
                    ctx.Reply.Error(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"u8);
                    return false;
                }
            }
            else
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }
        }

        return true;
    }
}
