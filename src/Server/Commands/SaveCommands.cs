using System.Text;
using KvServer.Resp;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Server.Commands;

/// <summary>Commands that write the dataset to disk.</summary>
internal static class SaveCommands
{
    /// <summary>Saves, and does nothing else meanwhile.</summary>
    [Command("SAVE", arity: 1,
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.NoAsyncLoading | CommandFlags.NoMulti,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "O(N) in all keys.",
        Summary = "Saves the dataset while everybody waits.")]
    internal static void Save(CommandContext ctx)
    {
        if (ctx.Server.Snapshots.IsSaving)
        {
            ctx.Reply.Error("ERR Background save already in progress"u8);
        }
        else if (ctx.Server.Snapshots.TrySaveNow())
        {
            ctx.Reply.Ok();
        }
        else
        {
            ctx.Reply.Error("ERR"u8);
        }
    }

    /// <summary>Starts to save while commands go on.</summary>
    /// <remarks>With or without SCHEDULE the save waits while what was left of one that was given up is cleared up.</remarks>
    [Command("BGSAVE", arity: -1, CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.NoAsyncLoading,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "O(1)", Syntax = "[schedule:SCHEDULE@3.2.2]",
        Summary = "Saves the dataset in the background.", History = "3.2.2: Can wait for its turn.")]
    internal static void BackgroundSave(CommandContext ctx)
    {
        if (ctx.Args.Count > 2 || (ctx.Args.Count == 2 && !Ascii.EqualsIgnoreCase(ctx.Args[1], "schedule"u8)))
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
        else if (ctx.Server.Transactions.IsRunning && ctx.Server.Snapshots.IsSaving)
        {
            ctx.Reply.Error("ERR Background save already in progress"u8);
        }
        else if (ctx.Server.Snapshots.IsWritingBase || ctx.Server.Transactions.IsRunning)
        {
            if (ctx.Args.Count == 2 || ctx.Server.Transactions.IsRunning)
            {
                ctx.Server.Snapshots.Schedule();
                ctx.Reply.SimpleString("Background saving scheduled"u8);
            }
            else
            {
                ctx.Reply.Error(CommandError.RewriteRuns);
            }
        }
        else if (ctx.Server.Snapshots.TryStart())
        {
            ctx.Reply.SimpleString(ctx.Server.Snapshots.IsScheduled
                ? "Background saving scheduled"u8
                : "Background saving started"u8);
        }
        else
        {
            ctx.Reply.Error("ERR Background save already in progress"u8);
        }
    }

    /// <summary>Writes the append-only file anew, as short as the dataset allows, while commands go on.</summary>
    [Command("BGREWRITEAOF", arity: 1, CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.NoAsyncLoading,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "O(1)",
        Summary = "Rewrites the append-only file in the background.")]
    internal static void BackgroundRewriteAof(CommandContext ctx)
    {
        if (ctx.Server.Aof.IsRewriting)
        {
            ctx.Reply.Error("ERR Background append only file rewriting already in progress"u8);
        }
        else if (ctx.Server.Aof.StartOrSchedule())
        {
            ctx.Reply.SimpleString("Background append only file rewriting started"u8);
        }
        else
        {
            ctx.Reply.SimpleString("Background append only file rewriting scheduled"u8);
        }
    }

    /// <summary>Waits until the client's own changes are on disk here, and on replicas, of which there are none.</summary>
    /// <remarks>Replies with whether they are here, and on how many replicas. Semantics: redis.io/commands/waitaof.</remarks>
    [Command("WAITAOF", arity: 4, CommandFlags.NoScript | CommandFlags.Blocking, Group = CommandGroup.Generic,
        Since = "7.2.0", Complexity = "O(1)", Syntax = "numlocal numreplicas timeout", Acl = "connection",
        Tips = "request_policy:all_shards response_policy:agg_min",
        Summary = "Waits until the client's changes are in the append-only files on disk.")]
    internal static void WaitAof(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[1], out long local) || local is < 0 or > 1)
        {
            ctx.Reply.Error("ERR value is out of range, value must between 0 and 1"u8);
            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[2], out long replicas) || replicas < 0)
        {
            ctx.Reply.Error(CommandError.MustBePositive);
            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[3], out long timeoutMs))
        {
            ctx.Reply.Error("ERR timeout is not an integer or out of range"u8);
            return;
        }

        if (timeoutMs < 0)
        {
            ctx.Reply.Error("ERR timeout is negative"u8);
            return;
        }

        AppendOnlyFile aof = ctx.Server.Aof;
        if (local > 0 && aof.State == AofState.Off)
        {
            ctx.Reply.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."u8);
            return;
        }

        bool isLocal = aof.State == AofState.On && aof.DurableEnd >= ctx.Client.LogEnd;
        if ((replicas == 0 && (isLocal || local == 0)) || ctx.Client.Is(Clients.ClientFlags.DenyBlocking))
        {
            AofWait.Reply(ctx.Client, isLocal);
            return;
        }

        if (timeoutMs > long.MaxValue - ctx.NowMs)
        {
            ctx.Reply.Error("ERR timeout is out of range"u8);
            return;
        }

        aof.Wait(ctx.Client, ctx.Command, timeoutMs == 0 ? 0 : ctx.NowMs + timeoutMs, isEndable: replicas == 0);
    }
}
