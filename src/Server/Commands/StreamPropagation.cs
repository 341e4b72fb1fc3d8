using KvServer.Server.Persistence;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What reading through a consumer group is passed on as: the state that it leaves, in words that give the same
/// state whenever they are run.</summary>
internal static class StreamPropagation
{
    /// <summary>Passes on that a pending entry is what it is now; where its entry is gone, that it is not pending.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The stream's key.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The entry's id, as text; empty to say it as the pending entry has it.</param>
    /// <param name="pending">The pending entry.</param>
    /// <param name="lastId">The last entry the group was given.</param>
    public static void Claim(
        CommandContext ctx, ReadOnlySpan<byte> key, in StreamGroup group, ReadOnlySpan<byte> id, in StreamPending pending,
        StreamId lastId)
    {
        if (!ctx.Propagates)
        {
            return;
        }

        Invariant.Check(group.TryGetConsumer(pending.Consumer, out StreamConsumer consumer), "a pending entry has a consumer");
        PropagationLog log = ctx.BeginPropagation(14)!;
        log.Argument("XCLAIM"u8);
        log.Argument(key);
        log.Argument(group.Name);
        log.Argument(consumer.Name);
        log.Argument(0);
        if (id.IsEmpty)
        {
            StreamCommands.Argument(log, pending.Id);
        }
        else
        {
            log.Argument(id);
        }

        log.Argument("TIME"u8);
        log.Argument(pending.DeliveredMs);
        log.Argument("RETRYCOUNT"u8);
        log.Argument(StreamCount.ForCommand(pending.Deliveries));
        log.Argument("FORCE"u8);
        log.Argument("JUSTID"u8);
        log.Argument("LASTID"u8);
        StreamCommands.Argument(log, lastId);
    }

    /// <summary>Passes on how far a group has come.</summary>
    public static void GroupPosition(CommandContext ctx, ReadOnlySpan<byte> key, in StreamGroup group)
    {
        if (ctx.BeginPropagation(7) is { } log)
        {
            log.Argument("XGROUP"u8);
            log.Argument("SETID"u8);
            log.Argument(key);
            log.Argument(group.Name);
            StreamCommands.Argument(log, group.LastId);
            log.Argument("ENTRIESREAD"u8);
            log.Argument(StreamCount.ForCommand(group.EntriesRead, least: -1));
        }
    }

    /// <summary>Passes on that a consumer has come to be.</summary>
    public static void NewConsumer(
        CommandContext ctx, ReadOnlySpan<byte> key, in StreamGroup group, ReadOnlySpan<byte> consumer)
    {
        if (ctx.BeginPropagation(5) is { } log)
        {
            log.Argument("XGROUP"u8);
            log.Argument("CREATECONSUMER"u8);
            log.Argument(key);
            log.Argument(group.Name);
            log.Argument(consumer);
        }
    }
}
