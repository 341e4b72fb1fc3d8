using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>XGROUP: the consumer groups of streams and their consumers.</summary>
/// <remarks>Semantics: redis.io/commands, group stream.</remarks>
internal static class StreamGroupCommands
{
    private const int MostCreateArguments = 8;

    private static readonly string[] Help =
    [
        "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <n>]",
        "    Creates a group that reads what comes behind the id; $ is the last entry.",
        "    MKSTREAM makes an empty stream where there is none,",
        "    ENTRIESREAD says how many entries the group has read so far.",
        "CREATECONSUMER <key> <group> <consumer>",
        "    Creates a consumer.",
        "DELCONSUMER <key> <group> <consumer>",
        "    Removes a consumer with what it has pending.",
        "DESTROY <key> <group>",
        "    Removes a group.",
        "SETID <key> <group> <id|$> [ENTRIESREAD <n>]",
        "    Sets the last entry that the group is taken to have read.",
    ];

    [Command("XGROUP", arity: -2, CommandFlags.None, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "Depends on the subcommand.", Summary = "The consumer groups of a stream.")]
    internal static void XGroup(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Creates a group.</summary>
    [Command("XGROUP|CREATE", arity: -5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Stream,
        Since = "5.0.0", Complexity = "O(1)", Summary = "Creates a consumer group.",
        Syntax = "key groupname id:(id|new_id:$) [MKSTREAM] [ENTRIESREAD entries_read]", History = "7.0.0: ENTRIESREAD.")]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void Create(CommandContext ctx)
    {
        if (!TryReadOptions(ctx, takesMakeStream: true, out bool makesStream, out long entriesRead))
        {
            return;
        }

        Key key = ctx.Key(2);
        bool exists = StreamCommands.TryOpen(ctx, key, forWrite: true, out StreamValue stream, out bool replied);
        if (replied)
        {
            return;
        }

        if (!exists && !makesStream)
        {
            ctx.Reply.Error(NoStream);
            return;
        }

        if (ctx.Args.Count > MostCreateArguments)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("XGROUP", ctx.Args[1]));
            return;
        }

        // With its default value an empty stream would say the same: it has no last entry.
        StreamId id = exists ? stream.LastId : StreamId.Min;
        if (ctx.Args[4] is not [(byte)'$'] && !StreamIdText.TryRead(ctx, 4, out id))
        {
            return;
        }

        stream = exists ? stream : StreamValue.Create(ctx.Server.Keyspace, StreamCommands.LimitsOf(ctx));
        try
        {
            if (!stream.TryAddGroup(ctx.Args[3], id, entriesRead))
            {
                ctx.Reply.Error("BUSYGROUP Consumer Group name already exists"u8);
                return;
            }

            if (!exists)
            {
                stream.InsertAs(ctx.Database, key);
                ctx.KeyChanged(key, KeyEvent.New, changes: 0);
            }
        }
        finally
        {
            stream.Dispose();
        }

