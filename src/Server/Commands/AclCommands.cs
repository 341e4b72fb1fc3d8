using System.Security.Cryptography;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Acl;

namespace KvServer.Server.Commands;

/// <summary>ACL: users, their rights, and what was refused.</summary>
internal static class AclCommands
{
    private const CommandFlags Flags = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;
    private const CommandFlags AdminFlags = Flags | CommandFlags.Admin;
    private const int MaxPasswordBits = 4096;

    private static readonly string[] Help =
    [
        "CAT [<category>]",
        "    The categories of commands, or the commands of one.",
        "DELUSER <username> [<username> ...]",
        "    Removes users and closes their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Whether a user may run a command, without running it.",
        "GETUSER <username>",
        "    Passwords and rights of a user.",
        "GENPASS [<bits>]",
        "    A random password, of 256 bits unless told otherwise.",
        "LIST",
        "    All users, a line each, as they stand in a file.",
        "LOAD",
        "    Reads the ACL file again.",
        "LOG [<count> | RESET]",
        "    What was refused lately.",
        "SAVE",
        "    Writes the users to the ACL file.",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "    Makes a user or changes it.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The user of this connection.",
    ];

    private static ReadOnlySpan<byte> NoFile =>
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."u8;

    /// <summary>The container; never called without a subcommand.</summary>
    [Command("ACL", arity: -2, CommandFlags.None, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "That of the subcommand.", Summary = "Users and their rights.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the categories, or with the commands of one.</summary>
    [Command("ACL|CAT", arity: -2, Flags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the commands there are.", Syntax = "[categoryname]",
        Summary = "Lists the categories of commands, or the commands of one.")]
    internal static void Categories(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        AccessControl acl = ctx.Server.Acl;
        if (args.Count == 2)
        {
            ctx.Reply.Array(acl.Known.Categories.Count);
            foreach (CommandCategory category in acl.Known.Categories)
            {
                ctx.Reply.BulkString(category.NameBytes);
            }
        }
        else if (args.Count > 3)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("ACL", args[1]));
        }
        else if (acl.Known.FindCategory(args[2]) is { } category)
        {
            Command[] members = [.. ctx.Server.Commands.All.Where(command => AclCategories.Of(command).Contains(category.Name))];
            ctx.Reply.Array(members.Length);
            foreach (Command command in members)
            {
                ctx.Reply.BulkString(Encoding.ASCII.GetBytes(command.DisplayName));
            }
        }
        else
        {
            ctx.Reply.Error(CommandError.Format("ERR Unknown category '", args[2][..Math.Min(args[2].Length, 128)], "'"));
        }
    }

    /// <summary>Removes users, except for the default one, and replies with how many there were.</summary>
    [Command("ACL|DELUSER", arity: -3, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the clients, for each user.", Syntax = "username...",
        Summary = "Removes users and closes their connections.")]
    [Secrets(From = 2)]
    internal static void DelUser(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        for (int i = 2; i < args.Count; i++)
        {
            if (args[i].SequenceEqual("default"u8))
            {
                ctx.Reply.Error("ERR The 'default' user cannot be removed"u8);
                return;
            }
        }

        int deleted = 0;
        for (int i = 2; i < args.Count; i++)
        {
            deleted += ctx.Server.Acl.Delete(args[i]) ? 1 : 0;
        }

        ctx.Reply.Integer(deleted);
    }

    /// <summary>Replies OK, or with why the user may not make a call.</summary>
    [Command("ACL|DRYRUN", arity: -4, AdminFlags, Group = CommandGroup.Server, Since = "7.0.0",
        Complexity = "That of the check.", Syntax = "username command [arg...]",
        Summary = "Tells whether a user may run a command, without running it.")]
    internal static void DryRun(CommandContext ctx)
    {
        Arguments line = ctx.Args.Slice(3);
        if (ctx.Server.Acl.Find(ctx.Args[2]) is not { } user)
        {
            ctx.Reply.Error(CommandError.Format("ERR User '", ctx.Args[2], "' not found"));
            return;
        }

        Command? command = ctx.Server.Commands.Find(line);
        if (command is null || (command.Subcommands is not null && line.Count > 1))
        {
            ctx.Reply.Error(CommandError.Format("ERR Command '", line[0], "' not found"));
            return;
        }

        if (!command.AcceptsArity(line.Count))
        {
            ctx.Reply.Error(command.ArityError);
            return;
        }

        AclDenial denial = ctx.Server.Acl.Check(user, command, line, out int argIndex);
        switch (denial)
        {
            case AclDenial.None:
                ctx.Reply.Ok();
                break;
            case AclDenial.Command:
                ctx.Reply.BulkString(Encoding.ASCII.GetBytes($"This user has no permissions to run the '{command.DisplayName}' command"));
                break;
            default:
                ctx.Reply.BulkString(CommandError.Format(
                    "This user has no permissions to access the '", line[argIndex],
                    denial == AclDenial.Key ? "' key" : "' channel"));
                break;
        }
    }

