using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Transactions;

namespace KvServer.Server.Commands;

/// <summary>Transactions: commands that are queued and then run as one, if no watched key has changed.</summary>
/// <remarks>Queueing is in <see cref="CommandExecutor"/>, before a handler would be called. Semantics:
/// redis.io/docs/interact/transactions.</remarks>
internal static class TransactionCommands
{
    private const CommandFlags Flags = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;
    private const CommandFlags Quick = Flags | CommandFlags.Fast | CommandFlags.AllowBusy;

    /// <summary>Begins a transaction.</summary>
    [Command("MULTI", arity: 1, Quick | CommandFlags.InMulti, Group = CommandGroup.Transactions, Since = "1.2.0",
        Summary = "Begins a transaction: commands are queued from here on.")]
    internal static void Multi(CommandContext ctx)
    {
        if (ctx.Client.Is(ClientFlags.Multi))
        {
            ctx.Reply.Error("ERR MULTI calls can not be nested"u8);
            return;
        }

        ctx.Server.Transactions.Begin(ctx.Client);
        ctx.Reply.Ok();
    }

    /// <summary>Runs the queued commands and replies with the array of their replies; null when a watched key has
    /// changed, an error when a command could not be queued. The transaction is over in any case.</summary>
    [Command("EXEC", arity: 1, Flags | CommandFlags.SkipSlowLog | CommandFlags.InMulti | CommandFlags.RunsQueue
        | CommandFlags.EndsQueue,
        Group = CommandGroup.Transactions, Since = "1.2.0", Complexity = "That of the queued commands.",
        Summary = "Runs the queued commands.")]
    internal static void Exec(CommandContext ctx)
    {
        Client client = ctx.Client;
        ClientTransactions transactions = ctx.Server.Transactions;
        if (!client.Is(ClientFlags.Multi))
        {
            ctx.Reply.Error("ERR EXEC without MULTI"u8);
            return;
        }

        try
        {
            if (client.Is(ClientFlags.QueueBroken))
            {
                ctx.Reply.Error(CommandError.ExecAbort);
            }
            else if (client.Is(ClientFlags.WatchBroken) || transactions.Watched.HasExpired(client))
            {
                ctx.Reply.NullArray();
            }
            else
            {
                transactions.Watched.RemoveAll(client); // Its own changes are none of its business.
                ctx.RunQueue();
            }
        }
        finally
        {
            transactions.Discard(client);
        }
    }

    /// <summary>Forgets the queued commands and the watched keys.</summary>
    [Command("DISCARD", arity: 1, Quick | CommandFlags.InMulti | CommandFlags.EndsQueue, Group = CommandGroup.Transactions, Since = "2.0.0",
        Complexity = "O(N) in the queued commands.", Summary = "Gives a transaction up.")]
    internal static void Discard(CommandContext ctx)
    {
        if (!ctx.Client.Is(ClientFlags.Multi))
        {
            ctx.Reply.Error("ERR DISCARD without MULTI"u8);
            return;
        }

        ctx.Server.Transactions.Discard(ctx.Client);
        ctx.Reply.Ok();
    }

    /// <summary>Has the next EXEC run nothing if one of the keys is changed before.</summary>
    [Command("WATCH", arity: -2, Quick | CommandFlags.InMulti, Group = CommandGroup.Transactions, Since = "2.2.0",
        Complexity = "O(1) for each key.", Syntax = "key...",
        Summary = "Watches keys: if one changes, the next transaction does not run.")]
    [Keys(first: 1, KeyAccess.ReadOnly, Last = -1)]
    internal static void Watch(CommandContext ctx)
    {
        if (ctx.Client.Is(ClientFlags.Multi))
        {
            ctx.Reply.Error("ERR WATCH inside MULTI is not allowed"u8);
            return;
        }

        Arguments args = ctx.Args;
        for (int i = 1; i < args.Count && !ctx.Client.Is(ClientFlags.WatchBroken); i++)
        {
            ctx.Server.Transactions.Watched.Add(ctx.Client, args[i]);
        }

        ctx.Reply.Ok();
    }

    /// <summary>Watches nothing any more; a change that has happened is forgotten.</summary>
    [Command("UNWATCH", arity: 1, Quick, Group = CommandGroup.Transactions, Since = "2.2.0",
        Summary = "Forgets the watched keys.")]
    internal static void Unwatch(CommandContext ctx)
    {
        ctx.Server.Transactions.Watched.RemoveAll(ctx.Client);
        ctx.Client.Set(ClientFlags.WatchBroken, on: false);
        ctx.Reply.Ok();
    }
}
