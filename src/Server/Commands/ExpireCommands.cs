using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Giving keys an end, asking for it, taking it away.</summary>
/// <remarks>Semantics: redis.io/commands/expire and kin. Instants are ms since the Unix epoch.</remarks>
internal static class ExpireCommands
{
    private const string Condition = "[condition:NX|XX|GT|LT]@7.0.0";
    private const string ConditionHistory = "7.0.0: The conditions NX, XX, GT and LT.";
    private const long NoExpiry = -1;

    /// <summary>Lets a key expire after so many seconds; deletes it when they are not positive.</summary>
    [Command("EXPIRE", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Sets a key's time to live in seconds.",
        Syntax = "key seconds " + Condition, Acl = "keyspace", History = ConditionHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void Expire(CommandContext ctx) => SetExpiry(ctx, ctx.NowMs, inSeconds: true);

    /// <summary>Lets a key expire after so many milliseconds.</summary>
    [Command("PEXPIRE", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "2.6.0", Complexity = "O(1)", Summary = "Sets a key's time to live in milliseconds.",
        Syntax = "key milliseconds " + Condition, Acl = "keyspace", History = ConditionHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void PExpire(CommandContext ctx) => SetExpiry(ctx, ctx.NowMs, inSeconds: false);

    /// <summary>Lets a key expire at an instant in seconds since the Unix epoch.</summary>
    [Command("EXPIREAT", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "1.2.0", Complexity = "O(1)", Summary = "Sets the second at which a key expires.",
        Syntax = "key unix-time-seconds " + Condition, Acl = "keyspace", History = ConditionHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void ExpireAt(CommandContext ctx) => SetExpiry(ctx, baseMs: 0, inSeconds: true);

    /// <summary>Lets a key expire at an instant in ms since the Unix epoch.</summary>
    [Command("PEXPIREAT", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "2.6.0", Complexity = "O(1)", Summary = "Sets the millisecond at which a key expires.",
        Syntax = "key unix-time-milliseconds " + Condition, Acl = "keyspace", History = ConditionHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void PExpireAt(CommandContext ctx) => SetExpiry(ctx, baseMs: 0, inSeconds: false);

    /// <summary>Replies with the seconds a key has left, rounded; -1 without an end, -2 without a key.</summary>
    [Command("TTL", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Tells how many seconds a key has left.", Syntax = "key", Acl = "keyspace",
        Tips = "nondeterministic_output", History = "2.8.0: Replies -2 for a missing key.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Ttl(CommandContext ctx) => ReplyExpiry(ctx, ctx.NowMs, inSeconds: true);

    /// <summary>Replies with the milliseconds a key has left; -1 without an end, -2 without a key.</summary>
    [Command("PTTL", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "2.6.0",
        Complexity = "O(1)", Summary = "Tells how many milliseconds a key has left.", Syntax = "key",
        Acl = "keyspace", Tips = "nondeterministic_output", History = "2.8.0: Replies -2 for a missing key.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void PTtl(CommandContext ctx) => ReplyExpiry(ctx, ctx.NowMs, inSeconds: false);

    /// <summary>Replies with the second at which a key expires; -1 without an end, -2 without a key.</summary>
    [Command("EXPIRETIME", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "7.0.0", Complexity = "O(1)", Summary = "Tells the second at which a key expires.", Syntax = "key",
        Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void ExpireTime(CommandContext ctx) => ReplyExpiry(ctx, baseMs: 0, inSeconds: true);

    /// <summary>Replies with the millisecond at which a key expires; -1 without an end, -2 without a key.</summary>
    [Command("PEXPIRETIME", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Generic,
        Since = "7.0.0", Complexity = "O(1)", Summary = "Tells the millisecond at which a key expires.",
        Syntax = "key", Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void PExpireTime(CommandContext ctx) => ReplyExpiry(ctx, baseMs: 0, inSeconds: false);

    /// <summary>Takes a key's expiry away; replies 1 when it had one.</summary>
    [Command("PERSIST", arity: 2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Generic, Since = "2.2.0",
        Complexity = "O(1)", Summary = "Removes a key's expiry.", Syntax = "key", Acl = "keyspace")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void Persist(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!ctx.Database.TryFind(key, LookupFlags.Write, out Entry entry) || !ctx.Database.ClearExpire(ref entry))
        {
            ctx.Reply.Integer(0);
            return;
        }

        ctx.KeyChanged(key, KeyEvent.Persist);
        ctx.Reply.Integer(1);
    }

    private static void SetExpiry(CommandContext ctx, long baseMs, bool inSeconds)
    {
        if (!ExpireOptions.TryParse(ctx.Args, start: 3, out ExpireOptions options, out byte[] error))
        {
            ctx.Reply.Error(error);
            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[2], out long time))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (!TryMakeInstant(time, baseMs, inSeconds, out long expireAtMs))
        {
            ctx.Reply.Error(CommandError.InvalidExpire(ctx.Command.DisplayName));
            return;
        }

        Key key = ctx.Key(1);
        if (!ctx.Database.TryFind(key, LookupFlags.Write, out Entry entry)
            || !options.Allow(entry.ExpireAtMs, expireAtMs))
        {
            ctx.Reply.Integer(0);
            return;
        }

        if (ctx.HasPassed(expireAtMs))
        {
            ctx.DeleteExpired(in key);
        }
        else
        {
            ctx.Database.SetExpireAt(ref entry, expireAtMs);
            ctx.KeyChanged(key, KeyEvent.Expire);
            ctx.PropagateAs("PEXPIREAT"u8, key.Bytes, expireAtMs);
        }

        ctx.Reply.Integer(1);
    }

    private static bool TryMakeInstant(long time, long baseMs, bool inSeconds, out long expireAtMs)
    {
        expireAtMs = 0;
        if (inSeconds)
        {
            if (time is > long.MaxValue / 1000 or < long.MinValue / 1000)
            {
                return false;
            }

            time *= 1000;
        }

        if (time > long.MaxValue - baseMs)
        {
            return false;
        }

        expireAtMs = time + baseMs;
        return true;
    }

    private static void ReplyExpiry(CommandContext ctx, long baseMs, bool inSeconds)
    {
        if (!ctx.Database.TryFind(ctx.Key(1), LookupFlags.NoTouch, out Entry entry))
        {
            ctx.Reply.Integer(-2);
            return;
        }

        long expireAtMs = entry.ExpireAtMs;
        if (expireAtMs == NoExpiry)
        {
            ctx.Reply.Integer(-1);
            return;
        }

        long shown = Math.Max(0, expireAtMs - baseMs);
        ctx.Reply.Integer(inSeconds ? (shown / 1000) + (shown % 1000 >= 500 ? 1 : 0) : shown);
    }
}
