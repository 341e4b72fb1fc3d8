using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <content>Parts of strings.</content>
internal static partial class StringCommands
{
    private const string RangeComplexity = "O(N) in the bytes returned.";

    /// <summary>Appends to a string, or stores it where there is none. Replies with the new length.</summary>
    [Command("APPEND", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.String, Since = "2.0.0",
        Complexity = "O(1) for short values; the room of a growing string doubles, so many appends are O(1) each.",
        Summary = "Appends to a string, creating it when missing.", Syntax = "key value")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void Append(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        ReadOnlySpan<byte> value = ctx.Args[2];
        long length = value.Length;
        if (found == Lookup.Missing)
        {
            Store(ctx, in key, valueIndex: 2);
        }
        else
        {
            long before = entry.StringLength;
            length += before;
            if (!FitsString(ctx, length))
            {
                return;
            }

            ctx.Database.EditString(
                ref entry, length, out Span<byte> whole, changedFrom: before, changedBytes: value.Length);
            value.CopyTo(whole[(int)before..]);
        }

        ctx.KeyChanged(in key, KeyEvent.Append);
        ctx.Reply.Integer(length);
    }

    /// <summary>Replies with the length of a string in bytes, 0 for a missing key. O(1).</summary>
    [Command("STRLEN", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.String,
        Since = "2.2.0", Complexity = "O(1)", Summary = "Returns the length of a string in bytes.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void StrLen(CommandContext ctx)
    {
        switch (ctx.Database.FindForRead(ctx.Key(1), ValueType.String, out Entry entry))
        {
            case Lookup.Missing: ctx.Reply.Integer(0); return;
            case Lookup.WrongType: ctx.Reply.Error(CommandError.WrongType); return;
            default: ctx.Reply.Integer(entry.StringLength); return;
        }
    }

    /// <summary>Replies with part of a string; both ends count, negative indexes count from the end.</summary>
    [Command("GETRANGE", arity: 4, CommandFlags.ReadOnly, Group = CommandGroup.String, Since = "2.4.0",
        Complexity = RangeComplexity, Summary = "Returns part of a string.", Syntax = "key start end")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GetRange(CommandContext ctx) => ReplyRange(ctx);

    /// <summary>The old name of GETRANGE.</summary>
    [Command("SUBSTR", arity: 4, CommandFlags.ReadOnly, Group = CommandGroup.String, Since = "1.0.0",
        Complexity = RangeComplexity, Summary = "Returns part of a string.", Syntax = "key start end",
        Deprecated = "2.0.0: GETRANGE")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void SubStr(CommandContext ctx) => ReplyRange(ctx);

    /// <summary>Overwrites part of a string from an offset on, filling up with zero bytes. Replies with the new length.
    /// </summary>
    /// <remarks>An empty value changes and creates nothing.</remarks>
    [Command("SETRANGE", arity: 4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.String,
        Since = "2.2.0", Complexity = "O(N) in the bytes written, plus those filled up.",
        Summary = "Overwrites part of a string, growing it as needed.", Syntax = "key offset value")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void SetRange(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long offset))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (offset < 0)
        {
            ctx.Reply.Error("ERR offset is out of range"u8);
            return;
        }

        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        ReadOnlySpan<byte> value = ctx.Args[3];
        long before = found == Lookup.Found ? entry.StringLength : 0;
        if (value.IsEmpty)
        {
            ctx.Reply.Integer(before);
            return;
        }

        long end = offset > long.MaxValue - value.Length ? long.MaxValue : offset + value.Length;
        if (!FitsString(ctx, end))
        {
            return;
        }

        long length = Math.Max(before, end);
        if (!TryOpen(ctx, in key, found, ref entry, length, offset, value.Length, out Span<byte> whole))
        {
            return;
        }

        value.CopyTo(whole[(int)offset..]);
        ctx.KeyChanged(in key, KeyEvent.SetRange);
        ctx.Reply.Integer(length);
    }

    private static void ReplyRange(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long start) || !Numbers.TryParseInt64(ctx.Args[3], out long end))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        switch (ctx.Database.FindForRead(ctx.Key(1), ValueType.String, out Entry entry))
        {
            case Lookup.Missing: ctx.Reply.BulkString(""u8); return;
            case Lookup.WrongType: ctx.Reply.Error(CommandError.WrongType); return;
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> value = entry.GetStringSpan(scratch);
        (int first, int length) = CutRange(start, end, value.Length);
        ctx.Reply.BulkString(value.Slice(first, length));
    }

    /// <summary>Turns indexes as clients give them, -1 the last byte, into a part of a string that exists.</summary>
    internal static (int First, int Length) CutRange(long start, long end, int length)
    {
        if (start < 0 && end < 0 && start > end)
        {
            return (0, 0);
        }

        start = start < 0 ? Math.Max(0, length + start) : start;
        end = Math.Min(end < 0 ? Math.Max(0, length + end) : end, length - 1);
        return start > end ? (0, 0) : ((int)start, (int)(end - start + 1));
    }

    /// <summary>Opens a string for changes, made of zero bytes where the key is missing and filled up with them where it
    /// is shorter; replies when it cannot.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The key.</param>
    /// <param name="found">What <see cref="Database.FindForWrite"/> found: missing or found.</param>
    /// <param name="entry">The entry it found; stays valid.</param>
    /// <param name="lengthBytes">Its length afterwards, at least the present one.</param>
    /// <param name="changedFrom">The first byte that will be written to.</param>
    /// <param name="changedBytes">How many may be written to from there.</param>
    /// <param name="bytes">The whole string, valid until the next change of the database.</param>
    /// <returns>False, with the error written, when no string can be that long.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    internal static bool TryOpen(
        CommandContext ctx,
        in Key key,
        Lookup found,
        ref Entry entry,
        long lengthBytes,
        long changedFrom,
        long changedBytes,
        out Span<byte> bytes)
    {
        if (lengthBytes > Array.MaxLength)
        {
            ctx.Reply.Error(CommandError.AllocationFailed);
            bytes = default;
            return false;
        }

        if (found == Lookup.Found)
        {
            ctx.Database.EditString(ref entry, lengthBytes, out bytes, changedFrom, changedBytes);
        }
        else
        {
            entry = ctx.Database.CreateString(key, (int)lengthBytes, out bytes);
        }

        return true;
    }

    /// <summary>Replies with an error when a string of this length is not allowed.</summary>
    internal static bool FitsString(CommandContext ctx, long lengthBytes)
    {
        if (lengthBytes <= ctx.Server.Config.ProtoMaxBulkLenBytes)
        {
            return true;
        }

        ctx.Reply.Error(CommandError.StringTooLong);
        return false;
    }
}
