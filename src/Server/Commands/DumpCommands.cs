using System.Text;
using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Server.Config;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>DUMP and RESTORE: single values in the form of RDB files.</summary>
/// <remarks>Semantics: redis.io/commands/dump and restore. Payloads go to redis-server 7.0 and come from servers up to
/// version 12 of the format.</remarks>
internal static class DumpCommands
{
    /// <summary>Replies with the key's value as RESTORE takes it, or null. O(value).</summary>
    [Command("DUMP", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "2.6.0",
        Complexity = "O(1), plus O(N*M) for N elements of M bytes.",
        Summary = "Serializes a key's value.", Syntax = "key", Acl = "keyspace", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void Dump(CommandContext ctx)
    {
        if (!ctx.Database.TryFind(ctx.Key(1), ctx.Server.Keyspace.AccessFlags, out Entry entry))
        {
            ctx.Reply.Null();
            return;
        }

        RdbOutput output = ctx.Server.DumpOutput;
        RdbPayload.Write(output, ctx.Database, entry, ctx.Server.Config.RdbCompression);
        ctx.Reply.BulkString(output.Buffered);
        output.Clear();
    }

    /// <summary>Gives a serialized value to a key. The payload is validated whole first: an error changes nothing.
    /// </summary>
    [Command("RESTORE", arity: -4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Generic,
        Since = "2.6.0", Complexity = "O(1), plus O(N*M) for N elements of M bytes.",
        Summary = "Makes a key of a serialized value.",
        Syntax = "key ttl serialized-value [REPLACE]@3.0.0 [ABSTTL]@5.0.0 [IDLETIME seconds]@5.0.0 [FREQ frequency]@5.0.0",
        Acl = "keyspace dangerous",
        History = "3.0.0: Added REPLACE.; 5.0.0: Added ABSTTL.; 5.0.0: Added IDLETIME and FREQ.")]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    internal static void Restore(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!RestoreOptions.TryParse(args, out RestoreOptions options, out byte[] error))
        {
            ctx.Reply.Error(error);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = ctx.Database.TryFind(key, LookupFlags.Write | LookupFlags.NoTouch, out _);
        if (exists && !options.Replace)
        {
            ctx.Reply.Error(CommandError.BusyKey);
            return;
        }

        if (!Numbers.TryParseInt64(args[2], out long ttlMs))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (ttlMs < 0)
        {
            ctx.Reply.Error(CommandError.InvalidTtl);
            return;
        }

        if (!RdbPayload.HasValidFooter(args[3], ctx.Server.IgnoresChecksums))
        {
            ctx.Reply.Error(CommandError.BadPayloadFooter);
            return;
        }

        long expireAtMs = ExpireAt(ctx, ttlMs, options.AbsoluteTtl);
        Restore(ctx, key, expireAtMs, options.Hint, exists);
        if (ctx.Changes > 0 && ttlMs > 0 && !options.AbsoluteTtl)
        {
            PropagateAbsolute(ctx, expireAtMs);
        }
    }

    private static void Restore(CommandContext ctx, in Key key, long expireAtMs, AccessHint hint, bool exists)
    {
        if (expireAtMs != Database.NoExpiry && ctx.HasPassed(expireAtMs))
        {
            RestoreExpired(ctx, key, exists);
            return;
        }

        if (!RdbPayload.TryRestore(
            ctx.Database, key, ctx.Args[3], expireAtMs, ConfiguredLimits.Of(ctx.Server.Config), out string reason))
        {
            ReplyBadPayload(ctx, reason);
            return;
        }

        if (hint.Kind != AccessHintKind.None)
        {
            ctx.Database.SetAccess(key, hint);
        }

        if (exists)
        {
            ctx.KeyIsNew(key); // It counts as deleted and made anew.
        }

        ctx.KeyChanged(key, KeyEvent.Restore);
        ctx.Reply.Ok();
    }

    // The same request with an instant instead of a time that counts from now.
    private static void PropagateAbsolute(CommandContext ctx, long expireAtMs)
    {
        Arguments args = ctx.Args;
        if (ctx.BeginPropagation(args.Count + 1) is { } log)
        {
            for (int i = 0; i < args.Count; i++)
            {
                if (i == 2)
                {
                    log.Argument(expireAtMs);
                }
                else
                {
                    log.Argument(args[i]);
                }
            }

            log.Argument("ABSTTL"u8);
        }
    }

    // The time is over already: what the key held goes, as if the new value had come and expired.
    private static void RestoreExpired(CommandContext ctx, in Key key, bool exists)
    {
        if (!RdbPayload.TryValidate(ctx.Args[3], out string reason))
        {
            ReplyBadPayload(ctx, reason);
            return;
        }

        if (exists)
        {
            ctx.Database.Delete(key);
            ctx.KeyChanged(key, KeyEvent.Del);
            ctx.PropagateAs("DEL"u8, key.Bytes);
        }

        ctx.Reply.Ok();
    }

    private static long ExpireAt(CommandContext ctx, long ttlMs, bool isAbsolute)
    {
        if (ttlMs == 0)
        {
            return Database.NoExpiry;
        }

        return isAbsolute || ttlMs > long.MaxValue - ctx.NowMs ? ttlMs : ttlMs + ctx.NowMs;
    }

    // Values that are sound but of no type we have say so; clients look at the beginning only.
    private static void ReplyBadPayload(CommandContext ctx, string reason)
    {
        if (reason.Length == 0)
        {
            ctx.Reply.Error(CommandError.BadPayload);
            return;
        }

        ctx.Reply.Error([.. CommandError.BadPayload, .. Encoding.ASCII.GetBytes(": " + reason)]);
    }
}
