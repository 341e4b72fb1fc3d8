using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>CLIENT: who a connection is and how the server treats it. Lists and kills are in
/// <see cref="ClientListCommands"/>.</summary>
internal static class ClientCommands
{
    private const CommandFlags Flags = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;

    private static readonly string[] Help =
    [
        "CACHING (YES|NO)",
        "    Whether this connection caches what its next command reads.",
        "GETNAME",
        "    The name of this connection.",
        "GETREDIR",
        "    The id of the connection that is told of changed keys, in place of this one.",
        "ID",
        "    The id of this connection.",
        "INFO",
        "    A line about this connection.",
        "KILL <ip:port>",
        "    Close the connection from this address.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Close the connections that match all of:",
        "    * ADDR (<ip:port>|<unixsocket>:0)",
        "      comes from this address",
        "    * ID <client-id>",
        "      has this id",
        "    * LADDR (<ip:port>|<unixsocket>:0)",
        "      was made to this address",
        "    * MAXAGE <seconds>",
        "      has been connected for so long",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      is of this type",
        "    * USER <username>",
        "      belongs to this user",
        "    * SKIPME (YES|NO)",
        "      is not this one (the default)",
        "LIST [options ...]",
        "    A line about each connection, or about some:",
        "    * ID <client-id> [<client-id> [...]]",
        "      those with these ids",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      those of this type",
        "NO-EVICT (ON|OFF)",
        "    Keep this connection when client memory is short.",
        "NO-TOUCH (ON|OFF)",
        "    Leave the access times of keys alone.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Let all commands, or those that write, wait for some milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Whether this connection gets replies.",
        "SETINFO (LIB-NAME|LIB-VER) <value>",
        "    Tell the client library of this connection.",
        "SETNAME <name>",
        "    Name this connection.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Tell this connection when keys change that it has read.",
        "TRACKINGINFO",
        "    How this connection is told.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "    Wake a client from a blocking command.",
        "UNPAUSE",
        "    End a pause now.",
    ];

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("CLIENT", arity: -2, CommandFlags.None, Group = CommandGroup.Connection, Since = "2.4.0",
        Complexity = "That of the subcommand.", Summary = "Holds the commands on client connections.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the connection's id.</summary>
    [Command("CLIENT|ID", arity: 2, Flags, Group = CommandGroup.Connection, Since = "5.0.0",
        Summary = "Tells the id of the connection.")]
    internal static void Id(CommandContext ctx) => ctx.Reply.Integer(ctx.Client.Id);

    /// <summary>Replies with the connection's name, null when it has none.</summary>
    [Command("CLIENT|GETNAME", arity: 2, Flags, Group = CommandGroup.Connection, Since = "2.6.9",
        Summary = "Tells the name of the connection.")]
    internal static void GetName(CommandContext ctx)
    {
        if (ctx.Client.Name.Length == 0)
        {
            ctx.Reply.Null();
        }
        else
        {
            ctx.Reply.BulkString(ctx.Client.Name);
        }
    }

    /// <summary>Names the connection; an empty name takes it away.</summary>
    [Command("CLIENT|SETNAME", arity: 3, Flags, Group = CommandGroup.Connection, Since = "2.6.9",
        Syntax = "connection-name", Summary = "Names the connection.")]
    internal static void SetName(CommandContext ctx)
    {
        if (!ClientAttribute.IsValid(ctx.Args[2]))
        {
            ctx.Reply.Error(ClientAttribute.InvalidName);
            return;
        }

        ctx.Client.Name = ctx.Args[2].ToArray();
        ctx.Reply.Ok();
    }

    /// <summary>Notes the name or version of the client library.</summary>
    [Command("CLIENT|SETINFO", arity: 4, Flags, Group = CommandGroup.Connection, Since = "7.2.0",
        Syntax = "attr:(LIB-NAME libname|LIB-VER libver)", Summary = "Tells the client library of the connection.")]
    internal static void SetInfo(CommandContext ctx)
    {
        ReadOnlySpan<byte> attribute = ctx.Args[2];
        bool isName = Ascii.EqualsIgnoreCase(attribute, "lib-name"u8);
        if (!isName && !Ascii.EqualsIgnoreCase(attribute, "lib-ver"u8))
        {
            ctx.Reply.Error(CommandError.Format("ERR Unrecognized option '", attribute, "'"));
            return;
        }

        if (!ClientAttribute.IsValid(ctx.Args[3]))
        {
            ctx.Reply.Error(CommandError.Format(
                "ERR ", attribute, " cannot contain spaces, newlines or special characters."));
            return;
        }

        byte[] value = ctx.Args[3].ToArray();
        if (isName)
        {
            ctx.Client.LibraryName = value;
        }
        else
        {
            ctx.Client.LibraryVersion = value;
        }

        ctx.Reply.Ok();
    }

    /// <summary>Switches replies off, on, or off for one command.</summary>
    [Command("CLIENT|REPLY", arity: 3, Flags, Group = CommandGroup.Connection, Since = "3.2.0",
        Syntax = "(ON|OFF|SKIP)", Summary = "Tells whether the connection gets replies.")]
    internal static void Reply(CommandContext ctx)
    {
        ReadOnlySpan<byte> mode = ctx.Args[2];
        if (Ascii.EqualsIgnoreCase(mode, "on"u8))
        {
            ctx.Client.StopSilence();
            ctx.Reply.Ok();
        }
        else if (Ascii.EqualsIgnoreCase(mode, "off"u8))
        {
            ctx.Client.SilenceAll();
        }
        else if (Ascii.EqualsIgnoreCase(mode, "skip"u8))
        {
            ctx.Client.SilenceNext();
        }
        else
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
    }

    /// <summary>Exempts the connection from eviction when client memory is short.</summary>
    [Command("CLIENT|NO-EVICT", arity: 3, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "7.0.0",
        Syntax = "enabled:(ON|OFF)", Summary = "Keeps the connection when client memory is short.")]
    internal static void NoEvict(CommandContext ctx) => Switch(ctx, ClientFlags.NoEvict);

    /// <summary>Lets look-ups of this connection leave the access times of keys alone.</summary>
    [Command("CLIENT|NO-TOUCH", arity: 3, Flags, Group = CommandGroup.Connection, Since = "7.2.0",
        Syntax = "enabled:(ON|OFF)", Summary = "Leaves the access times of keys alone.")]
    internal static void NoTouch(CommandContext ctx)
    {
        Switch(ctx, ClientFlags.NoTouch);
        ctx.Server.Keyspace.AccessFlags = ctx.Client.Is(ClientFlags.NoTouch) ? LookupFlags.NoTouch : LookupFlags.None;
    }

    /// <summary>Lets commands wait for some milliseconds: all of them, or those that may change data.</summary>
    [Command("CLIENT|PAUSE", arity: -3, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "2.9.50",
        Syntax = "timeout [mode:WRITE|ALL]@6.2.0", Summary = "Lets the commands of all clients wait.",
        History = "6.2.0: Can hold writes alone.")]
    internal static void Pause(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        bool holdsAll = true;
        if (args.Count > 4)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("CLIENT", args[1]));
            return;
        }

