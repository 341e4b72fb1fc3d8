using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Fields and their expiry in one step: HGETEX, HSETEX, HGETDEL.</summary>
/// <remarks>Semantics: redis.io/commands/hgetex and kin, version 8.0.</remarks>
internal static class HashExCommands
{
    /// <summary>Replies with the value or null for each field, and sets or removes their expiry.</summary>
    [Command("HGETEX", arity: -5, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "8.0.0",
        Complexity = "O(N) in the fields named.",
        Summary = "Returns the values of fields and sets when they expire.",
        Syntax = "key [expiration:EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST] "
            + "(FIELDS numfields:integer field...)")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void HGetEx(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        bool exists = HashCommands.TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied || !HashExOptions.TryParse(ctx, isSet: false, out HashExOptions options))
        {
            return;
        }

        long set = 0;
        long removed = 0;
        long persisted = 0;
        ctx.Reply.Array(options.Count);
        for (int i = 0; i < options.Count; i++)
        {
            ReadOnlySpan<byte> field = ctx.Args[options.First + i];
            HashCommands.WriteValueOf(ctx, exists, in hash, field);
            if (options.Expiry == ExpiryKind.None || !exists || !hash.TryGetExpiry(field, out long current))
            {
                continue;
            }

            if (options.Expiry == ExpiryKind.Persist)
            {
                if (current != Database.NoExpiry)
                {
                    hash.Persist(field);
                    persisted++;
                }
            }
            else if (ctx.HasPassed(options.ExpireAtMs))
            {
                hash.Remove(field);
                removed++;
                ctx.PropagateAs("HDEL"u8, key.Bytes, field);
            }
            else
            {
                hash.SetExpireAt(field, options.ExpireAtMs);
                set++;
            }
        }

        if (persisted > 0)
        {
            ctx.KeyChanged(key, KeyEvent.HPersist, persisted);
            PropagateFields(ctx, "HPERSIST"u8, key, new FieldList(options.First, options.Count), hasCount: true);
        }

        if (set > 0)
        {
            ctx.KeyChanged(key, KeyEvent.HExpire, set);
            HashExpireCommands.PropagateExpiry(
                ctx, key, options.ExpireAtMs, conditionIndex: 0, new FieldList(options.First, options.Count));
        }

        HashCommands.ReportRemoved(ctx, key, in hash, removed);
    }

