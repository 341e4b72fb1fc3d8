using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;
using Ascii = System.Text.Ascii;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands that store and return whole strings.</summary>
/// <remarks>Semantics: redis.io/commands, group string. Counters, ranges of bytes and LCS are in further files.</remarks>
internal static partial class StringCommands
{
    private const string SetSyntax = "key value [condition:NX|XX]@2.6.12 [GET]@6.2.0 [expiration:EX seconds@2.6.12"
        + "|PX milliseconds@2.6.12|EXAT unix-time-seconds@6.2.0|PXAT unix-time-milliseconds@6.2.0|KEEPTTL@6.0.0]";

    private const string GetExSyntax = "key [expiration:EX seconds|PX milliseconds|EXAT unix-time-seconds"
        + "|PXAT unix-time-milliseconds|PERSIST]";

    /// <summary>Stores a string under a key, whatever was there before.</summary>
    /// <remarks>Replies OK; with GET the old string or null; null when NX or XX kept it from storing. A time to live is
    /// dropped unless KEEPTTL or a new one is given. O(1), allocates nothing.</remarks>
    [Command("SET", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Stores a string under a key, with conditions and an expiry on request.",
        Syntax = SetSyntax,
        History = "2.6.12: The options EX, PX, NX and XX.; 6.0.0: The option KEEPTTL.; "
            + "6.2.0: The options GET, EXAT and PXAT.; 7.0.0: NX and GET may be combined.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update | KeyAccess.Variable,
        Rule = KeyAccessRule.ReadsWithGet, Notes = "Reads the old value too when GET is given")]
    internal static void Set(CommandContext ctx)
    {
        if (ctx.Args.Count > 3)
        {
            SetWithOptions(ctx);
            return;
        }

        Key key = ctx.Key(1);
        Store(ctx, in key, valueIndex: 2);
        ctx.KeyChanged(in key, KeyEvent.Set);
        ctx.Reply.Ok();
    }