        ctx.KeyChanged(key, KeyEvent.XGroupCreate);
        ctx.Reply.Ok();
    }

    /// <summary>Sets the last entry that a group is taken to have read.</summary>
    [Command("XGROUP|SETID", arity: -5, CommandFlags.Write, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(1)", Summary = "Sets the last entry that a consumer group has read.",
        Syntax = "key groupname id:(id|new_id:$) [ENTRIESREAD entries_read]", History = "7.0.0: ENTRIESREAD.")]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void SetId(CommandContext ctx)
    {
        if (!TryReadOptions(ctx, takesMakeStream: false, out _, out long entriesRead)
            || !TryOpenGroup(ctx, out StreamValue stream, out StreamGroup group))
        {
            return;
        }

        if (ctx.Args.Count is not (5 or 7))
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("XGROUP", ctx.Args[1]));
            return;
        }

        StreamId id = stream.LastId;
        if (ctx.Args[4] is not [(byte)'$'] && !StreamIdText.TryRead(ctx, 4, out id, isStrict: false))
        {
            return;
        }

        group.SetLastId(id, entriesRead);
        ctx.KeyChanged(ctx.Key(2), KeyEvent.XGroupSetId);
        ctx.Reply.Ok();
    }

    /// <summary>Removes a group; replies 1, or 0 when there is none. Who waits for its entries is told.</summary>
    [Command("XGROUP|DESTROY", arity: 4, CommandFlags.Write, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(N) in the group's pending entries, in the background when they are many.",
        Summary = "Removes a consumer group.", Syntax = "key groupname")]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void Destroy(CommandContext ctx)
    {
        Key key = ctx.Key(2);
        if (!TryOpenStream(ctx, key, out StreamValue stream))
        {
            return;
        }

        bool existed = stream.RemoveGroup(ctx.Args[3]);
        if (existed)
        {
            ctx.KeyChanged(key, KeyEvent.XGroupDestroy);
        }

        ctx.Reply.Integer(existed ? 1 : 0);
    }

    /// <summary>Creates a consumer; replies 1, or 0 when there is one of the name.</summary>
    [Command("XGROUP|CREATECONSUMER", arity: 5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Stream,
        Since = "6.2.0", Complexity = "O(1)", Summary = "Creates a consumer in a consumer group.",
        Syntax = "key groupname consumername")]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void CreateConsumer(CommandContext ctx)
    {
        if (!TryOpenGroup(ctx, out _, out StreamGroup group))
        {
            return;
        }

        bool isNew = group.TryAddConsumer(ctx.Args[4], ctx.NowMs, out _);
        if (isNew)
        {
            ctx.KeyChanged(ctx.Key(2), KeyEvent.XGroupCreateConsumer);
        }

        ctx.Reply.Integer(isNew ? 1 : 0);
    }

    /// <summary>Removes a consumer; replies with how many entries it had pending.</summary>
    [Command("XGROUP|DELCONSUMER", arity: 5, CommandFlags.Write, Group = CommandGroup.Stream, Since = "5.0.0",
        Complexity = "O(log N) for each of its pending entries.", Summary = "Removes a consumer from a consumer group.",
        Syntax = "key groupname consumername")]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void DeleteConsumer(CommandContext ctx)
    {
        if (!TryOpenGroup(ctx, out _, out StreamGroup group))
        {
            return;
        }

        long pending = 0;
        if (group.TryFindConsumer(ctx.Args[4], out StreamConsumer consumer))
        {
            pending = group.RemoveConsumer(consumer.Number);
            ctx.KeyChanged(ctx.Key(2), KeyEvent.XGroupDelConsumer);
        }

        ctx.Reply.Integer(pending);
    }

    [Command("XGROUP|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Stream,
        Since = "5.0.0", Summary = "Shows the subcommands of XGROUP.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    /// <summary>Opens the group that the first two arguments name.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="stream">Its stream when the result is true.</param>
    /// <param name="group">The group when the result is true.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    internal static bool TryFindGroup(CommandContext ctx, out StreamValue stream, out StreamGroup group, out bool replied)
    {
        group = default;
        return StreamCommands.TryOpen(ctx, ctx.Key(1), forWrite: false, out stream, out replied)
            && stream.TryFindGroup(ctx.Args[2], out group);
    }

    /// <summary>What a command replies that needs a group which is not there.</summary>
    internal static byte[] NoKeyOrGroup(ReadOnlySpan<byte> key, ReadOnlySpan<byte> group, string after = "") =>
        [.. "NOGROUP No such key '"u8, .. AsText(key), .. "' or consumer group '"u8, .. AsText(group), .. "'"u8,
            .. Encoding.ASCII.GetBytes(after)];

    /// <summary>What a command replies that needs a group which a stream does not have.</summary>
    internal static byte[] NoGroup(ReadOnlySpan<byte> group, ReadOnlySpan<byte> key) =>
        [.. "NOGROUP No such consumer group '"u8, .. AsText(group), .. "' for key name '"u8, .. AsText(key), .. "'"u8];

    private static ReadOnlySpan<byte> NoStream =>
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."u8;

    // As C sees it.
    private static ReadOnlySpan<byte> AsText(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf((byte)0) is >= 0 and int nul ? bytes[..nul] : bytes;

    private static bool TryOpenStream(CommandContext ctx, Key key, out StreamValue stream)
    {
        bool exists = StreamCommands.TryOpen(ctx, key, forWrite: true, out stream, out bool replied);
        if (!exists && !replied)
        {
            ctx.Reply.Error(NoStream);
        }

        return exists;
    }

    private static bool TryOpenGroup(CommandContext ctx, out StreamValue stream, out StreamGroup group)
    {
        group = default;
        if (!TryOpenStream(ctx, ctx.Key(2), out stream))
        {
            return false;
        }

        if (!stream.TryFindGroup(ctx.Args[3], out group))
        {
            ctx.Reply.Error(NoGroup(ctx.Args[3], ctx.Args[2]));
            return false;
        }

        return true;
    }

    private static bool TryReadOptions(CommandContext ctx, bool takesMakeStream, out bool makesStream, out long entriesRead)
    {
        Arguments args = ctx.Args;
        makesStream = false;
        entriesRead = StreamProgress.Unknown;
        for (int i = 5; i < args.Count; i++)
        {
            if (takesMakeStream && Ascii.EqualsIgnoreCase(args[i], "mkstream"u8))
            {
                makesStream = true;
            }
            else if (i + 1 < args.Count && Ascii.EqualsIgnoreCase(args[i], "entriesread"u8))
            {
                i++;
                if (!Numbers.TryParseInt64(args[i], out entriesRead))
                {
                    ctx.Reply.Error(CommandError.NotAnInteger);
                    return false;
                }

                if (entriesRead < 0 && entriesRead != StreamProgress.Unknown)
                {
                    ctx.Reply.Error("ERR value for ENTRIESREAD must be positive or -1"u8);
                    return false;
                }
            }
            else
            {
                ctx.Reply.Error(CommandError.SubcommandSyntax("XGROUP", args[1]));
                return false;
            }
        }

        return true;
    }
}
