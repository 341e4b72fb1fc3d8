using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Commands on the connection itself: liveness, authentication, protocol, database.</summary>
internal static class ConnectionCommands
{
    private const CommandFlags BeforeAuth = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale
        | CommandFlags.Fast | CommandFlags.NoAuth | CommandFlags.AllowBusy;

    /// <summary>Replies PONG or the message. A RESP2 subscriber gets it in the form of a push.</summary>
    [Command("PING", arity: -1, CommandFlags.Fast | CommandFlags.WhileSubscribed, Group = CommandGroup.Connection, Since = "1.0.0",
        Syntax = "[message]", Tips = "request_policy:all_shards response_policy:all_succeeded",
        Summary = "Replies PONG, or the message it is given.")]
    internal static void Ping(CommandContext ctx)
    {
        int count = ctx.Args.Count;
        if (count > 2)
        {
            ctx.WrongArity();
        }
        else if (ctx.Client.Is(ClientFlags.Subscribed) && ctx.Reply.Protocol == 2)
        {
            ctx.Reply.Array(2);
            ctx.Reply.BulkString("pong"u8);
            ctx.Reply.BulkString(count == 2 ? ctx.Args[1] : default);
        }
        else if (count == 2)
        {
            ctx.Reply.BulkString(ctx.Args[1]);
        }
        else
        {
            ctx.Reply.Pong();
        }
    }

    /// <summary>Replies with its argument.</summary>
    [Command("ECHO", arity: 2, CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast,
        Group = CommandGroup.Connection, Since = "1.0.0", Syntax = "message", Summary = "Replies with its argument.")]
    internal static void Echo(CommandContext ctx) => ctx.Reply.BulkString(ctx.Args[1]);

    /// <summary>Authenticates the connection with a password, or with a user and a password.</summary>
    [Command("AUTH", arity: -2, BeforeAuth, Group = CommandGroup.Connection, Since = "1.0.0",
        Complexity = "O(N) in the passwords of the user.", Syntax = "[username@6.0.0] password",
        Summary = "Authenticates the connection.", History = "6.0.0: Takes a user before the password.")]
    [Secrets(From = 1)]
    internal static void Auth(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count > 3)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        if (args.Count == 2 && ctx.Server.Acl.Default.NeedsNoPassword)
        {
            ctx.Reply.Error("ERR AUTH <password> called without any password configured for the default user. "u8
                + "Are you sure your configuration is correct?"u8);
            return;
        }

