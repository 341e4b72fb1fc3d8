using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Taking elements from the ends of lists.</summary>
/// <remarks>Semantics: redis.io/commands, group list.</remarks>
internal static class ListPopCommands
{
    private const string CountAdded = "6.2.0: The count argument.";

    /// <summary>Removes the first element and replies with it, or up to <c>count</c> of them as an array.</summary>
    [Command("LPOP", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(N) in the elements returned.", Summary = "Removes the first elements of a list and returns them.",
        Syntax = "key [count]@6.2.0", History = CountAdded)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void LPop(CommandContext ctx) => Pop(ctx, atHead: true);

    /// <summary>Removes the last element and replies with it, or up to <c>count</c> of them, the last one first.</summary>
    [Command("RPOP", arity: -2, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(N) in the elements returned.", Summary = "Removes the last elements of a list and returns them.",
        Syntax = "key [count]@6.2.0", History = CountAdded)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    internal static void RPop(CommandContext ctx) => Pop(ctx, atHead: false);

    /// <summary>Pops from the first of several lists that is not empty; replies with its key and the elements, or
    /// null. Propagated as LPOP or RPOP.</summary>
    [Command("LMPOP", arity: -4, CommandFlags.Write, Group = CommandGroup.List, Since = "7.0.0",
        Complexity = "O(N+M) for N keys and M elements returned.",
        Summary = "Removes elements at an end of the first list that has some, and returns them.",
        Syntax = "numkeys key... where:(LEFT|RIGHT) [COUNT count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, NumKeysAt = 1)]
    internal static void LMPop(CommandContext ctx) => PopMultiple(ctx, numKeysIndex: 1, timeoutIndex: 0);

    /// <summary>LMPOP and BLMPOP, from the number of keys on.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="numKeysIndex">Where the number of keys stands.</param>
    /// <param name="timeoutIndex">Where it stands how long to wait for an element, which is looked at last; 0 for a call
    /// that does not wait.</param>
    internal static void PopMultiple(CommandContext ctx, int numKeysIndex, int timeoutIndex)
    {
        Arguments args = ctx.Args;
        int firstKey = numKeysIndex + 1;
        if (!Numbers.TryParseInt64(args[numKeysIndex], out long keyCount) || keyCount < 1)
        {
            ctx.Reply.Error("ERR numkeys should be greater than 0"u8);
            return;
        }

        if (keyCount > args.Count - firstKey - 1 || !TryParseEnd(args[firstKey + (int)keyCount], out bool atHead))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        long endsAtMs = ListMoveCommands.NoWait;
        if (!TryParseCount(ctx, firstKey + (int)keyCount + 1, out long count)
            || (timeoutIndex > 0 && !BlockingTimeout.TryRead(ctx, timeoutIndex, out endsAtMs)))
        {
            return;
        }

        if (ctx.TryFindFirstForWrite(
            firstKey, (int)keyCount, KvServer.Storage.ValueType.List, out Key key, out Entry entry, out bool replied))
        {
            ListValue list = ListValue.Open(ctx.Database, entry, ListCommands.LimitsOf(ctx));
            ctx.Reply.Array(2);
            ctx.Reply.BulkString(key.Bytes);
            ctx.PropagateAs(atHead ? "LPOP"u8 : "RPOP"u8, key.Bytes, Math.Min(count, list.Count));
            PopRange(ctx, key, ref list, atHead, count);
            return;
        }

        if (replied)
        {
            return;
        }

        if (endsAtMs == ListMoveCommands.NoWait)
        {
            ctx.Reply.NullArray();
        }
        else
        {
            ctx.WaitForKeys(firstKey, (int)keyCount, endsAtMs);
        }
    }

    /// <summary>Removes one element of a list and replies with it.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The list's key.</param>
    /// <param name="list">The list, opened for a write; it has elements.</param>
    /// <param name="atHead">The first one rather than the last.</param>
    internal static void PopOne(CommandContext ctx, Key key, ref ListValue list, bool atHead)
    {
        list.PrepareRemoveEnd(atHead);
        ListCommands.Write(ctx.Reply, list.Peek(atHead));
        list.RemoveEnd(atHead);
        ListCommands.Removed(ctx, key, ref list, atHead ? KeyEvent.LPop : KeyEvent.RPop, 1);
    }

    /// <summary>Removes up to <paramref name="count"/> elements of a list and replies with an array of them.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The list's key.</param>
    /// <param name="list">The list, opened for a write; it has elements.</param>
    /// <param name="atHead">The first ones rather than the last.</param>
    /// <param name="count">At least 1.</param>
    internal static void PopRange(CommandContext ctx, Key key, ref ListValue list, bool atHead, long count)
    {
        long length = list.Count;
        KeyEvent keyEvent = atHead ? KeyEvent.LPop : KeyEvent.RPop;
        count = Math.Min(count, length);
        if (count == length)
        {
            ListCommands.WriteRange(ctx, in list, atHead ? 0 : length - 1, count, forward: atHead);
            ListCommands.DeleteWhole(ctx, key, keyEvent, count);
            return;
        }

        long start = atHead ? 0 : length - count;
        list.PrepareRemoveRange(start, count);
        ListCommands.WriteRange(ctx, in list, atHead ? 0 : length - 1, count, forward: atHead);
        list.RemoveRange(start, count);
        ListCommands.Removed(ctx, key, ref list, keyEvent, count);
    }

    /// <summary>Reads LEFT or RIGHT.</summary>
    internal static bool TryParseEnd(ReadOnlySpan<byte> word, out bool atHead)
    {
        atHead = System.Text.Ascii.EqualsIgnoreCase(word, "left"u8);
        return atHead || System.Text.Ascii.EqualsIgnoreCase(word, "right"u8);
    }

    private static void Pop(CommandContext ctx, bool atHead)
    {
        Arguments args = ctx.Args;
        long count = 0;
        if (args.Count > 3)
        {
            ctx.WrongArity();
            return;
        }

        bool hasCount = args.Count == 3;
        if (hasCount && (!Numbers.TryParseInt64(args[2], out count) || count < 0))
        {
            ctx.Reply.Error(CommandError.MustBePositive);
            return;
        }

        Key key = ctx.Key(1);
        if (!ListCommands.TryOpenForWrite(ctx, key, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                WriteNothing(ctx, hasCount);
            }

            return;
        }

        if (!hasCount)
        {
            PopOne(ctx, key, ref list, atHead);
        }
        else if (count == 0)
        {
            ctx.Reply.EmptyArray();
        }
        else
        {
            PopRange(ctx, key, ref list, atHead, count);
        }
    }

    private static void WriteNothing(CommandContext ctx, bool hasCount)
    {
        if (hasCount)
        {
            ctx.Reply.NullArray();
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    // COUNT, which may be given once.
    private static bool TryParseCount(CommandContext ctx, int from, out long count)
    {
        Arguments args = ctx.Args;
        count = -1;
        for (int i = from; i < args.Count; i += 2)
        {
            if (count != -1 || i + 1 == args.Count || !System.Text.Ascii.EqualsIgnoreCase(args[i], "count"u8))
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }

            if (!Numbers.TryParseInt64(args[i + 1], out count) || count < 1)
            {
                ctx.Reply.Error("ERR count should be greater than 0"u8);
                return false;
            }
        }

        count = count == -1 ? 1 : count;
        return true;
    }
}
