using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Many fields of a hash at once: all of them, in steps, or chosen by chance.</summary>
/// <remarks>Semantics: redis.io/commands, group hash. Replies are written field by field from where the fields lie.</remarks>
internal static class HashScanCommands
{
    /// <summary>Replies with all fields and their values.</summary>
    [Command("HGETALL", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(N) in the fields.", Summary = "Returns all fields and values of a hash.", Syntax = "key",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HGetAll(CommandContext ctx) => WriteAll(ctx, HashParts.Both);

    /// <summary>Replies with the names of all fields.</summary>
    [Command("HKEYS", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(N) in the fields.", Summary = "Returns the names of all fields of a hash.", Syntax = "key",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HKeys(CommandContext ctx) => WriteAll(ctx, HashParts.Names);

    /// <summary>Replies with the values of all fields.</summary>
    [Command("HVALS", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(N) in the fields.", Summary = "Returns the values of all fields of a hash.", Syntax = "key",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HVals(CommandContext ctx) => WriteAll(ctx, HashParts.Values);

    /// <summary>Replies with a cursor and some fields, with their values unless NOVALUES is given. A field that stays in
    /// the hash from the first call to the last is returned at least once.</summary>
    [Command("HSCAN", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Hash, Since = "2.8.0",
        Complexity = "O(COUNT) for a call, O(N) for all fields.", Summary = "Walks over the fields of a hash in steps.",
        Syntax = "key cursor [MATCH pattern] [COUNT count]", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HScan(CommandContext ctx) => CollectionScan.Reply(ctx, ValueType.Hash);

    /// <summary>Replies with fields chosen at random: one, <c>count</c> different ones, or with a negative count that
    /// many draws which may repeat.</summary>
    [Command("HRANDFIELD", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Hash, Since = "6.2.0",
        Complexity = "O(N) in the fields returned.", Summary = "Returns random fields of a hash.",
        Syntax = "key [options:count [WITHVALUES]]", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HRandField(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (args.Count > 2)
        {
            PickMany(ctx);
            return;
        }

        bool exists = HashCommands.TryOpen(ctx, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        if (exists && hash.LiveCount > 0)
        {
            using HashPicks picks = hash.Pick();
            HashCommands.Write(ctx.Reply, picks.Next().Name);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    private static void WriteAll(CommandContext ctx, HashParts parts)
    {
        bool exists = HashCommands.TryOpen(ctx, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        ReplyWriter reply = ctx.Reply;
        long count = exists ? hash.LiveCount : 0;
        if (parts == HashParts.Both)
        {
            reply.Map(count);
        }
        else
        {
            reply.Array(count);
        }

        if (count == 0)
        {
            return;
        }

        if (LongReply.Pays(ctx, count))
        {
            _ = new LongHashReply(ctx, in hash, parts);
            return;
        }

        foreach (HashField field in hash)
        {
            Write(reply, field, parts);
        }
    }

    /// <summary>Writes what is asked for of a field.</summary>
    internal static void Write(ReplyWriter reply, HashField field, HashParts parts)
    {
        if ((parts & HashParts.Names) != 0)
        {
            HashCommands.Write(reply, field.Name);
        }

        if ((parts & HashParts.Values) != 0)
        {
            HashCommands.Write(reply, field.Value);
        }
    }

    private static void PickMany(CommandContext ctx)
    {
        if (!SampleCount.TryRead(ctx, "WITHVALUES"u8, out long count, out bool withValues))
        {
            return;
        }

        bool exists = HashCommands.TryOpen(ctx, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        long available = exists ? hash.LiveCount : 0;
        if (count == 0 || available == 0)
        {
            ctx.Reply.EmptyArray();
        }
        else if (count < 0)
        {
            BeginPicks(ctx, -count, withValues);
            using HashPicks picks = hash.Pick();
            for (long i = 0; i < -count; i++)
            {
                WritePick(ctx, picks.Next(), withValues);

                // The count is the client's: stop when it asks for more than its output may hold.
                if (ctx.Client.Is(ClientFlags.Closing))
                {
                    return;
                }
            }
        }
        else
        {
            BeginPicks(ctx, Math.Min(count, available), withValues);
            foreach (HashField field in hash.Sample(count))
            {
                WritePick(ctx, field, withValues);
            }
        }
    }

    // Names alone, or pairs: one after the other in RESP2, arrays of two in RESP3.
    private static void BeginPicks(CommandContext ctx, long count, bool withValues) =>
        ctx.Reply.Array(withValues && ctx.Reply.Protocol == 2 ? 2 * count : count);

    private static void WritePick(CommandContext ctx, HashField field, bool withValues)
    {
        if (withValues && ctx.Reply.Protocol != 2)
        {
            ctx.Reply.Array(2);
        }

        HashCommands.Write(ctx.Reply, field.Name);
        if (withValues)
        {
            HashCommands.Write(ctx.Reply, field.Value);
        }
    }
}
