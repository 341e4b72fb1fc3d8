using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;

namespace KvServer.Server.Commands;

/// <summary>CLIENT LIST, INFO and KILL: looking at connections and closing them.</summary>
internal static class ClientListCommands
{
    private const CommandFlags Flags = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;

    /// <summary>Replies with a line about this connection.</summary>
    [Command("CLIENT|INFO", arity: 2, Flags, Group = CommandGroup.Connection, Since = "6.2.0",
        Tips = "nondeterministic_output", Summary = "Describes the connection.")]
    internal static void Info(CommandContext ctx) => WriteLines(ctx, [ctx.Client]);

    /// <summary>Replies with a line about each connection, or about those of a type or with certain ids.</summary>
    [Command("CLIENT|LIST", arity: -2, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "2.4.0",
        Complexity = "O(N) in the clients.", Syntax = "[TYPE (NORMAL|MASTER|REPLICA|PUBSUB)]@5.0.0 [ID id:(client-id...)]@6.2.0",
        Tips = "nondeterministic_output", Summary = "Describes all connections.",
        History = "2.8.12: Shows the id.; 5.0.0: Filters by type.; 6.0.0: Shows the user.; "
            + "6.2.0: Filters by id, shows the local address.; 7.0.0: Shows the protocol.; "
            + "7.0.3: Shows shard subscriptions.")]
    internal static void List(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count == 2)
        {
            WriteLines(ctx, ctx.Server.Clients.All);
        }
        else if (args.Count == 4 && Ascii.EqualsIgnoreCase(args[2], "type"u8))
        {
            if (!ClientFilter.TryParseType(args[3], out ClientType type))
            {
                ctx.Reply.Error(ClientFilter.UnknownType(args[3]));
                return;
            }

            WriteLines(ctx, ctx.Server.Clients.All.Where(client => ClientDescription.TypeOf(client) == type));
        }
        else if (args.Count > 3 && Ascii.EqualsIgnoreCase(args[2], "id"u8))
        {
            ListById(ctx);
        }
        else
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
    }

    /// <summary>Closes connections: the one from an address, or all that match the filters.</summary>
    /// <remarks>The old form replies OK or an error, the new one with the number of closed connections. The caller's own
    /// connection gets its reply before it closes.</remarks>
    [Command("CLIENT|KILL", arity: -3, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "2.4.0",
        Complexity = "O(N) in the clients.",
        Syntax = "filter:({ip:port}:string@!2.8.12|new-format:([ID client-id]@2.8.12"
            + "|[TYPE normal_master_slave_pubsub:(NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)]@2.8.12"
            + "|[USER username]|[ADDR {ip:port}:string]|[LADDR {ip:port}:string]@6.2.0|[SKIPME {yes/no}:string])...)",
        Summary = "Closes connections.",
        History = "2.8.12: Takes filters.; 2.8.12: Filters by id.; 3.2.0: Knows the type master.; "
            + "5.0.0: Says replica where it said slave, which still works.; 6.2.0: Filters by local address.")]
    internal static void Kill(CommandContext ctx)
    {
        if (ctx.Args.Count == 3)
        {
            int closed = CloseMatching(ctx, ClientFilter.ForAddress(ctx.Args[2]));
            if (closed > 0)
            {
                ctx.Reply.Ok();
            }
            else
            {
                ctx.Reply.Error("ERR No such client"u8);
            }

            return;
        }

        if (!ClientFilter.TryParse(ctx.Args, first: 2, ctx.Server.Acl, out ClientFilter filter, out byte[] error))
        {
            ctx.Reply.Error(error);
            return;
        }

        ctx.Reply.Integer(CloseMatching(ctx, filter));
    }

    private static void ListById(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        List<Client> found = [];
        for (int i = 3; i < args.Count; i++)
        {
            if (!Numbers.TryParseInt64(args[i], out long id))
            {
                ctx.Reply.Error("ERR Invalid client ID"u8);
                return;
            }

            if (ctx.Server.Clients.Find(id) is { } client)
            {
                found.Add(client);
            }
        }

        WriteLines(ctx, found);
    }

    private static void WriteLines(CommandContext ctx, IEnumerable<Client> clients)
    {
        StringBuilder lines = new();
        foreach (Client client in clients)
        {
            ClientDescription.Append(lines, client, ctx.NowMs);
            lines.Append('\n');
        }

        ctx.Reply.Verbatim(Encoding.UTF8.GetBytes(lines.ToString()), "txt"u8);
    }

    private static int CloseMatching(CommandContext ctx, ClientFilter filter)
    {
        Client[] matching = [.. ctx.Server.Clients.All.Where(client => filter.Matches(client, ctx.Client, ctx.NowMs))];
        foreach (Client client in matching)
        {
            if (client == ctx.Client)
            {
                client.CloseAfterReplies();
            }
            else
            {
                client.CloseNow("closed by CLIENT KILL");
            }
        }

        return matching.Length;
    }
}
