using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>Commands on the server as a whole: its databases, its clock, its role, its end.</summary>
internal static class ServerCommands
{
    private const string FlushTips = "request_policy:all_shards response_policy:all_succeeded";

    /// <summary>Replies with the number of keys in the selected database.</summary>
    [Command("DBSIZE", arity: 1, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Server, Since = "1.0.0",
        Acl = "keyspace", Tips = "request_policy:all_shards response_policy:agg_sum",
        Summary = "Counts the keys of the database.")]
    internal static void DbSize(CommandContext ctx) => ctx.Reply.Integer(ctx.Database.Count);

    /// <summary>Removes all keys of the selected database.</summary>
    [Command("FLUSHDB", arity: -1, CommandFlags.Write, Group = CommandGroup.Server, Since = "1.0.0",
        Complexity = "O(N) in the keys of the database; O(1) with ASYNC.", Syntax = "[async:ASYNC@4.0.0|SYNC@6.2.0]",
        Acl = "keyspace dangerous", Tips = FlushTips, Summary = "Removes all keys of the database.",
        History = "4.0.0: Can free in the background.; 6.2.0: Can be told to free at once.")]
    internal static void FlushDb(CommandContext ctx)
    {
        if (TryReadMode(ctx, out bool inBackground))
        {
            ctx.Server.Transactions.Watched.DatabaseReplaced(ctx.Database, replacement: null);
            ctx.DatasetChanged(ctx.Database.Flush(inBackground));
            ctx.Server.Tracking.Flushed();
            ctx.Server.KeyWaits.NoteAll(ctx.Database);
            ctx.PropagateAnyway();
            ctx.Reply.Ok();
        }
    }

    /// <summary>Removes all keys of all databases.</summary>
    [Command("FLUSHALL", arity: -1, CommandFlags.Write, Group = CommandGroup.Server, Since = "1.0.0",
        Complexity = "O(N) in the keys of all databases; O(1) with ASYNC.", Syntax = "[async:ASYNC@4.0.0|SYNC@6.2.0]",
        Acl = "keyspace dangerous", Tips = FlushTips, Summary = "Removes all keys of all databases.",
        History = "4.0.0: Can free in the background.; 6.2.0: Can be told to free at once.")]
    internal static void FlushAll(CommandContext ctx)
    {
        if (TryReadMode(ctx, out bool inBackground))
        {
            ctx.Server.Snapshots.GiveUp(); // What it would still write is unwanted now.
            ctx.Server.Transactions.Watched.AllRemoved();
            ctx.DatasetChanged(ctx.Server.Keyspace.FlushAll(inBackground));
            ctx.Server.Tracking.Flushed();
            ctx.Server.KeyWaits.NoteAll();
            ctx.Server.Snapshots.SaveAfterFlush(ctx.Changes);
            ctx.PropagateAnyway();
            ctx.Reply.Ok();
        }
    }

    /// <summary>Exchanges two databases for all clients at once.</summary>
    [Command("SWAPDB", arity: 3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Server, Since = "4.0.0",
        Complexity = "O(1)", Syntax = "index1 index2", Acl = "keyspace dangerous", Summary = "Exchanges two databases.")]
    internal static void SwapDb(CommandContext ctx)
    {
        if (!TryReadIndex(ctx.Args[1], out long first))
        {
            ctx.Reply.Error("ERR invalid first DB index"u8);
        }
        else if (!TryReadIndex(ctx.Args[2], out long second))
        {
            ctx.Reply.Error("ERR invalid second DB index"u8);
        }
        else if (!Exists(ctx, first) || !Exists(ctx, second))
        {
            ctx.Reply.Error(CommandError.DbIndexOutOfRange);
        }
        else
        {
            ctx.Server.Transactions.Watched.DatabasesSwapped((int)first, (int)second);
            ctx.Server.Keyspace.Swap((int)first, (int)second);
            ctx.Server.KeyWaits.NoteAll(ctx.Server.Keyspace[(int)first]);
            ctx.Server.KeyWaits.NoteAll(ctx.Server.Keyspace[(int)second]);
            ctx.DatasetChanged(1);
            ctx.Reply.Ok();
        }
    }