    /// <summary>Stores a string unless the key exists. Replies 1 or 0. O(1).</summary>
    [Command("SETNX", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)",
        Summary = "Stores a string under a key that does not exist yet.", Syntax = "key value")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Insert)]
    internal static void SetNx(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (ctx.Database.TryFind(key, LookupFlags.Write, out _))
        {
            ctx.Reply.Integer(0);
            return;
        }

        Store(ctx, in key, valueIndex: 2);
        ctx.KeyChanged(in key, KeyEvent.Set);
        ctx.Reply.Integer(1);
    }

    /// <summary>Stores a string that expires after so many seconds. O(1).</summary>
    [Command("SETEX", arity: 4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String, Since = "2.0.0",
        Complexity = "O(1)", Summary = "Stores a string with a time to live in seconds.",
        Syntax = "key seconds value")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    internal static void SetEx(CommandContext ctx) => SetExpiring(ctx, ExpiryKind.Seconds);

    /// <summary>Stores a string that expires after so many milliseconds. O(1).</summary>
    [Command("PSETEX", arity: 4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String,
        Since = "2.6.0", Complexity = "O(1)", Summary = "Stores a string with a time to live in milliseconds.",
        Syntax = "key milliseconds value")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    internal static void PSetEx(CommandContext ctx) => SetExpiring(ctx, ExpiryKind.Milliseconds);

    /// <summary>Replies with the string of a key, null without one. O(1), allocates nothing.</summary>
    [Command("GET", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.String, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Returns the string of a key.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Get(CommandContext ctx)
    {
        Lookup found = ctx.Database.FindForRead(ctx.Key(1), ValueType.String, out Entry entry);
        ReplyValue(ctx, found, in entry);
    }

    /// <summary>Replies with the string of a key and gives the key another expiry, or none. O(1).</summary>
    /// <remarks>The key is looked up before the expiry's number is read: a missing key is null whatever the number.
    /// An instant that is over deletes the key.</remarks>
    [Command("GETEX", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.String, Since = "6.2.0",
        Complexity = "O(1)", Summary = "Returns the string of a key and changes when the key expires.",
        Syntax = GetExSyntax)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update,
        Notes = "Changes the time to live")]
    internal static void GetEx(CommandContext ctx)
    {
        if (!GetExOptions.TryParse(ctx.Args, first: 2, out GetExOptions options))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForRead(key, ValueType.String, out Entry entry);
        if (found != Lookup.Found)
        {
            ReplyValue(ctx, found, in entry);
            return;
        }

        long expireAtMs = 0;
        if (options.Expiry.HasTime && !TryResolve(ctx, options.Expiry, out expireAtMs))
        {
            return;
        }

        ReplyValue(ctx, found, in entry);
        if (options.Expiry.IsAbsolute && ctx.HasPassed(expireAtMs))
        {
            ctx.DeleteExpired(in key);
        }
        else if (options.Expiry.HasTime)
        {
            ctx.Database.SetExpireAt(ref entry, expireAtMs);
            ctx.KeyChanged(in key, KeyEvent.Expire);
            ctx.PropagateAs("PEXPIREAT"u8, key.Bytes, expireAtMs);
        }
        else if (options.Expiry.Kind == ExpiryKind.Persist && ctx.Database.ClearExpire(ref entry))
        {
            ctx.KeyChanged(in key, KeyEvent.Persist);
            ctx.PropagateAs("PERSIST"u8, key.Bytes);
        }
    }

    /// <summary>Replies with the string of a key and deletes the key. O(1).</summary>
    [Command("GETDEL", arity: 2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.String, Since = "6.2.0",
        Complexity = "O(1)", Summary = "Returns a string value and deletes its key.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void GetDel(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForRead(key, ValueType.String, out Entry entry);
        ReplyValue(ctx, found, in entry); // Copied now: Delete frees the block.
        if (found == Lookup.Found)
        {
            ctx.Database.Delete(key);
            ctx.KeyChanged(in key, KeyEvent.Del);
            ctx.PropagateAs("DEL"u8, key.Bytes);
        }
    }

    /// <summary>Stores a string and replies with the one before; drops the time to live. O(1).</summary>
    [Command("GETSET", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)",
        Summary = "Stores a string under a key and returns the one it replaces.", Syntax = "key value",
        Deprecated = "6.2.0: SET with the option GET")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void GetSet(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForRead(key, ValueType.String, out Entry entry);
        ReplyValue(ctx, found, in entry);
        if (found != Lookup.WrongType)
        {
            Store(ctx, in key, valueIndex: 2);
            ctx.KeyChanged(in key, KeyEvent.Set);
            if (ctx.Propagates)
            {
                Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
                ctx.PropagateAs("SET"u8, key.Bytes, ctx.StoredArgument(in key, 2, scratch));
            }
        }
    }

    /// <summary>Replies with the strings of several keys; null for each that is missing or of another type.</summary>
    [Command("MGET", arity: -2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.String, Since = "1.0.0",
        Complexity = "O(N) in the keys.", Summary = "Returns the strings of several keys.", Syntax = "key...",
        Tips = "request_policy:multi_shard")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void MGet(CommandContext ctx)
    {
        int count = ctx.Args.Count;
        ctx.Reply.Array(count - 1);
        for (int i = 1; i < count; i++)
        {
            Lookup found = ctx.Database.FindForRead(ctx.Key(i), ValueType.String, out Entry entry);
            ReplyValue(ctx, found == Lookup.WrongType ? Lookup.Missing : found, in entry);
        }
    }

    /// <summary>Stores several strings at once, one after the other as SET does. O(N) in the keys.</summary>
    [Command("MSET", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String, Since = "1.0.1",
        Complexity = "O(N) in the keys.", Summary = "Stores strings under several keys at once.",
        Syntax = "(key value)...", Tips = "request_policy:multi_shard response_policy:all_succeeded")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update, Last = -1, Step = 2)]
    internal static void MSet(CommandContext ctx)
    {
        if (ctx.Args.Count % 2 == 0)
        {
            ctx.WrongArity();
            return;
        }

        StorePairs(ctx);
        ctx.Reply.Ok();
    }

    /// <summary>Stores several strings unless any of the keys exists. Replies 1 or 0. O(N) in the keys.</summary>
    [Command("MSETNX", arity: -3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String,
        Since = "1.0.1", Complexity = "O(N) in the keys.",
        Summary = "Stores strings under several keys, none of which may exist yet.", Syntax = "(key value)...",
        Tips = "request_policy:multi_shard response_policy:agg_min")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Insert, Last = -1, Step = 2)]
    internal static void MSetNx(CommandContext ctx)
    {
        int count = ctx.Args.Count;
        if (count % 2 == 0)
        {
            ctx.WrongArity();
            return;
        }

        for (int i = 1; i < count; i += 2)
        {
            if (ctx.Database.TryFind(ctx.Key(i), LookupFlags.Write, out _))
            {
                ctx.Reply.Integer(0);
                return;
            }
        }

        StorePairs(ctx);
        ctx.Reply.Integer(1);
    }

    private static void SetWithOptions(CommandContext ctx)
    {
        if (!SetOptions.TryParse(ctx.Args, first: 3, out SetOptions options))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        long expireAtMs = options.Expiry.Kind == ExpiryKind.KeepTtl ? Database.KeepExpiry : Database.NoExpiry;
        if (options.Expiry.HasTime && !TryResolve(ctx, options.Expiry, out expireAtMs))
        {
            return;
        }

        Key key = ctx.Key(1);
        if (options.Get)
        {
            Lookup old = ctx.Database.FindForRead(key, ValueType.String, out Entry entry);
            ReplyValue(ctx, old, in entry);
            if (old == Lookup.WrongType)
            {
                return;
            }
        }

        if (options.Condition != SetCondition.Always
            && ctx.Database.TryFind(key, LookupFlags.Write, out _) != (options.Condition == SetCondition.IfPresent))
        {
            if (!options.Get)
            {
                ctx.Reply.Null();
            }

            return;
        }

        Store(ctx, in key, valueIndex: 2, expireAtMs);
        ctx.KeyChanged(in key, KeyEvent.Set);
        if (options.Expiry.HasTime)
        {
            ctx.KeyChanged(in key, KeyEvent.Expire, changes: 0);
            PropagateExpiring(ctx, in key, valueIndex: 2, expireAtMs);
        }
        else if (options.Get)
        {
            PropagateWithoutGet(ctx, in key);
        }

        if (!options.Get)
        {
            ctx.Reply.Ok();
        }
    }

    private static void SetExpiring(CommandContext ctx, ExpiryKind kind)
    {
        if (!TryResolve(ctx, new ExpiryOption(kind, ArgIndex: 2), out long expireAtMs))
        {
            return;
        }

        Key key = ctx.Key(1);
        Store(ctx, in key, valueIndex: 3, expireAtMs);
        ctx.KeyChanged(in key, KeyEvent.Set);
        ctx.KeyChanged(in key, KeyEvent.Expire, changes: 0);
        PropagateExpiring(ctx, in key, valueIndex: 3, expireAtMs);
        ctx.Reply.Ok();
    }

    private static void StorePairs(CommandContext ctx)
    {
        int count = ctx.Args.Count;
        for (int i = 1; i < count; i += 2)
        {
            Key key = ctx.Key(i);
            if (ctx.Propagates)
            {
                // A block that becomes a value may be replaced by the next pair: what is passed on must outlive that.
                ctx.Database.SetString(
                    key, ctx.Args[i + 1], Database.NoExpiry, ctx.Server.Config.LazyFreeLazyServerDel);
            }
            else
            {
                Store(ctx, in key, valueIndex: i + 1);
            }

            ctx.KeyChanged(in key, KeyEvent.Set);
        }
    }

    /// <summary>Passes on that a value was stored until an instant, whatever form the time had.</summary>
    private static void PropagateExpiring(CommandContext ctx, in Key key, int valueIndex, long expireAtMs)
    {
        if (ctx.Propagates)
        {
            Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
            ctx.PropagateAs("SET"u8, key.Bytes, ctx.StoredArgument(in key, valueIndex, scratch), "PXAT"u8, expireAtMs);
        }
    }

    /// <summary>Passes a SET on as it came, but for the wish to have the old value.</summary>
    private static void PropagateWithoutGet(CommandContext ctx, in Key key)
    {
        Arguments args = ctx.Args;
        int getIndex = 3;
        while (!Ascii.EqualsIgnoreCase(args[getIndex], "GET"u8))
        {
            getIndex++;
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        if (ctx.BeginPropagation(args.Count - 1) is { } log)
        {
            for (int i = 0; i < args.Count; i++)
            {
                if (i != getIndex)
                {
                    log.Argument(ctx.StoredArgument(in key, i, scratch));
                }
            }
        }
    }

    /// <summary>Reads an expiry's number, or replies with what is wrong with it.</summary>
    private static bool TryResolve(CommandContext ctx, ExpiryOption expiry, out long expireAtMs)
    {
        switch (expiry.Resolve(ctx.Args, ctx.NowMs, out expireAtMs))
        {
            case ExpiryFault.NotAnInteger:
                ctx.Reply.Error(CommandError.NotAnInteger);
                return false;
            case ExpiryFault.Invalid:
                ctx.Reply.Error(CommandError.InvalidExpire(ctx.Command.DisplayName));
                return false;
            default:
                return true;
        }
    }

    /// <summary>Stores an argument as the value of a key.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="valueIndex">Which argument.</param>
    /// <param name="expireAtMs">When it expires, or one of the constants of <see cref="Database"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        CommandContext ctx, in Key key, int valueIndex, long expireAtMs = Database.NoExpiry)
    {
        Arguments args = ctx.Args;
        bool lazily = ctx.Server.Config.LazyFreeLazyServerDel;
        if (args.IsLarge(valueIndex))
        {
            StoreLarge(ctx, in key, valueIndex, expireAtMs, lazily);
            return;
        }

        ctx.Database.SetString(key, args[valueIndex], expireAtMs, lazily);
    }

    /// <summary>Stores an argument that was received into a block of its own, which becomes the value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreLarge(CommandContext ctx, in Key key, int valueIndex, long expireAtMs, bool lazily)
    {
        using LargeBulk bulk = ctx.Args.TakeLarge(valueIndex)!;
        if (bulk is LargeBulkBridge.Bulk { String: { } block })
        {
            ctx.Database.AdoptString(key, block, expireAtMs, lazily);
        }
        else
        {
            ctx.Database.SetString(key, bulk.Span, expireAtMs, lazily);
        }
    }

    /// <summary>Replies with the string that a look-up found, null or the error of the wrong type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReplyValue(CommandContext ctx, Lookup found, in Entry entry)
    {
        if (found == Lookup.Found)
        {
            Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
            ctx.Reply.BulkString(entry.GetStringSpan(scratch));
        }
        else if (found == Lookup.Missing)
        {
            ctx.Reply.Null();
        }
        else
        {
            ctx.Reply.Error(CommandError.WrongType);
        }
    }
}
