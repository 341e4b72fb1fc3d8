using System.Runtime.CompilerServices;
using KvServer.Server.Acl;
using KvServer.Server.Clients;
using KvServer.Server.Persistence;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>The ordered checks between a framed request and its handler.</summary>
/// <remarks>
/// The order is observable (an unknown command wins over a missing password, arity too) and is the reference server's:
/// unknown command, arity, protected command, authentication, not allowed in MULTI, rights of the user, memory, failed saves,
/// subscriber mode, loading, monitors.
/// Whatever is refused inside MULTI, EXEC will refuse as a whole. Command loop only.
/// </remarks>
internal sealed class CommandGate(ServerState server)
{
    private const CommandFlags TouchesKeys = CommandFlags.Write | CommandFlags.ReadOnly | CommandFlags.MayReplicate;
    private const ClientFlags NotOrdinary = ClientFlags.Subscribed | ClientFlags.Multi | ClientFlags.Monitor;

    private readonly Eviction _eviction = server.Keyspace.Eviction;

    /// <summary>Lets a call pass, or replies with why not.</summary>
    /// <param name="ctx">The call, already pointed at <paramref name="command"/> when it is known.</param>
    /// <param name="command">What <see cref="CommandTable.Find(Resp.Arguments)"/> found, or null.</param>
    /// <returns>True when the handler may run.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Admits(CommandContext ctx, Command command, Client client, int argumentCount) =>
        command.AcceptsArity(argumentCount)
        && command.Subcommands is null
        && client.Authenticated
        && (client.Flags & NotOrdinary) == 0
        && (command.Flags & CommandFlags.Protected) == 0
        && server.Restrictions == Restrictions.None
            ? ((client.Flags & ClientFlags.Restricted) == 0 || MayCall(ctx, command, client))
                && (!_eviction.IsOn || HasRoom(ctx, command, client))
            : AdmitsSlowly(ctx, command, client, argumentCount);

    // Whether the rights of a user who has not all of them allow a call; if not it is refused.
    private bool MayCall(CommandContext ctx, Command command, Client client)
    {
        if (client.User is { } user && AclCheck.AllowsAtOnce(user, command, ctx.Args))
        {
            return true;
        }

        AclDenial denial = server.Acl.Check(ctx, command, client.Is(ClientFlags.Multi));
        return denial == AclDenial.None || Reject(ctx, command, CommandError.NoPermission(denial, command.DisplayName));
    }

    /// <summary>Replies that the command is unknown, in the words of the reference server.</summary>
    public static void RejectUnknown(CommandContext ctx)
    {
        ctx.Client.BreakQueue();
        ctx.Reply.Error(CommandError.UnknownCommand(ctx.Args));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool AdmitsSlowly(CommandContext ctx, Command command, Client client, int argumentCount)
    {
        if (command.Subcommands is not null && argumentCount > 1)
        {
            string name = command.PropagatedName is null
                ? command.Declaration.Name
                : System.Text.Encoding.UTF8.GetString(ctx.Args[0]).ToUpperInvariant(); // What the client can call.
            return Reject(ctx, command, CommandError.UnknownSubcommand(name, ctx.Args[1]));
        }

        if (!command.AcceptsArity(argumentCount))
        {
            return Reject(ctx, command, command.ArityError);
        }

        if (command.Is(CommandFlags.Protected) && !AllowsProtected(command, client))
        {
            return Reject(ctx, command, ProtectedRefusal(command));
        }

        if (!client.Authenticated && server.RequiresPassword && !command.Is(CommandFlags.NoAuth))
        {
            return Reject(ctx, command, CommandError.NoAuth);
        }

        if (client.Is(ClientFlags.Multi) && command.Is(CommandFlags.NoMulti))
        {
            return Reject(ctx, command, CommandError.NotInMulti);
        }

        if (client.Is(ClientFlags.Restricted) && !MayCall(ctx, command, client))
        {
            return false;
        }

        if ((server.Restrictions & Restrictions.Stopping) != 0)
        {
            client.CloseAfterReplies(); // Nothing that runs now would be kept.
            return false;
        }

        if (_eviction.IsOn && !HasRoom(ctx, command, client))
        {
            return false;
        }

        if ((server.Restrictions & (Restrictions.WritesRefused | Restrictions.AofFails)) != 0
            && ((command.FlagsFor(client) & CommandFlags.Write) != 0 || command.DisplayName == "ping"))
        {
            return Reject(
                ctx,
                command,
                server.Restrictions.HasFlag(Restrictions.WritesRefused)
                    ? CommandError.SavingFails
                    : CommandError.AofFails(server.Aof.Error));
        }

        if (client.Is(ClientFlags.Subscribed)
            && client.Reply.Protocol == 2
            && !command.Is(CommandFlags.WhileSubscribed))
        {
            return Reject(
                ctx,
                command,
                System.Text.Encoding.UTF8.GetBytes(
                    $"ERR Can't execute '{command.DisplayName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                    + "RESET are allowed in this context"));
        }

        if (server.IsLoading && (command.FlagsFor(client) & CommandFlags.Loading) == 0)
        {
            return Reject(ctx, command, CommandError.Loading);
        }

        return !client.Is(ClientFlags.Monitor)
            || (command.FlagsFor(client) & TouchesKeys) == 0
            || Reject(ctx, command, CommandError.MonitorsOnly);
    }

    private bool HasRoom(CommandContext ctx, Command command, Client client)
    {
        EvictionResult result = server.MakeRoom();
        client.ReleasePushes(); // Its reply has not begun: it learns first which keys went.
        return result != EvictionResult.Failed
            || !NeedsMemory(command, client)
            || Reject(ctx, command, CommandError.OutOfMemory);
    }

    // Whatever is queued takes memory until EXEC, so nothing is, except for what ends the queue.
    private static bool NeedsMemory(Command command, Client client) =>
        (command.FlagsFor(client) & CommandFlags.DenyOom) != 0
        || (client.Is(ClientFlags.Multi) && !command.Is(CommandFlags.EndsQueue));

    private bool Reject(CommandContext ctx, Command command, ReadOnlySpan<byte> error)
    {
        command.RejectedCalls++;
        ctx.Client.BreakQueue();
        if (command.Is(CommandFlags.RunsQueue))
        {
            server.Transactions.Discard(ctx.Client);
            ctx.Reply.Error(
                CommandError.ExecAbortPrefix, error.StartsWith("ERR "u8) ? error["ERR "u8.Length..] : error, default);
        }
        else
        {
            ctx.Reply.Error(error);
        }

        return false;
    }

    private bool AllowsProtected(Command command, Client client) =>
        server.AllowsProtected(command.Container ?? command, client);

    private static byte[] ProtectedRefusal(Command command)
    {
        string name = (command.Container ?? command).DisplayName;
        return System.Text.Encoding.UTF8.GetBytes(
            $"ERR {name.ToUpperInvariant()} command not allowed. If the enable-{name}-command option is set to \"local\", "
            + $"you can run it from a local connection, otherwise you need to set this option in the configuration file, "
            + "and then restart the server.");
    }
}
