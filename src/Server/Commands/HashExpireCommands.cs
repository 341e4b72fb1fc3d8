using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Giving fields of a hash an end, asking for it, taking it away.</summary>
/// <remarks>Semantics: redis.io/commands/hexpire and kin, version 8.0. Instants are ms since the Unix epoch. Each replies
/// with one number per field.</remarks>
internal static class HashExpireCommands
{
    // What a number says about its field.
    private const long NoField = -2;
    private const long NoExpiry = -1;
    private const long NotMet = 0;
    private const long Done = 1;
    private const long Removed = 2;

    private const string ExpireSyntax = " [condition:NX|XX|GT|LT] (FIELDS numfields:integer field...)";
    private const string FieldsSyntax = "key (FIELDS numfields:integer field...)";

    /// <summary>Lets fields expire after so many seconds; removes them when there are none.</summary>
    [Command("HEXPIRE", arity: -6, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Sets the time to live of fields in seconds.", Syntax = "key seconds" + ExpireSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HExpire(CommandContext ctx) => SetExpiry(ctx, ExpiryKind.Seconds);

    /// <summary>Lets fields expire after so many milliseconds.</summary>
    [Command("HPEXPIRE", arity: -6, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Sets the time to live of fields in milliseconds.", Syntax = "key milliseconds" + ExpireSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HPExpire(CommandContext ctx) => SetExpiry(ctx, ExpiryKind.Milliseconds);

    /// <summary>Lets fields expire at an instant in seconds since the Unix epoch.</summary>
    [Command("HEXPIREAT", arity: -6, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Sets the second at which fields expire.", Syntax = "key unix-time-seconds" + ExpireSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HExpireAt(CommandContext ctx) => SetExpiry(ctx, ExpiryKind.AtSeconds);

    /// <summary>Lets fields expire at an instant in ms since the Unix epoch.</summary>
    [Command("HPEXPIREAT", arity: -6, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Sets the millisecond at which fields expire.", Syntax = "key unix-time-milliseconds" + ExpireSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HPExpireAt(CommandContext ctx) => SetExpiry(ctx, ExpiryKind.AtMilliseconds);

    /// <summary>Replies with the seconds each field has left, rounded up.</summary>
    [Command("HTTL", arity: -5, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "7.4.0",
        Complexity = "O(N) in the fields named.", Summary = "Tells how many seconds fields have left.",
        Syntax = FieldsSyntax, Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HTtl(CommandContext ctx) => ReplyExpiry(ctx, ctx.NowMs, inSeconds: true);

    /// <summary>Replies with the milliseconds each field has left.</summary>
    [Command("HPTTL", arity: -5, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "7.4.0",
        Complexity = "O(N) in the fields named.", Summary = "Tells how many milliseconds fields have left.",
        Syntax = FieldsSyntax, Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HPTtl(CommandContext ctx) => ReplyExpiry(ctx, ctx.NowMs, inSeconds: false);

    /// <summary>Replies with the second at which each field expires.</summary>
    [Command("HEXPIRETIME", arity: -5, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash,
        Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Tells the second at which fields expire.", Syntax = FieldsSyntax)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HExpireTime(CommandContext ctx) => ReplyExpiry(ctx, baseMs: 0, inSeconds: true);

    /// <summary>Replies with the millisecond at which each field expires.</summary>
    [Command("HPEXPIRETIME", arity: -5, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Hash,
        Since = "7.4.0", Complexity = "O(N) in the fields named.",
        Summary = "Tells the millisecond at which fields expire.", Syntax = FieldsSyntax)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void HPExpireTime(CommandContext ctx) => ReplyExpiry(ctx, baseMs: 0, inSeconds: false);

    /// <summary>Takes the expiry of fields away.</summary>
    [Command("HPERSIST", arity: -5, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Hash, Since = "7.4.0",
        Complexity = "O(N) in the fields named.", Summary = "Removes the expiry of fields.", Syntax = FieldsSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void HPersist(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        bool exists = HashCommands.TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied || !TryParseFields(ctx, out FieldList fields))
        {
            return;
        }

        long changes = 0;
        ctx.Reply.Array(fields.Count);
        for (int i = 0; i < fields.Count; i++)
        {
            ReadOnlySpan<byte> field = ctx.Args[fields.First + i];
            if (!exists || !hash.TryGetExpiry(field, out long expireAtMs))
            {
                ctx.Reply.Integer(NoField);
            }
            else if (expireAtMs == Database.NoExpiry)
            {
                ctx.Reply.Integer(NoExpiry);
            }
            else
            {
                hash.Persist(field);
                changes++;
                ctx.Reply.Integer(Done);
            }
        }

        if (changes > 0)
        {
            ctx.KeyChanged(key, KeyEvent.HPersist, changes);
        }
    }

    /// <summary>Passes on when fields expire, as an instant.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The hash.</param>
    /// <param name="expireAtMs">The instant.</param>
    /// <param name="conditionIndex">Where a condition stands, or 0. It holds for the same fields elsewhere.</param>
    /// <param name="fields">The fields.</param>
    internal static void PropagateExpiry(
        CommandContext ctx, Key key, long expireAtMs, int conditionIndex, FieldList fields)
    {
        if (ctx.BeginPropagation((conditionIndex > 0 ? 6 : 5) + fields.Count) is { } log)
        {
            log.Argument("HPEXPIREAT"u8);
            log.Argument(key.Bytes);
            log.Argument(expireAtMs);
            if (conditionIndex > 0)
            {
                log.Argument(ctx.Args[conditionIndex]);
            }

            log.Argument("FIELDS"u8);
            log.Argument(fields.Count);
            for (int i = 0; i < fields.Count; i++)
            {
                log.Argument(ctx.Args[fields.First + i]);
            }
        }
    }

    private static void SetExpiry(CommandContext ctx, ExpiryKind kind)
    {
        Key key = ctx.Key(1);
        bool exists = HashCommands.TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        if (!FieldExpiryTime.TryParse(
            args[2], kind, ctx.NowMs, ctx.Command.DisplayName, out long expireAtMs, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        bool hasCondition = ExpireOptions.TryParseOne(args[3], out ExpireOptions condition);
        if (!FieldList.TryParse(
            args, hasCondition ? 4 : 3, "ERR Parameter `numFields` should be greater than 0"u8, out FieldList fields, out error))
        {
            ctx.Reply.Error(error);
            return;
        }

        long set = 0;
        long removed = 0;
        ctx.Reply.Array(fields.Count);
        for (int i = 0; i < fields.Count; i++)
        {
            ReadOnlySpan<byte> field = args[fields.First + i];
            if (!exists || !hash.TryGetExpiry(field, out long current))
            {
                ctx.Reply.Integer(NoField);
            }
            else if (!condition.Allow(current, expireAtMs))
            {
                ctx.Reply.Integer(NotMet);
            }
            else if (ctx.HasPassed(expireAtMs))
            {
                hash.Remove(field);
                removed++;
                ctx.PropagateAs("HDEL"u8, key.Bytes, field);
                ctx.Reply.Integer(Removed);
            }
            else
            {
                hash.SetExpireAt(field, expireAtMs);
                set++;
                ctx.Reply.Integer(Done);
            }
        }

        if (set > 0)
        {
            ctx.KeyChanged(key, KeyEvent.HExpire, set);
            PropagateExpiry(ctx, key, expireAtMs, hasCondition ? 3 : 0, fields);
        }

        if (removed > 0)
        {
            HashCommands.ReportRemoved(ctx, key, in hash, removed);
        }
    }

    private static void ReplyExpiry(CommandContext ctx, long baseMs, bool inSeconds)
    {
        bool exists = HashCommands.TryOpen(ctx, out HashValue hash, out bool replied);
        if (replied || !TryParseFields(ctx, out FieldList fields))
        {
            return;
        }

        ctx.Reply.Array(fields.Count);
        for (int i = 0; i < fields.Count; i++)
        {
            if (!exists || !hash.TryGetExpiry(ctx.Args[fields.First + i], out long expireAtMs))
            {
                ctx.Reply.Integer(NoField);
            }
            else if (expireAtMs == Database.NoExpiry)
            {
                ctx.Reply.Integer(NoExpiry);
            }
            else
            {
                long shown = expireAtMs - baseMs;
                ctx.Reply.Integer(inSeconds ? (shown + 999) / 1000 : shown);
            }
        }
    }

    private static bool TryParseFields(CommandContext ctx, out FieldList fields)
    {
        if (FieldList.TryParse(
            ctx.Args, 2, "ERR Number of fields must be a positive integer"u8, out fields, out ReadOnlySpan<byte> error))
        {
            return true;
        }

        ctx.Reply.Error(error);
        return false;
    }
}
