using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on keys of any type: deletion, existence, renaming, copying, moving.</summary>
/// <remarks>Semantics: redis.io/commands, group generic. Walking the keyspace is in <see cref="ScanCommands"/>, expiry in
/// <see cref="ExpireCommands"/>.</remarks>
internal static class KeyCommands
{
    /// <summary>Deletes keys and replies with how many there were. O(1) a key: large values are freed in the background, and
    /// smaller ones when lazyfree-lazy-user-del says so.</summary>
    [Command("DEL", arity: -2, CommandFlags.Write, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(N) in the keys, plus O(M) for each collection of M elements.",
        Summary = "Deletes keys.", Syntax = "key...", Acl = "keyspace",
        Tips = "request_policy:multi_shard response_policy:agg_sum")]
    [Keys(first: 1, KeyAccess.Remove | KeyAccess.Delete, Last = -1)]
    internal static void Del(CommandContext ctx) => DeleteAll(ctx, ctx.Server.Config.LazyFreeLazyUserDel);

    /// <summary>Like DEL, with large values always freed in the background.</summary>
    [Command("UNLINK", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "4.0.0",
        Complexity = "O(1) a key; freeing is O(M) for M elements, in the background.",
        Summary = "Deletes keys and frees their values in the background.", Syntax = "key...", Acl = "keyspace",
        Tips = "request_policy:multi_shard response_policy:agg_sum")]
    [Keys(first: 1, KeyAccess.Remove | KeyAccess.Delete, Last = -1)]
    internal static void Unlink(CommandContext ctx) => DeleteAll(ctx, lazily: true);

    /// <summary>Replies with how many of the keys exist; one named twice counts twice.</summary>
    [Command("EXISTS", arity: -2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "1.0.0", Complexity = "O(N) in the keys.", Summary = "Counts the keys that exist.",
        Syntax = "key...", Acl = "keyspace", Tips = "request_policy:multi_shard response_policy:agg_sum",
        History = "3.0.3: Accepts several keys.")]
    [Keys(first: 1, KeyAccess.ReadOnly, Last = -1)]
    internal static void Exists(CommandContext ctx) => CountFound(ctx, LookupFlags.NoTouch);

    /// <summary>Marks keys as just used and replies with how many of them exist.</summary>
    [Command("TOUCH", arity: -2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "3.2.1", Complexity = "O(N) in the keys.", Summary = "Updates the access clock of keys, counts them.",
        Syntax = "key...", Acl = "keyspace", Tips = "request_policy:multi_shard response_policy:agg_sum")]
    [Keys(first: 1, KeyAccess.ReadOnly, Last = -1)]
    internal static void Touch(CommandContext ctx) => CountFound(ctx, LookupFlags.None);

