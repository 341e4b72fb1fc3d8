using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <content>Strings as numbers.</content>
internal static partial class StringCommands
{
    /// <summary>Adds one to an integer; a missing key counts as 0. Keeps the time to live. O(1).</summary>
    [Command("INCR", arity: 2, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)", Summary = "Adds one to an integer.",
        Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void Incr(CommandContext ctx) => Increment(ctx, 1);

    /// <summary>Takes one from an integer; a missing key counts as 0. Keeps the time to live. O(1).</summary>
    [Command("DECR", arity: 2, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)", Summary = "Takes one from an integer.",
        Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void Decr(CommandContext ctx) => Increment(ctx, -1);

    /// <summary>Adds to an integer; the increment may be negative. O(1).</summary>
    [Command("INCRBY", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)", Summary = "Adds a number to an integer.",
        Syntax = "key increment")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void IncrBy(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long increment))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        Increment(ctx, increment);
    }

    /// <summary>Takes from an integer; the decrement may be negative. O(1).</summary>
    [Command("DECRBY", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "1.0.0", Complexity = "O(1)", Summary = "Takes a number from an integer.",
        Syntax = "key decrement")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void DecrBy(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long decrement))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (decrement == long.MinValue)
        {
            ctx.Reply.Error("ERR decrement would overflow"u8);
            return;
        }

        Increment(ctx, -decrement);
    }

    /// <summary>Adds to a decimal number, in extended precision, and stores and replies with its text. O(1).</summary>
    [Command("INCRBYFLOAT", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "2.6.0", Complexity = "O(1)",
        Summary = "Adds a decimal number to one.", Syntax = "key increment:double")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void IncrByFloat(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        ExtendedDouble value = default;
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        if ((found == Lookup.Found && !ExtendedDouble.TryParse(entry.GetStringSpan(scratch), out value))
            || !ExtendedDouble.TryParse(ctx.Args[2], out ExtendedDouble increment))
        {
            ctx.Reply.Error(CommandError.NotAFloat);
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
        // The text stays a text even when it reads as an integer: OBJECT ENCODING shows it.
        ctx.Database.SetText(key, text, Database.KeepExpiry);
        ctx.KeyChanged(in key, KeyEvent.IncrByFloat);
        ctx.PropagateAs("SET"u8, key.Bytes, text, "KEEPTTL"u8);
        ctx.Reply.BulkString(text);
    }

    private static void Increment(CommandContext ctx, long increment)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        long value = 0;
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        if (found == Lookup.Found && !entry.TryGetInteger(out value))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        long sum = unchecked(value + increment);
        // Overflow shows in the sign: both operands have one, the sum has the other.
        if (((value ^ sum) & (increment ^ sum)) < 0)
        {
            ctx.Reply.Error(CommandError.Overflow);
            return;
        }

        if (found == Lookup.Found)
        {
            ctx.Database.SetInteger(ref entry, sum);
        }
        else
        {
            ctx.Database.SetInteger(key, sum);
        }

        ctx.KeyChanged(in key, KeyEvent.IncrBy);
        ctx.Reply.Integer(sum);
    }
}
