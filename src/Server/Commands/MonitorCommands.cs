using KvServer.Server.Clients;

namespace KvServer.Server.Commands;

/// <summary>MONITOR: shows a client every command that runs; see <see cref="Observability.Monitors"/>.</summary>
internal static class MonitorCommands
{
    /// <summary>Shows the connection every command from now on, until RESET or its end.</summary>
    /// <remarks>Not in a transaction, where the reply would be torn. A connection that sees them already gets no second
    /// reply, as with the reference server.</remarks>
    [Command("MONITOR", arity: 1,
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "",
        Summary = "Shows every command that the server runs.")]
    internal static void Monitor(CommandContext ctx)
    {
        if (ctx.Client.Is(ClientFlags.DenyBlocking))
        {
            ctx.Reply.Error("ERR MONITOR isn't allowed for DENY BLOCKING client"u8);
        }
        else if (!ctx.Client.Is(ClientFlags.Monitor))
        {
            ctx.Server.Monitors.Add(ctx.Client);
            ctx.Reply.Ok();
        }
    }
}