    /// <summary>Replies with the name of the key's type, or "none".</summary>
    [Command("TYPE", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "1.0.0", Complexity = "O(1)", Summary = "Tells the type of a key's value.", Syntax = "key",
        Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void Type(CommandContext ctx)
    {
        bool found = ctx.Database.TryFind(ctx.Key(1), LookupFlags.NoTouch, out Entry entry);
        ctx.Reply.SimpleString(found ? TypeName(entry.Type) : "none"u8);
    }

    /// <summary>Gives a key another name, replacing what has that name.</summary>
    [Command("RENAME", arity: 3, CommandFlags.Write, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(1), plus freeing what the new name held.",
        Summary = "Renames a key, replacing the one of the new name.", Syntax = "key newkey", Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.Overwrite | KeyAccess.Update)]
    internal static void Rename(CommandContext ctx)
    {
        if (!TryRename(ctx, replace: true, out _))
        {
            ctx.Reply.Error(CommandError.NoSuchKey);
            return;
        }

        ctx.Reply.Ok();
    }

    /// <summary>Renames only when the new name is free.</summary>
    [Command("RENAMENX", arity: 3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "1.0.0", Complexity = "O(1)", Summary = "Renames a key when the new name is free.",
        Syntax = "key newkey", Acl = "keyspace", History = "3.2.0: Same names are no error any more.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.Overwrite | KeyAccess.Insert)]
    internal static void RenameNx(CommandContext ctx)
    {
        if (!TryRename(ctx, replace: false, out bool renamed))
        {
            ctx.Reply.Error(CommandError.NoSuchKey);
            return;
        }

        ctx.Reply.Integer(renamed ? 1 : 0);
    }

    /// <summary>Copies a value with its expiry to another key, in this database or another.</summary>
    [Command("COPY", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Generic,
        Since = "6.2.0", Complexity = "O(1) for strings, O(N) for a collection of N elements.",
        Summary = "Copies a key's value to another key.",
        Syntax = "source:key destination [DB destination-db] [REPLACE]", Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    [Keys(first: 2, KeyAccess.Overwrite | KeyAccess.Update)]
    internal static void Copy(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        Database target = ctx.Database;
        bool replace = false;
        for (int i = 3; i < args.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(args[i], "REPLACE"u8))
            {
                replace = true;
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "DB"u8) && i + 1 < args.Count)
            {
                if (!TryReadDatabase(ctx, ++i, out target))
                {
                    return;
                }
            }
            else
            {
                ctx.Reply.Error(CommandError.Syntax);
                return;
            }
        }

        Key source = ctx.Key(1);
        Key destination = ctx.Key(2);
        if (target == ctx.Database && source.Bytes.SequenceEqual(destination.Bytes))
        {
            ctx.Reply.Error(CommandError.SameObject);
            return;
        }

        if (!ctx.Database.Exists(source)
            || (!replace && target.TryFind(destination, LookupFlags.Write, out _))
            || !ctx.Database.Copy(source, target, destination))
        {
            ctx.Reply.Integer(0);
            return;
        }

        ctx.KeyArrived(target, destination, KeyEvent.CopyTo, changes: 1);
        ctx.Reply.Integer(1);
    }

    /// <summary>Moves a key to another database unless that has one of the same name.</summary>
    [Command("MOVE", arity: 3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Moves a key to another database.", Syntax = "key db",
        Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void Move(CommandContext ctx)
    {
        if (!TryReadDatabase(ctx, 2, out Database target))
        {
            return;
        }

        if (target == ctx.Database)
        {
            ctx.Reply.Error(CommandError.SameObject);
            return;
        }

        Key key = ctx.Key(1);
        bool moved = ctx.Database.Move(key, target);
        if (moved)
        {
            ctx.KeyChanged(key, KeyEvent.MoveFrom);
            ctx.KeyArrived(target, key, KeyEvent.MoveTo);
        }

        ctx.Reply.Integer(moved ? 1 : 0);
    }

    /// <summary>The name TYPE shows, and SCAN's TYPE takes.</summary>
    internal static ReadOnlySpan<byte> TypeName(ValueType type) => type switch
    {
        ValueType.String => "string"u8,
        ValueType.List => "list"u8,
        ValueType.Set => "set"u8,
        ValueType.SortedSet => "zset"u8,
        ValueType.Hash => "hash"u8,
        ValueType.Stream => "stream"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    private static void DeleteAll(CommandContext ctx, bool lazily)
    {
        long deleted = 0;
        for (int i = 1; i < ctx.Args.Count; i++)
        {
            Key key = ctx.Key(i);
            if (ctx.Database.Delete(key, lazily))
            {
                ctx.KeyChanged(key, KeyEvent.Del);
                deleted++;
            }
        }

        ctx.Reply.Integer(deleted);
    }

    private static void CountFound(CommandContext ctx, LookupFlags flags)
    {
        long found = 0;
        for (int i = 1; i < ctx.Args.Count; i++)
        {
            if (ctx.Database.TryFind(ctx.Key(i), flags, out _))
            {
                found++;
            }
        }

        ctx.Reply.Integer(found);
    }

    /// <returns>False when there is no such key.</returns>
    private static bool TryRename(CommandContext ctx, bool replace, out bool renamed)
    {
        Key from = ctx.Key(1);
        Key to = ctx.Key(2);
        renamed = false;
        if (!ctx.Database.TryFind(from, LookupFlags.Write, out _))
        {
            return false;
        }

        if (from.Bytes.SequenceEqual(to.Bytes))
        {
            return true;
        }

        if (!replace && ctx.Database.TryFind(to, LookupFlags.Write, out _))
        {
            return true;
        }

        ctx.Database.Rename(from, to, ctx.Server.Config.LazyFreeLazyServerDel);
        ctx.KeyChanged(from, KeyEvent.RenameFrom);
        ctx.KeyChanged(to, KeyEvent.RenameTo, changes: 0);
        renamed = true;
        return true;
    }

    private static bool TryReadDatabase(CommandContext ctx, int argIndex, out Database database)
    {
        database = ctx.Database;
        if (!Numbers.TryParseInt64(ctx.Args[argIndex], out long index))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (index < 0 || index >= ctx.Server.Keyspace.DatabaseCount)
        {
            ctx.Reply.Error(CommandError.DbIndexOutOfRange);
            return false;
        }

        database = ctx.Server.Keyspace[(int)index];
        return true;
    }
}
