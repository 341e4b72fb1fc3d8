using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <content>Values of fields as numbers.</content>
internal static partial class HashCommands
{
    /// <summary>Adds to an integer; a missing field counts as 0. Keeps the field's time to live. O(1).</summary>
    [Command("HINCRBY", arity: 4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "2.0.0", Complexity = "O(1)",
        Summary = "Adds a number to the integer of a field.", Syntax = "key field increment")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void HIncrBy(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[3], out long increment))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        ReadOnlySpan<byte> field = ctx.Args[2];
        long value = 0;
        if (exists && hash.TryGet(field, out PackedElement current) && !TryGetInteger(current, out value))
        {
            ctx.Reply.Error("ERR hash value is not an integer"u8);
            return;
        }

        long sum = unchecked(value + increment);

        // Overflow shows in the sign: both operands have one, the sum has the other.
        if (((value ^ sum) & (increment ^ sum)) < 0)
        {
            ctx.Reply.Error(CommandError.Overflow);
            return;
        }

        Span<byte> text = stackalloc byte[Numbers.MaxInt64Chars];
        text = text[..Numbers.FormatInt64(sum, text)];
        Store(ctx, key, exists, ref hash, field, text);
        ctx.KeyChanged(key, KeyEvent.HIncrBy);
        ctx.Reply.Integer(sum);
    }

    /// <summary>Adds to a decimal number, in extended precision, and stores and replies with its text. O(1).</summary>
    [Command("HINCRBYFLOAT", arity: 4, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.Hash, Since = "2.6.0", Complexity = "O(1)",
        Summary = "Adds a decimal number to that of a field.", Syntax = "key field increment:double")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void HIncrByFloat(CommandContext ctx)
    {
        if (!ExtendedDouble.TryParse(ctx.Args[3], out ExtendedDouble increment))
        {
            ctx.Reply.Error(CommandError.NotAFloat);
            return;
        }

        if (!increment.IsFinite)
        {
            ctx.Reply.Error("ERR value is NaN or Infinity"u8);
            return;
        }

        Key key = ctx.Key(1);
        bool exists = TryOpenForWrite(ctx, key, out HashValue hash, out bool replied);
        if (replied)
        {
            return;
        }

        ReadOnlySpan<byte> field = ctx.Args[2];
        ExtendedDouble value = default;
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        if (exists
            && hash.TryGet(field, out PackedElement current)
            && !ExtendedDouble.TryParse(current.AsText(scratch), out value))
        {
            ctx.Reply.Error("ERR hash value is not a float"u8);
            return;
        }

        ExtendedDouble sum = value + increment;
        if (!sum.IsFinite)
        {
            ctx.Reply.Error(CommandError.NanOrInfinity);
            return;
        }

        Span<byte> text = stackalloc byte[ExtendedDouble.MaxChars];
        text = text[..sum.Format(text)];
        Store(ctx, key, exists, ref hash, field, text);
        ctx.KeyChanged(key, KeyEvent.HIncrByFloat);
        PropagateResult(ctx, key, exists, in hash, field, text);
        ctx.Reply.BulkString(text);
    }

    // The sum itself: another machine may add in another precision. A field's expiry stays, which HSET would end.
    private static void PropagateResult(
        CommandContext ctx,
        Key key,
        bool exists,
        in HashValue hash,
        ReadOnlySpan<byte> field,
        scoped ReadOnlySpan<byte> text)
    {
        if (!exists || !hash.TryGetExpiry(field, out long expireAtMs) || expireAtMs == Database.NoExpiry)
        {
            ctx.PropagateAs("HSET"u8, key.Bytes, field, text);
        }
        else if (ctx.BeginPropagation(7) is { } log)
        {
            log.Argument("HSETEX"u8);
            log.Argument(key.Bytes);
            log.Argument("KEEPTTL"u8);
            log.Argument("FIELDS"u8);
            log.Argument(1);
            log.Argument(field);
            log.Argument(text);
        }
    }

    private static bool TryGetInteger(PackedElement element, out long value)
    {
        value = element.Integer;
        return element.IsInteger || Numbers.TryParseInt64(element.Bytes, out value);
    }

    private static void Store(
        CommandContext ctx,
        Key key,
        bool exists,
        scoped ref HashValue hash,
        ReadOnlySpan<byte> field,
        scoped ReadOnlySpan<byte> text)
    {
        if (exists)
        {
            hash.SetKeepingExpiry(field, text);
        }
        else
        {
            HashValue.InsertSingle(ctx.Database, key, field, text, LimitsOf(ctx));
        }
    }
}