        if (TryAuthenticate(ctx, args.Count == 3 ? args[1] : "default"u8, args[^1]))
        {
            ctx.Reply.Ok();
        }
    }

    /// <summary>Chooses the protocol, may authenticate and name the connection, and tells about the server.</summary>
    /// <remarks>Nothing is changed when any part of it is refused.</remarks>
    [Command("HELLO", arity: -1, BeforeAuth, Group = CommandGroup.Connection, Since = "6.0.0",
        Syntax = "[arguments:(protover [AUTH (username password)] [SETNAME clientname])]",
        Summary = "Shakes hands: protocol, credentials, name.", History = "6.2.0: The protocol may be left out.")]
    [Secrets(Finder = nameof(IsSecretOfHello))]
    internal static void Hello(CommandContext ctx)
    {
        if (!HelloOptions.TryParse(ctx.Args, out HelloOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        if (options.UserAt > 0 && !TryAuthenticate(ctx, ctx.Args[options.UserAt], ctx.Args[options.UserAt + 1]))
        {
            return;
        }

        if (!ctx.Client.Authenticated && ctx.Server.RequiresPassword)
        {
            ctx.Reply.Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the "u8
                + "HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP "u8
                + "protocol version at the same time"u8);
            return;
        }

        if (options.NameAt > 0)
        {
            ctx.Client.Name = ctx.Args[options.NameAt].ToArray();
        }

        if (options.Protocol > 0)
        {
            ctx.Reply.Protocol = options.Protocol;
        }

        WriteGreeting(ctx);
    }

    /// <summary>Replies OK and closes the connection.</summary>
    [Command("QUIT", arity: -1, BeforeAuth | CommandFlags.WhileSubscribed | CommandFlags.InMulti | CommandFlags.EndsQueue,
        Group = CommandGroup.Connection, Since = "1.0.0",
        Summary = "Closes the connection.")]
    internal static void Quit(CommandContext ctx)
    {
        ctx.Reply.Ok();
        ctx.Client.CloseAfterReplies();
    }

    /// <summary>Makes the connection as good as new: database 0, RESP2, no name, no subscriptions, no transaction,
    /// authentication as for a new one. What the library said about itself stays.</summary>
    [Command("RESET", arity: 1, BeforeAuth | CommandFlags.WhileSubscribed | CommandFlags.InMulti | CommandFlags.EndsQueue,
        Group = CommandGroup.Connection, Since = "6.2.0",
        Summary = "Makes the connection as good as new.")]
    internal static void Reset(CommandContext ctx)
    {
        Client client = ctx.Client;
        ctx.Server.Transactions.Discard(client);
        ctx.Server.PubSub.Remove(client);
        ctx.Server.Tracking.Disable(client);
        ctx.Server.Monitors.Remove(client);
        client.StopSilence();
        client.Set(ClientFlags.NoEvict | ClientFlags.NoTouch, on: false);
        ctx.Server.Keyspace.AccessFlags = LookupFlags.None;
        client.Name = [];
        ctx.Server.Acl.EnterAsDefault(client);
        client.Connection.Limits = ctx.Server.LimitsFor(client);
        ctx.Reply.Protocol = 2;
        ctx.Select(ctx.Server.Keyspace[0]);
        ctx.Reply.SimpleString("RESET"u8);
    }

    /// <summary>Selects a numbered database.</summary>
    [Command("SELECT", arity: 2, CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast,
        Group = CommandGroup.Connection, Since = "1.0.0", Syntax = "index", Summary = "Selects a database.")]
    internal static void Select(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[1], out long index))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
        }
        else if (index is < int.MinValue or > int.MaxValue)
        {
            ctx.Reply.Error("ERR value is out of range, value must between -2147483648 and 2147483647"u8);
        }
        else if (index < 0 || index >= ctx.Server.Keyspace.DatabaseCount)
        {
            ctx.Reply.Error(CommandError.DbIndexOutOfRange);
        }
        else
        {
            ctx.Select(ctx.Server.Keyspace[(int)index]);
            ctx.Reply.Ok();
        }
    }

    /// <summary>Lets the client in, or replies with the refusal.</summary>
    private static bool TryAuthenticate(CommandContext ctx, ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        if (!ctx.Server.Acl.TryEnter(ctx, user, password))
        {
            ctx.Reply.Error(CommandError.WrongPass);
            return false;
        }

        ctx.Client.Connection.Limits = ctx.Server.LimitsFor(ctx.Client);
        return true;
    }

    // Two words behind AUTH, also where HELLO goes on to refuse the whole, as without a version before it.
    private static bool IsSecretOfHello(Arguments args, int index)
    {
        int i = 1;
        while (i < index)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(args[i], "AUTH"u8))
            {
                if (index <= i + 2)
                {
                    return true;
                }

                i += 3;
            }
            else
            {
                i += System.Text.Ascii.EqualsIgnoreCase(args[i], "SETNAME"u8) ? 2 : 1;
            }
        }

        return false;
    }

    private static void WriteGreeting(CommandContext ctx)
    {
        ReplyWriter reply = ctx.Reply;
        reply.Map(7);
        // Clients tell server families apart by this word and know ours only under it.
        Field(reply, "server"u8, "redis"u8);
        Field(reply, "version"u8, System.Text.Encoding.ASCII.GetBytes(ServerVersion.Compatible));
        reply.BulkString("proto"u8);
        reply.Integer(reply.Protocol);
        reply.BulkString("id"u8);
        reply.Integer(ctx.Client.Id);
        Field(reply, "mode"u8, "standalone"u8);
        Field(reply, "role"u8, "master"u8);
        reply.BulkString("modules"u8);
        reply.EmptyArray();
    }

    private static void Field(ReplyWriter reply, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        reply.BulkString(name);
        reply.BulkString(value);
    }
}
