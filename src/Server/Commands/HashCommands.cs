using KvServer.Resp;
using KvServer.Server.Config;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on one hash. Walks over fields are in <see cref="HashScanCommands"/>, fields that expire in
/// <see cref="HashExpireCommands"/> and <see cref="HashExCommands"/>.</summary>
/// <remarks>Semantics: redis.io/commands, group hash. A hash that loses its last field loses its key too.</remarks>
internal static partial class HashCommands
{
    /// <summary>Sets fields and replies with how many were new. O(1) a field.</summary>
    [Command("HSET", arity: -4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "2.0.0", Complexity = "O(1) for each field.",
        Summary = "Sets fields of a hash, which is created when there is none.", Syntax = "key (field value)...",
        History = "4.0.0: Accepts several fields.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HSet(CommandContext ctx)
    {
        if (TrySetAll(ctx, out long added))
        {
            ctx.Reply.Integer(added);
        }
    }

    /// <summary>Sets fields and replies OK. O(1) a field.</summary>
    [Command("HMSET", arity: -4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "2.0.0", Complexity = "O(N) in the fields set.",
        Summary = "Sets several fields of a hash.", Syntax = "key (field value)...",
        Deprecated = "4.0.0: HSET with several fields")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HMSet(CommandContext ctx)
    {
        if (TrySetAll(ctx, out _))
        {
            ctx.Reply.Ok();
        }
    }

    /// <summary>Sets a field that does not exist; replies 0 when it does. O(1).</summary>
    [Command("HSETNX", arity: 4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "2.0.0", Complexity = "O(1)",
        Summary = "Sets a field of a hash unless it exists.", Syntax = "key field value")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void HSetNX(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        ReadOnlySpan<byte> field = ctx.Args[2];
        if (!TryOpenForWrite(ctx, key, out HashValue hash, out bool replied))
        {
            if (replied)
            {
                return;
            }

            HashValue.InsertSingle(ctx.Database, key, field, ctx.Args[3], LimitsOf(ctx));
        }
        else if (hash.Contains(field))
        {
            ctx.Reply.Integer(0);
            return;
        }
        else
        {
            hash.Set(field, ctx.Args[3]);
        }

        ctx.KeyChanged(key, KeyEvent.HSet);
        ctx.Reply.Integer(1);
    }

    /// <summary>Replies with the value of a field, null when there is none. O(1).</summary>
    [Command("HGET", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(1)", Summary = "Returns the value of a field of a hash.", Syntax = "key field")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HGet(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, out HashValue hash, out bool replied);
        if (!replied)
        {
            WriteValueOf(ctx, exists, in hash, ctx.Args[2]);
        }
    }

    /// <summary>Replies with the value or null for each field.</summary>
    [Command("HMGET", arity: -3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(N) in the fields named.", Summary = "Returns the values of several fields of a hash.",
        Syntax = "key field...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HMGet(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        ctx.Reply.Array(args.Count - 2);
        for (int i = 2; i < args.Count; i++)
        {
            WriteValueOf(ctx, exists, in hash, args[i]);
        }
    }

    /// <summary>Replies with the length of a field's value, 0 when there is none. O(1).</summary>
    [Command("HSTRLEN", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash,
        Since = "3.2.0", Complexity = "O(1)", Summary = "Returns the length of the value of a field.",
        Syntax = "key field")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void HStrLen(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, out HashValue hash, out bool replied);
        if (!replied)
        {
            Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
            ctx.Reply.Integer(exists && hash.TryGet(ctx.Args[2], out PackedElement value) ? value.AsText(scratch).Length : 0);
        }
    }

    /// <summary>Replies 1 when there is such a field, else 0. O(1).</summary>
    [Command("HEXISTS", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash,
        Since = "2.0.0", Complexity = "O(1)", Summary = "Tells whether a hash has a field.", Syntax = "key field")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void HExists(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, out HashValue hash, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists && hash.Contains(ctx.Args[2]) ? 1 : 0);
        }
    }

    /// <summary>Replies with the number of fields, 0 for a missing key.</summary>
    /// <remarks>O(1). Fields whose time has come count until they are removed: by this call, 64 at most, or by the
    /// expire cycle.</remarks>
    [Command("HLEN", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(1)", Summary = "Counts the fields of a hash.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void HLen(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, out HashValue hash, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? hash.Count : 0);
        }
    }

    /// <summary>Removes fields and replies with how many there were.</summary>
    [Command("HDEL", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "2.0.0",
        Complexity = "O(N) in the fields named.", Summary = "Removes fields of a hash.", Syntax = "key field...",
        History = "2.4.0: Accepts several fields.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void HDel(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out HashValue hash, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        Arguments args = ctx.Args;
        long removed = 0;
        for (int i = 2; i < args.Count && hash.Count > 0; i++)
        {
            if (hash.Remove(args[i]))
            {
                removed++;
            }
        }

        ReportRemoved(ctx, key, in hash, removed);
        ctx.Reply.Integer(removed);
    }

    /// <summary>The limits of packed hashes that are configured now.</summary>
    internal static HashLimits LimitsOf(CommandContext ctx) => ConfiguredLimits.OfHashes(ctx.Server.Config);

    /// <summary>Opens the hash at the first key for reading.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="hash">The hash when the result is true.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    /// <returns>False when there is no hash.</returns>
    internal static bool TryOpen(CommandContext ctx, out HashValue hash, out bool replied)
    {
        bool exists = ctx.TryFindForRead(ctx.Key(1), ValueType.Hash, out Entry entry, out replied);
        hash = exists ? HashValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Opens a hash that is about to be changed.</summary>
    /// <inheritdoc cref="TryOpen(CommandContext, out HashValue, out bool)"/>
    internal static bool TryOpenForWrite(CommandContext ctx, Key key, out HashValue hash, out bool replied)
    {
        bool exists = ctx.TryFindForWrite(key, ValueType.Hash, out Entry entry, out replied);
        hash = exists ? HashValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Reports that fields have been removed, and deletes the key with the last one.</summary>
    internal static void ReportRemoved(CommandContext ctx, Key key, in HashValue hash, long removed)
    {
        if (removed == 0)
        {
            return;
        }

        bool isEmpty = hash.Count == 0;
        ctx.KeyChanged(key, KeyEvent.HDel, removed);
        if (isEmpty)
        {
            ctx.Database.Delete(key);
            ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
        }
    }

    /// <summary>Writes a field's value as a bulk string, null when there is none.</summary>
    internal static void WriteValueOf(CommandContext ctx, bool exists, in HashValue hash, ReadOnlySpan<byte> field)
    {
        if (exists && hash.TryGet(field, out PackedElement value))
        {
            Write(ctx.Reply, value);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Writes a field's name or value as a bulk string.</summary>
    internal static void Write(ReplyWriter reply, PackedElement element)
    {
        if (element.IsInteger)
        {
            reply.BulkString(element.Integer);
        }
        else
        {
            reply.BulkString(element.Bytes);
        }
    }

    // Sets the fields of HSET and HMSET. False when the client has been told of an error.
    private static bool TrySetAll(CommandContext ctx, out long added)
    {
        Arguments args = ctx.Args;
        added = 0;
        if ((args.Count & 1) != 0)
        {
            ctx.WrongArity();
            return false;
        }

        Key key = ctx.Key(1);
        if (TryOpenForWrite(ctx, key, out HashValue hash, out bool replied))
        {
            added = SetAll(ref hash, args);
        }
        else if (replied)
        {
            return false;
        }
        else if (args.Count == 4)
        {
            HashValue.InsertSingle(ctx.Database, key, args[2], args[3], LimitsOf(ctx));
            added = 1;
        }
        else
        {
            added = InsertMany(ctx, key, args);
        }

        ctx.KeyChanged(key, KeyEvent.HSet, (args.Count - 2) / 2);
        return true;
    }

    private static long InsertMany(CommandContext ctx, Key key, Arguments args)
    {
        HashValue hash = HashValue.Create(ctx.Server.Keyspace, LimitsOf(ctx));
        try
        {
            long added = SetAll(ref hash, args);
            hash.InsertAs(ctx.Database, key);
            return added;
        }
        finally
        {
            hash.Dispose();
        }
    }

    private static long SetAll(ref HashValue hash, Arguments args)
    {
        hash.Prepare((args.Count - 2) / 2);
        long added = 0;
        for (int i = 2; i < args.Count; i += 2)
        {
            if (hash.Set(args[i], args[i + 1]))
            {
                added++;
            }
        }

        return added;
    }
}