    /// <summary>Sets fields, and when they expire; replies 0 when a condition keeps it from that.</summary>
    [Command("HSETEX", arity: -6, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "8.0.0", Complexity = "O(N) in the fields set.",
        Summary = "Sets fields of a hash, and when they expire.",
        Syntax = "key [condition:FNX|FXX] [expiration:EX seconds|PX milliseconds|EXAT unix-time-seconds|"
            + "PXAT unix-time-milliseconds|KEEPTTL] (FIELDS numfields:integer (field value)...)")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HSetEx(CommandContext ctx)
    {
        if (!HashExOptions.TryParse(ctx, isSet: true, out HashExOptions options))
        {
            return;
        }

        Key key = ctx.Key(1);
        bool exists = HashCommands.TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        if (!IsMet(options, ctx.Args, exists, in hash))
        {
            ctx.Reply.Integer(0);
            return;
        }

        if (options.HasTime && ctx.HasPassed(options.ExpireAtMs))
        {
            // Set to be gone at once.
            RemoveAll(ctx, key, options, exists, ref hash);
            ctx.Reply.Integer(1);
            return;
        }

        if (exists)
        {
            SetAll(ref hash, options, ctx.Args);
        }
        else
        {
            InsertMany(ctx, key, options);
        }

        ctx.KeyChanged(key, KeyEvent.HSet, options.Count);
        if (options.HasTime)
        {
            ctx.KeyChanged(key, KeyEvent.HExpire, changes: 0);
            PropagateSet(ctx, key, options);
        }

        ctx.Reply.Integer(1);
    }

    /// <summary>Replies with the value or null for each field, and removes them.</summary>
    [Command("HGETDEL", arity: -5, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "8.0.0",
        Complexity = "O(N) in the fields named.", Summary = "Returns the values of fields and removes them.",
        Syntax = "key (FIELDS numfields:integer field...)")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void HGetDel(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        bool exists = HashCommands.TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        if (!FieldList.TryParse(
            ctx.Args,
            2,
            "ERR Number of fields must be a positive integer"u8,
            out FieldList fields,
            out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        long removed = 0;
        ctx.Reply.Array(fields.Count);
        for (int i = 0; i < fields.Count; i++)
        {
            ReadOnlySpan<byte> field = ctx.Args[fields.First + i];
            HashCommands.WriteValueOf(ctx, exists, in hash, field);
            if (exists && hash.Remove(field))
            {
                removed++;
            }
        }

        if (removed > 0)
        {
            PropagateFields(ctx, "HDEL"u8, key, fields, hasCount: false);
        }

        HashCommands.ReportRemoved(ctx, key, in hash, removed);
    }

    private static bool IsMet(HashExOptions options, Arguments args, bool exists, in HashValue hash)
    {
        if (options.Condition == SetCondition.Always)
        {
            return true;
        }

        for (int i = 0; i < options.Count; i++)
        {
            bool isThere = exists && hash.Contains(args[options.First + (2 * i)]);
            if (isThere != (options.Condition == SetCondition.IfPresent))
            {
                return false;
            }
        }

        return true;
    }

    private static void RemoveAll(
        CommandContext ctx, Key key, HashExOptions options, bool exists, ref HashValue hash)
    {
        long removed = 0;
        for (int i = 0; exists && i < options.Count; i++)
        {
            ReadOnlySpan<byte> field = ctx.Args[options.First + (2 * i)];
            if (hash.Remove(field))
            {
                removed++;
                ctx.PropagateAs("HDEL"u8, key.Bytes, field);
            }
        }

        HashCommands.ReportRemoved(ctx, key, in hash, removed);
    }

    private static void PropagateFields(
        CommandContext ctx, ReadOnlySpan<byte> name, Key key, FieldList fields, bool hasCount)
    {
        if (ctx.BeginPropagation((hasCount ? 4 : 2) + fields.Count) is { } log)
        {
            log.Argument(name);
            log.Argument(key.Bytes);
            if (hasCount)
            {
                log.Argument("FIELDS"u8);
                log.Argument(fields.Count);
            }

            for (int i = 0; i < fields.Count; i++)
            {
                log.Argument(ctx.Args[fields.First + i]);
            }
        }
    }

    // The condition was met, and the time is an instant.
    private static void PropagateSet(CommandContext ctx, Key key, HashExOptions options)
    {
        if (ctx.BeginPropagation(6 + (2 * options.Count)) is { } log)
        {
            log.Argument("HSETEX"u8);
            log.Argument(key.Bytes);
            log.Argument("PXAT"u8);
            log.Argument(options.ExpireAtMs);
            log.Argument("FIELDS"u8);
            log.Argument(options.Count);
            for (int i = 0; i < 2 * options.Count; i++)
            {
                log.Argument(ctx.Args[options.First + i]);
            }
        }
    }

    private static void InsertMany(CommandContext ctx, Key key, HashExOptions options)
    {
        HashValue hash = HashValue.Create(ctx.Server.Keyspace, HashCommands.LimitsOf(ctx));
        try
        {
            SetAll(ref hash, options, ctx.Args);
            hash.InsertAs(ctx.Database, key);
        }
        finally
        {
            hash.Dispose();
        }
    }

    private static void SetAll(ref HashValue hash, HashExOptions options, Arguments args)
    {
        hash.Prepare(options.Count);
        for (int i = 0; i < options.Count; i++)
        {
            ReadOnlySpan<byte> field = args[options.First + (2 * i)];
            ReadOnlySpan<byte> value = args[options.First + (2 * i) + 1];

            // The place for a time is kept when a new one is about to be put there.
            if (options.Expiry == ExpiryKind.None)
            {
                hash.Set(field, value);
            }
            else
            {
                hash.SetKeepingExpiry(field, value);
            }

            if (options.HasTime)
            {
                hash.SetExpireAt(field, options.ExpireAtMs);
            }
        }
    }
}
