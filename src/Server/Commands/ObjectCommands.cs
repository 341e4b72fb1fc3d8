using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>How a value is kept: OBJECT's subcommands and MEMORY USAGE.</summary>
internal static class ObjectCommands
{
    private static readonly string[] ObjectHelp =
    [
        "ENCODING <key>",
        "    Names the internal representation of the key's value.",
        "FREQ <key>",
        "    The logarithmic access counter of the key, under an LFU maxmemory policy.",
        "IDLETIME <key>",
        "    Seconds since the key was last used, under any other policy.",
        "REFCOUNT <key>",
        "    References to the value: always 1 here, values are not shared.",
    ];

    [Command("OBJECT", arity: -2, CommandFlags.None, Group = CommandGroup.Generic, Since = "2.2.3",
        Complexity = "Depends on the subcommand.", Summary = "Tells how a key's value is kept.")]
    internal static void Object(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the encoding's name, null for a missing key. Does not count as a use of the key.</summary>
    [Command("OBJECT|ENCODING", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "2.2.3",
        Complexity = "O(1)", Summary = "Names the encoding of a key's value.", Syntax = "key", Acl = "keyspace",
        Tips = "nondeterministic_output")]
    [Keys(first: 2, KeyAccess.ReadOnly)]
    internal static void Encoding(CommandContext ctx)
    {
        if (TryFind(ctx, out Entry entry))
        {
            ctx.Reply.BulkString(entry.EncodingName);
        }
    }

    /// <summary>Replies with the LFU counter; an error unless the policy keeps one.</summary>
    [Command("OBJECT|FREQ", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "4.0.0",
        Complexity = "O(1)", Summary = "Tells a key's access frequency counter.", Syntax = "key", Acl = "keyspace",
        Tips = "nondeterministic_output")]
    [Keys(first: 2, KeyAccess.ReadOnly)]
    internal static void Freq(CommandContext ctx)
    {
        if (!TryFind(ctx, out Entry entry))
        {
            return;
        }

        if (!ctx.Server.Keyspace.CountsFrequency)
        {
            ctx.Reply.Error(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."u8);
            return;
        }

        ctx.Reply.Integer(ctx.Database.FrequencyOf(entry));
    }

    /// <summary>Replies with the seconds since the last use; an error under an LFU policy.</summary>
    [Command("OBJECT|IDLETIME", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "2.2.3",
        Complexity = "O(1)", Summary = "Tells how long a key has not been used.", Syntax = "key", Acl = "keyspace",
        Tips = "nondeterministic_output")]
    [Keys(first: 2, KeyAccess.ReadOnly)]
    internal static void IdleTime(CommandContext ctx)
    {
        if (!TryFind(ctx, out Entry entry))
        {
            return;
        }

        if (ctx.Server.Keyspace.CountsFrequency)
        {
            ctx.Reply.Error(
                "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."u8);
            return;
        }

        ctx.Reply.Integer(ctx.Database.IdleTimeMs(entry) / 1000);
    }

    /// <summary>Replies 1 for a key that exists: no value is shared between keys.</summary>
    [Command("OBJECT|REFCOUNT", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "2.2.3",
        Complexity = "O(1)", Summary = "Tells the references to a key's value.", Syntax = "key", Acl = "keyspace",
        Tips = "nondeterministic_output")]
    [Keys(first: 2, KeyAccess.ReadOnly)]
    internal static void RefCount(CommandContext ctx)
    {
        if (TryFind(ctx, out _))
        {
            ctx.Reply.Integer(1);
        }
    }

    [Command("OBJECT|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Generic,
        Since = "6.2.0", Complexity = "O(1)", Summary = "Lists the subcommands of OBJECT.", Acl = "keyspace")]
    internal static void Help(CommandContext ctx) => HelpReply.Write(ctx, ObjectHelp);

    private static bool TryFind(CommandContext ctx, out Entry entry)
    {
        if (ctx.Database.TryFind(ctx.Key(2), LookupFlags.NoTouch | LookupFlags.NoStats, out entry))
        {
            return true;
        }

        ctx.Reply.Null();
        return false;
    }
}