        if (args.Count == 4)
        {
            holdsAll = Ascii.EqualsIgnoreCase(args[3], "all"u8);
            if (!holdsAll && !Ascii.EqualsIgnoreCase(args[3], "write"u8))
            {
                ctx.Reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL"u8);
                return;
            }
        }

        if (!Numbers.TryParseInt64(args[2], out long timeoutMs))
        {
            ctx.Reply.Error("ERR timeout is not an integer or out of range"u8);
            return;
        }

        if (timeoutMs < 0)
        {
            ctx.Reply.Error("ERR timeout is negative"u8);
            return;
        }

        if (timeoutMs > long.MaxValue - ctx.NowMs)
        {
            ctx.Reply.Error("ERR timeout is out of range"u8);
            return;
        }

        ctx.Server.Pause.Begin(ctx.NowMs + timeoutMs, holdsAll);
        ctx.Reply.Ok();
    }

    /// <summary>Ends a pause: the commands that wait run now.</summary>
    [Command("CLIENT|UNPAUSE", arity: 2, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "6.2.0",
        Complexity = "O(N) in the clients that wait.", Summary = "Ends a pause.")]
    internal static void Unpause(CommandContext ctx)
    {
        ctx.Server.Pause.End();
        ctx.Reply.Ok();
    }

    /// <summary>Wakes a client that waits in a blocking command.</summary>
    /// <remarks>Commands held by CLIENT PAUSE do not count as blocking.</remarks>
    [Command("CLIENT|UNBLOCK", arity: -3, Flags | CommandFlags.Admin, Group = CommandGroup.Connection, Since = "5.0.0",
        Complexity = "O(1)", Syntax = "client-id [TIMEOUT|ERROR]", Summary = "Wakes a client from a blocking command.")]
    internal static void Unblock(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count > 4)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("CLIENT", args[1]));
            return;
        }

        bool withError = args.Count == 4 && Ascii.EqualsIgnoreCase(args[3], "error"u8);
        if (args.Count == 4 && !withError && !Ascii.EqualsIgnoreCase(args[3], "timeout"u8))
        {
            ctx.Reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"u8);
            return;
        }

        if (!Numbers.TryParseInt64(args[2], out long id))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        Client? target = ctx.Server.Clients.Find(id);
        ctx.Reply.Integer(target?.Wait is { } wait && wait.TryEnd(withError) ? 1 : 0);
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("CLIENT|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Connection,
        Since = "5.0.0", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void Switch(CommandContext ctx, ClientFlags flag)
    {
        bool on = Ascii.EqualsIgnoreCase(ctx.Args[2], "on"u8);
        if (!on && !Ascii.EqualsIgnoreCase(ctx.Args[2], "off"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        ctx.Client.Set(flag, on);
        ctx.Reply.Ok();
    }
}
