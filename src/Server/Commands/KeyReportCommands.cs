using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>HOTKEYS and BIGKEYS: which keys the server is busy with, and which take most of its memory.</summary>
/// <remarks>Commands of our own. Replies are maps, which RESP2 spells as arrays of names and values in turn.</remarks>
internal static class KeyReportCommands
{
    private const CommandFlags Flags = CommandFlags.Admin | CommandFlags.NoScript;

    private static ReadOnlySpan<byte> SwitchedOff =>
        "ERR Keys are not counted while the option key-statistics is 'no'"u8;

    /// <summary>Replies with the keys that most calls have named and those that most bytes were sent for.</summary>
    [Command("HOTKEYS", arity: -1, Flags, Group = CommandGroup.Server, Since = "7.2.4",
        Complexity = "O(1)", Syntax = "[COUNT count]", Tips = "nondeterministic_output",
        Summary = "Tells the busiest keys.")]
    internal static void HotKeys(CommandContext ctx)
    {
        if (!TryBegin(ctx, takesType: false, out KeyReportOptions options))
        {
            return;
        }

        KeyTraffic traffic = ctx.Server.KeyTraffic;
        ReplyWriter reply = ctx.Reply;
        reply.Map(5);
        Field(reply, "counted-seconds"u8, (ctx.NowMs - traffic.SinceMs) / 1000);
        Field(reply, "requests"u8, traffic.Calls);
        Field(reply, "bytes-out"u8, traffic.Bytes);
        reply.BulkString("by-requests"u8);
        Write(reply, traffic.ByCalls(options.Count), "requests"u8);
        reply.BulkString("by-bytes-out"u8);
        Write(reply, traffic.ByBytes(options.Count), "bytes-out"u8);
    }

    /// <summary>Replies with the largest keys that the walk over the dataset has found, and how far it is.</summary>
    [Command("BIGKEYS", arity: -1, Flags, Group = CommandGroup.Server, Since = "7.2.4",
        Complexity = "O(1): a few hundred look-ups, and at most a millisecond of the walk over the keys.",
        Syntax = "[COUNT count] [TYPE type]", Tips = "nondeterministic_output", Summary = "Tells the largest keys.")]
    internal static void BigKeys(CommandContext ctx)
    {
        if (!TryBegin(ctx, takesType: true, out KeyReportOptions options))
        {
            return;
        }

        BigKeys search = ctx.Server.BigKeys;
        search.CatchUp();
        ReplyWriter reply = ctx.Reply;
        reply.Map(8);
        Field(reply, "passes"u8, search.Passes);
        reply.BulkString("last-pass-seconds-ago"u8);
        if (search.Passes > 0)
        {
            reply.Integer((ctx.NowMs - search.LastPassEndedAtMs) / 1000);
        }
        else
        {
            reply.Null();
        }

        Field(reply, "last-pass-keys"u8, search.LastPassKeys);
        Field(reply, "current-pass-keys"u8, search.CurrentPassKeys);
        Field(reply, "keys"u8, CountKeys(ctx.Server));
        Field(reply, "long-names"u8, search.LongNames);
        reply.BulkString("by-bytes"u8);
        Write(reply, search.Largest(options.Type, byElements: false, options.Count));
        reply.BulkString("by-elements"u8);
        Write(reply, search.Largest(options.Type, byElements: true, options.Count));
    }

    private static bool TryBegin(CommandContext ctx, bool takesType, out KeyReportOptions options)
    {
        if (!KeyReportOptions.TryParse(ctx.Args, takesType, out options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return false;
        }

        if (!ctx.Server.KeyTraffic.IsOn)
        {
            ctx.Reply.Error(SwitchedOff);
            return false;
        }

        return true;
    }

    private static void Write(ReplyWriter reply, List<HeavyKey> keys, ReadOnlySpan<byte> amountName)
    {
        reply.Array(keys.Count);
        foreach (HeavyKey key in keys)
        {
            bool isCut = key.Name.Length < key.NameBytes;
            reply.Map(isCut ? 6 : 5);
            reply.BulkString("key"u8);
            reply.BulkString(key.Name);
            if (isCut)
            {
                Field(reply, "key-length"u8, key.NameBytes);
            }

            Field(reply, "db"u8, key.Database);
            Field(reply, amountName, key.Amount);
            Field(reply, "error"u8, key.Error);
            Field(reply, "per-second"u8, key.PerSecond);
        }
    }

    private static void Write(ReplyWriter reply, List<BigKey> keys)
    {
        reply.Array(keys.Count);
        foreach (BigKey key in keys)
        {
            reply.Map(5);
            reply.BulkString("key"u8);
            reply.BulkString(key.Name);
            Field(reply, "db"u8, key.Database);
            reply.BulkString("type"u8);
            reply.BulkString(KeyCommands.TypeName(key.Type));
            Field(reply, "bytes"u8, key.Bytes);
            Field(reply, "elements"u8, key.Elements);
        }
    }

    private static void Field(ReplyWriter reply, ReadOnlySpan<byte> name, long value)
    {
        reply.BulkString(name);
        reply.Integer(value);
    }

    private static long CountKeys(ServerState server)
    {
        long count = 0;
        for (int i = 0; i < server.Keyspace.DatabaseCount; i++)
        {
            count += server.Keyspace[i].Count;
        }

        return count;
    }
}
