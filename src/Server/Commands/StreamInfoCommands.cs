using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>XINFO: what a stream, its groups and their consumers are like.</summary>
/// <remarks>Semantics: redis.io/commands, group stream.</remarks>
internal static class StreamInfoCommands
{
    private const long DefaultCount = 10;

    private static readonly string[] Help =
    [
        "CONSUMERS <key> <group>",
        "    Shows the consumers of a group.",
        "GROUPS <key>",
        "    Shows the groups of a stream.",
        "STREAM <key> [FULL [COUNT <count>]]",
        "    Shows what a stream is like; FULL shows entries, groups, consumers and pending entries too.",
    ];

    [Command("XINFO", arity: -2, CommandFlags.None, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "Depends on the subcommand.", Summary = "What streams and their consumer groups are like.")]
    internal static void XInfo(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the consumers of a group.</summary>
    [Command("XINFO|CONSUMERS", arity: 4, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(N) in the consumers.", Summary = "Lists the consumers of a group.", Syntax = "key groupname",
        Tips = "nondeterministic_output")]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Consumers(CommandContext ctx)
    {
        if (!TryOpen(ctx, out StreamValue stream))
        {
            return;
        }

        if (!stream.TryFindGroup(ctx.Args[3], out StreamGroup group))
        {
            ctx.Reply.Error(StreamGroupCommands.NoGroup(ctx.Args[3], ctx.Args[2]));
            return;
        }

        ReplyWriter reply = ctx.Reply;
        reply.Array(group.ConsumerCount);
        foreach (StreamConsumer consumer in group.AllConsumers())
        {
            reply.Map(3);
            reply.BulkString("name"u8);
            reply.BulkString(consumer.Name);
            reply.BulkString("pending"u8);
            reply.Integer(consumer.PendingCount);
            reply.BulkString("idle"u8);
            reply.Integer(Math.Max(ctx.NowMs - consumer.SeenMs, 0));
        }
    }

    /// <summary>Replies with the groups of a stream.</summary>
    [Command("XINFO|GROUPS", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(N) in the groups.", Summary = "Lists the consumer groups of a stream.", Syntax = "key",
        History = "7.0.0: The fields entries-read and lag.")]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Groups(CommandContext ctx)
    {
        if (!TryOpen(ctx, out StreamValue stream))
        {
            return;
        }

        ReplyWriter reply = ctx.Reply;
        reply.Array(stream.GroupCount);
        foreach (StreamGroup group in stream.Groups())
        {
            reply.Map(6);
            reply.BulkString("name"u8);
            reply.BulkString(group.Name);
            reply.BulkString("consumers"u8);
            reply.Integer(group.ConsumerCount);
            reply.BulkString("pending"u8);
            reply.Integer(group.PendingCount);
            WritePosition(reply, in stream, in group);
        }
    }

    /// <summary>Replies with what a stream is like, with FULL also with its entries and all of its groups.</summary>
    [Command("XINFO|STREAM", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(N) in the nodes of its tree, and in what FULL returns.", Summary = "Tells what a stream is like.",
        Syntax = "key [FULL full:([COUNT count])]",
        History = "6.0.0: FULL.;7.0.0: The fields max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read and lag.")]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Stream(CommandContext ctx)
    {
        if (!TryOpen(ctx, out StreamValue stream) || !TryReadFull(ctx, out bool isFull, out long limit))
        {
            return;
        }

        ReplyWriter reply = ctx.Reply;
        reply.Map(isFull ? 9 : 10);
        reply.BulkString("length"u8);
        reply.Integer(stream.Length);
        reply.BulkString("radix-tree-keys"u8);
        reply.Integer(stream.NodeCount);
        reply.BulkString("radix-tree-nodes"u8);
        reply.Integer(stream.CountTreeNodes());
        reply.BulkString("last-generated-id"u8);
        StreamReply.Id(reply, stream.LastId);
        reply.BulkString("max-deleted-entry-id"u8);
        StreamReply.Id(reply, stream.MaxDeletedId);
        reply.BulkString("entries-added"u8);
        reply.Integer(stream.EntriesAdded);
        reply.BulkString("recorded-first-entry-id"u8);
        StreamReply.Id(reply, stream.FirstId);
        if (isFull)
        {
            reply.BulkString("entries"u8);
            StreamReply.Range(reply, in stream, StreamId.Min, StreamId.Max, limit);
            reply.BulkString("groups"u8);
            reply.Array(stream.GroupCount);
            foreach (StreamGroup group in stream.Groups())
            {
                WriteFullGroup(reply, in stream, in group, limit == 0 ? long.MaxValue : limit);
            }
        }
        else
        {
            reply.BulkString("groups"u8);
            reply.Integer(stream.GroupCount);
            WriteEnd(reply, in stream, first: true);
            WriteEnd(reply, in stream, first: false);
        }
    }

    [Command("XINFO|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Stream,
        Since = "5.0.0", Summary = "Shows the subcommands of XINFO.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static bool TryOpen(CommandContext ctx, out StreamValue stream)
    {
        bool exists = StreamCommands.TryOpen(ctx, ctx.Key(2), forWrite: false, out stream, out bool replied);
        if (!exists && !replied)
        {
            ctx.Reply.Error(CommandError.NoSuchKey);
        }

        return exists;
    }

    private static bool TryReadFull(CommandContext ctx, out bool isFull, out long limit)
    {
        Arguments args = ctx.Args;
        limit = DefaultCount;
        isFull = args.Count > 3;
        if (!isFull)
        {
            return true;
        }

        if (args.Count is not (4 or 6)
            || !Ascii.EqualsIgnoreCase(args[3], "full"u8)
            || (args.Count == 6 && !Ascii.EqualsIgnoreCase(args[4], "count"u8)))
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("XINFO", args[1]));
            return false;
        }

        if (args.Count == 6 && !Numbers.TryParseInt64(args[5], out limit))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        limit = limit < 0 ? DefaultCount : limit;
        return true;
    }

    private static void WriteEnd(ReplyWriter reply, in StreamValue stream, bool first)
    {
        reply.BulkString(first ? "first-entry"u8 : "last-entry"u8);
        if (stream.TryGetEnd(first, out StreamEntry entry))
        {
            StreamReply.Entry(reply, entry);
        }
        else
        {
            reply.Null();
        }
    }

    private static void WritePosition(ReplyWriter reply, in StreamValue stream, in StreamGroup group)
    {
        reply.BulkString("last-delivered-id"u8);
        StreamReply.Id(reply, group.LastId);
        reply.BulkString("entries-read"u8);
        WriteKnown(reply, group.EntriesRead == StreamProgress.Unknown ? null : group.EntriesRead);
        reply.BulkString("lag"u8);
        WriteKnown(reply, StreamProgress.LagOf(in stream, in group));
    }

    private static void WriteKnown(ReplyWriter reply, long? number)
    {
        if (number is { } known)
        {
            reply.Integer(known);
        }
        else
        {
            reply.Null();
        }
    }

    private static void WriteFullGroup(ReplyWriter reply, in StreamValue stream, in StreamGroup group, long limit)
    {
        reply.Map(7);
        reply.BulkString("name"u8);
        reply.BulkString(group.Name);
        WritePosition(reply, in stream, in group);
        reply.BulkString("pel-count"u8);
        reply.Integer(group.PendingCount);
        reply.BulkString("pending"u8);
        long count = Math.Min(limit, group.PendingCount);
        reply.Array(count);
        StreamPendingEnumerator pendings = group.Pending(StreamId.Min);
        for (; count > 0 && pendings.MoveNext(); count--)
        {
            StreamPending pending = pendings.Current;
            Invariant.Check(group.TryGetConsumer(pending.Consumer, out StreamConsumer owner), "a pending entry has a consumer");
            reply.Array(4);
            StreamReply.Id(reply, pending.Id);
            reply.BulkString(owner.Name);
            reply.Integer(pending.DeliveredMs);
            reply.Integer(pending.Deliveries);
        }

        reply.BulkString("consumers"u8);
        reply.Array(group.ConsumerCount);
        foreach (StreamConsumer consumer in group.AllConsumers())
        {
            WriteFullConsumer(reply, in group, consumer, limit);
        }
    }

    private static void WriteFullConsumer(ReplyWriter reply, in StreamGroup group, StreamConsumer consumer, long limit)
    {
        reply.Map(4);
        reply.BulkString("name"u8);
        reply.BulkString(consumer.Name);
        reply.BulkString("seen-time"u8);
        reply.Integer(consumer.SeenMs);
        reply.BulkString("pel-count"u8);
        reply.Integer(consumer.PendingCount);
        reply.BulkString("pending"u8);
        long count = Math.Min(limit, consumer.PendingCount);
        reply.Array(count);
        StreamPendingEnumerator pendings = group.PendingOf(consumer.Number, StreamId.Min);
        for (; count > 0 && pendings.MoveNext(); count--)
        {
            reply.Array(3);
            StreamReply.Id(reply, pendings.Current.Id);
            reply.Integer(pendings.Current.DeliveredMs);
            reply.Integer(pendings.Current.Deliveries);
        }
    }
}