    /// <summary>Replies with the wall clock: seconds since the epoch, and microseconds.</summary>
    /// <remarks>Reads the clock itself: the loop's own time stands still during a turn and knows ms only.</remarks>
    [Command("TIME", arity: 1, CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast,
        Group = CommandGroup.Server, Since = "2.6.0", Tips = "nondeterministic_output", Summary = "Tells the time.")]
    internal static void Time(CommandContext ctx)
    {
        long micros = (ctx.Server.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        ctx.Reply.Array(2);
        ctx.Reply.BulkString(micros / 1_000_000);
        ctx.Reply.BulkString(micros % 1_000_000);
    }

    /// <summary>Replies with the replication role: a master without replicas.</summary>
    [Command("ROLE", arity: 1, CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast,
        Group = CommandGroup.Server, Since = "2.8.12", Acl = "admin dangerous", Summary = "Tells the replication role.")]
    internal static void Role(CommandContext ctx)
    {
        ctx.Reply.Array(3);
        ctx.Reply.BulkString("master"u8);
        ctx.Reply.Integer(0);
        ctx.Reply.EmptyArray();
    }

    /// <summary>Replies with when the dataset was last saved, or the start, in seconds since the epoch.</summary>
    [Command("LASTSAVE", arity: 1, CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast,
        Group = CommandGroup.Server, Since = "1.0.0", Acl = "admin dangerous", Tips = "nondeterministic_output",
        Summary = "Tells when the dataset was last saved.")]
    internal static void LastSave(CommandContext ctx) => ctx.Reply.Integer(ctx.Server.Snapshots.LastSaveSeconds);

    /// <summary>Ends the process. There is no reply but the end of the connection, unless it is refused.</summary>
    [Command("SHUTDOWN", arity: -1,
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale | CommandFlags.NoMulti
            | CommandFlags.AllowBusy,
        Group = CommandGroup.Server, Since = "1.0.0",
        Complexity = "O(N) in all keys when it saves, else O(1).",
        Syntax = "[NOSAVE|SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]", Summary = "Ends the server.",
        History = "7.0.0: Can be hurried, forced and called off.")]
    internal static void Shutdown(CommandContext ctx)
    {
        if (!ShutdownOptions.TryParse(ctx.Args, out ShutdownOptions options))
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
        else if (options.Abort)
        {
            if (ctx.Server.Shutdown?.TryAbort() == true)
            {
                ctx.Reply.Ok();
            }
            else
            {
                ctx.Reply.Error("ERR No shutdown in progress."u8);
            }
        }
        else if (ctx.Server.Shutdown?.TryBegin(options.Request) != true)
        {
            ctx.Reply.Error("ERR Errors trying to SHUTDOWN. Check logs."u8);
        }
    }

    /// <summary>Reads SYNC or ASYNC; lazyfree-lazy-user-flush decides where neither is given.</summary>
    private static bool TryReadMode(CommandContext ctx, out bool inBackground)
    {
        Arguments args = ctx.Args;
        inBackground = ctx.Server.Config.LazyFreeLazyUserFlush;
        if (args.Count == 1)
        {
            return true;
        }

        inBackground = Ascii.EqualsIgnoreCase(args[1], "async"u8);
        if (args.Count == 2 && (inBackground || Ascii.EqualsIgnoreCase(args[1], "sync"u8)))
        {
            return true;
        }

        ctx.Reply.Error(CommandError.Syntax);
        return false;
    }

    private static bool TryReadIndex(ReadOnlySpan<byte> text, out long index) =>
        Numbers.TryParseInt64(text, out index) && index is >= int.MinValue and <= int.MaxValue;

    private static bool Exists(CommandContext ctx, long index) =>
        index >= 0 && index < ctx.Server.Keyspace.DatabaseCount;
}