    /// <summary>Replies with a random password in hexadecimal digits, four bits each.</summary>
    [Command("ACL|GENPASS", arity: -2, Flags, Group = CommandGroup.Server, Since = "6.0.0",
        Syntax = "[bits]", Summary = "Makes a random password.")]
    internal static void GenPass(CommandContext ctx)
    {
        long bits = 256;
        if (ctx.Args.Count > 3)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("ACL", ctx.Args[1]));
        }
        else if (ctx.Args.Count == 3 && !Numbers.TryParseInt64(ctx.Args[2], out bits))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
        }
        else if (bits is <= 0 or > MaxPasswordBits)
        {
            ctx.Reply.Error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"u8);
        }
        else
        {
            ctx.Reply.BulkString(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString((int)(bits + 3) / 4, lowercase: true)));
        }
    }

    /// <summary>Replies with a map of what is known about a user, null when there is none.</summary>
    [Command("ACL|GETUSER", arity: 3, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the passwords, patterns and commands.", Syntax = "username",
        Summary = "Tells the passwords and rights of a user.",
        History = "6.2.0: Tells the channels.; 7.0.0: Tells the selectors, keys and channels as rules.")]
    [Secrets(From = 2)]
    internal static void GetUser(CommandContext ctx)
    {
        ReplyWriter reply = ctx.Reply;
        if (ctx.Server.Acl.Find(ctx.Args[2]) is not { } user)
        {
            reply.Null();
            return;
        }

        reply.Map(6);
        reply.BulkString("flags"u8);
        IReadOnlyList<string> flags = AclDescription.FlagsOf(user);
        reply.Set(flags.Count);
        foreach (string flag in flags)
        {
            reply.BulkString(Encoding.ASCII.GetBytes(flag));
        }

        reply.BulkString("passwords"u8);
        reply.Array(user.Passwords.Count);
        foreach (PasswordHash password in user.Passwords)
        {
            reply.BulkString(password.ToHex());
        }

        WriteSelector(reply, user.Selectors[0]);
        reply.BulkString("selectors"u8);
        reply.Array(user.Selectors.Count - 1);
        foreach (AclSelector selector in user.Selectors.Skip(1))
        {
            reply.Map(3);
            WriteSelector(reply, selector);
        }
    }

    /// <summary>Replies with the line of each user.</summary>
    [Command("ACL|LIST", arity: 2, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the users.", Summary = "Lists all users as they stand in a file.")]
    internal static void List(CommandContext ctx)
    {
        IReadOnlyCollection<AclUser> users = ctx.Server.Acl.Users;
        ctx.Reply.Array(users.Count);
        foreach (AclUser user in users)
        {
            ctx.Reply.BulkString(AclDescription.LineOf(user));
        }
    }

    /// <summary>Replaces all users by those of the ACL file, or none when there is something wrong with it.</summary>
    [Command("ACL|LOAD", arity: 2, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the users.", Summary = "Reads the ACL file again.")]
    internal static void Load(CommandContext ctx)
    {
        if (ctx.Server.Config.AclFile.Length == 0)
        {
            ctx.Reply.Error(NoFile);
        }
        else if (ctx.Server.Acl.LoadFile() is { } errors)
        {
            ctx.Reply.Error(Encoding.UTF8.GetBytes("ERR " + errors));
        }
        else
        {
            ctx.Reply.Ok();
        }
    }

    /// <summary>Replies with the newest refusals, or forgets all.</summary>
    [Command("ACL|LOG", arity: -2, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the entries shown.", Syntax = "[operation:({count}:integer|RESET)]",
        Summary = "Shows what was refused lately, or forgets it.")]
    internal static void Log(CommandContext ctx)
    {
        AclLog log = ctx.Server.Acl.Log;
        long count = 10;
        if (ctx.Args.Count > 3)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("ACL", ctx.Args[1]));
            return;
        }

        if (ctx.Args.Count == 3 && Ascii.EqualsIgnoreCase(ctx.Args[2], "reset"u8))
        {
            log.Clear();
            ctx.Reply.Ok();
            return;
        }

        if (ctx.Args.Count == 3 && !Numbers.TryParseInt64(ctx.Args[2], out count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        int shown = (int)Math.Clamp(count, 0, log.Entries.Count);
        ctx.Reply.Array(shown);
        foreach (AclLogEntry entry in log.Entries.Take(shown))
        {
            WriteEntry(ctx.Reply, entry, ctx.NowMs);
        }
    }

    /// <summary>Replaces the ACL file by the present users.</summary>
    [Command("ACL|SAVE", arity: 2, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the users.", Summary = "Writes the users to the ACL file.")]
    internal static void Save(CommandContext ctx)
    {
        if (ctx.Server.Config.AclFile.Length == 0)
        {
            ctx.Reply.Error(NoFile);
            return;
        }

        try
        {
            ctx.Server.Acl.SaveFile();
            ctx.Reply.Ok();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Acl.Log.SaveFailed(ctx.Server.Log, e.Message);
            ctx.Reply.Error("ERR There was an error trying to save the ACLs. Please check the server logs for more information"u8);
        }
    }

    /// <summary>Makes a user or changes it: all rules are applied, or none.</summary>
    [Command("ACL|SETUSER", arity: -3, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the rules and the clients.", Syntax = "username [rule...]",
        Summary = "Makes a user or changes it.",
        History = "6.2.0: Knows channels.; 7.0.0: Knows selectors and rights to read and write keys.")]
    [Secrets(From = 2)]
    internal static void SetUser(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (AclWords.HasSpace(args[2]))
        {
            ctx.Reply.Error("ERR Usernames can't contain spaces or null characters"u8);
            return;
        }

        List<byte[]> words = [];
        for (int i = 3; i < args.Count; i++)
        {
            words.Add(args[i].ToArray());
        }

        if (ctx.Server.Acl.Change(args[2].ToArray(), words) is { } error)
        {
            ctx.Reply.Error("ERR "u8, error, default);
        }
        else
        {
            ctx.Reply.Ok();
        }
    }

    /// <summary>Replies with the names of all users.</summary>
    [Command("ACL|USERS", arity: 2, AdminFlags, Group = CommandGroup.Server, Since = "6.0.0",
        Complexity = "O(N) in the users.", Summary = "Lists the names of all users.")]
    internal static void Users(CommandContext ctx)
    {
        IReadOnlyCollection<AclUser> users = ctx.Server.Acl.Users;
        ctx.Reply.Array(users.Count);
        foreach (AclUser user in users)
        {
            ctx.Reply.BulkString(user.Name);
        }
    }

    /// <summary>Replies with the name of the connection's user.</summary>
    [Command("ACL|WHOAMI", arity: 2, Flags, Group = CommandGroup.Server, Since = "6.0.0",
        Summary = "Names the user of the connection.")]
    internal static void WhoAmI(CommandContext ctx)
    {
        if (ctx.Client.User is { } user)
        {
            ctx.Reply.BulkString(user.Name);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("ACL|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server, Since = "6.0.0",
        Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    private static void WriteSelector(ReplyWriter reply, AclSelector selector)
    {
        reply.BulkString("commands"u8);
        reply.BulkString(selector.CommandRules);
        reply.BulkString("keys"u8);
        reply.BulkString(AclDescription.KeysOf(selector));
        reply.BulkString("channels"u8);
        reply.BulkString(AclDescription.ChannelsOf(selector));
    }

    private static void WriteEntry(ReplyWriter reply, AclLogEntry entry, long nowMs)
    {
        reply.Map(7);
        reply.BulkString("count"u8);
        reply.Integer(entry.Count);
        reply.BulkString("reason"u8);
        reply.BulkString(entry.Reason switch
        {
            AclDenial.Command => "command"u8,
            AclDenial.Key => "key"u8,
            AclDenial.Channel => "channel"u8,
            _ => "auth"u8,
        });
        reply.BulkString("context"u8);
        reply.BulkString(entry.Context == AclLogContext.Multi ? "multi"u8 : "toplevel"u8);
        reply.BulkString("object"u8);
        reply.BulkString(entry.Object);
        reply.BulkString("username"u8);
        reply.BulkString(entry.Username);
        reply.BulkString("age-seconds"u8);
        reply.Double((nowMs - entry.LastAtMs) / 1000.0);
        reply.BulkString("client-info"u8);
        reply.BulkString(Encoding.UTF8.GetBytes(entry.Client));
    }
}
