using KvServer.Resp;
using KvServer.Server.Config;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Pushing to a list, reading and changing it by position. Popping is in <see cref="ListPopCommands"/>, moving
/// between lists in <see cref="ListMoveCommands"/>, searching in <see cref="ListSearchCommands"/>.</summary>
/// <remarks>Semantics: redis.io/commands, group list. A list that loses its last element loses its key too.</remarks>
internal static class ListCommands
{
    private const string PushCost = "O(1) for each element.";
    private const string ManyElements = "2.4.0: Accepts several elements.";

    /// <summary>Adds elements at the head, one after the other, and replies with the list's length.</summary>
    [Command("LPUSH", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast, Group = CommandGroup.List,
        Since = "1.0.0", Complexity = PushCost,
        Summary = "Adds elements at the head of a list, which is created when there is none.", Syntax = "key element...",
        History = ManyElements)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void LPush(CommandContext ctx) => Push(ctx, atHead: true, creates: true);

    /// <summary>Adds elements at the tail and replies with the list's length.</summary>
    [Command("RPUSH", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast, Group = CommandGroup.List,
        Since = "1.0.0", Complexity = PushCost,
        Summary = "Adds elements at the tail of a list, which is created when there is none.", Syntax = "key element...",
        History = ManyElements)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void RPush(CommandContext ctx) => Push(ctx, atHead: false, creates: true);

    /// <summary>LPUSH to a list that exists; replies 0 when there is none.</summary>
    [Command("LPUSHX", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.List, Since = "2.2.0", Complexity = PushCost,
        Summary = "Adds elements at the head of a list that exists.", Syntax = "key element...",
        History = "4.0.0: Accepts several elements.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void LPushX(CommandContext ctx) => Push(ctx, atHead: true, creates: false);

    /// <summary>RPUSH to a list that exists; replies 0 when there is none.</summary>
    [Command("RPUSHX", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.List, Since = "2.2.0", Complexity = PushCost,
        Summary = "Adds elements at the tail of a list that exists.", Syntax = "key element...",
        History = "4.0.0: Accepts several elements.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void RPushX(CommandContext ctx) => Push(ctx, atHead: false, creates: false);

    /// <summary>Replies with the number of elements, 0 for a missing key.</summary>
    [Command("LLEN", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Counts the elements of a list.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void LLen(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out ListValue list, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? list.Count : 0);
        }
    }

    /// <summary>Replies with the elements from one index to another, both included; negative ones count from the end.</summary>
    [Command("LRANGE", arity: 4, CommandFlags.ReadOnly, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(log N + M) for M elements returned.", Summary = "Returns a range of a list's elements.",
        Syntax = "key start stop")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void LRange(CommandContext ctx)
    {
        if (!TryParseRange(ctx, out long start, out long stop))
        {
            return;
        }

        bool exists = TryOpen(ctx, 1, out ListValue list, out bool replied);
        if (exists && TryClampRange(list.Count, ref start, ref stop))
        {
            long count = stop - start + 1;
            if (LongReply.Pays(ctx, count))
            {
                ctx.Reply.Array(count);
                _ = new LongListReply(ctx, in list, start, count);
            }
            else
            {
                WriteRange(ctx, in list, start, count, forward: true);
            }
        }
        else if (!replied)
        {
            ctx.Reply.EmptyArray();
        }
    }

    /// <summary>Replies with the element at an index, or null; negative ones count from the end.</summary>
    [Command("LINDEX", arity: 3, CommandFlags.ReadOnly, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(log N)", Summary = "Returns the element at an index of a list.", Syntax = "key index")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void LIndex(CommandContext ctx)
    {
        if (!TryOpen(ctx, 1, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Null();
            }

            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[2], out long index))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
        }
        else if (TryClampIndex(list.Count, ref index))
        {
            Write(ctx.Reply, list[index]);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Puts an element in place of the one at an index.</summary>
    [Command("LSET", arity: 4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(log N)", Summary = "Sets the element at an index of a list.", Syntax = "key index element")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void LSet(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Error(CommandError.NoSuchKey);
            }

            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[2], out long index))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (!TryClampIndex(list.Count, ref index))
        {
            ctx.Reply.Error(CommandError.IndexOutOfRange);
            return;
        }

        ReadOnlySpan<byte> element = ctx.Args[3];
        list.PrepareToGrow(element.Length, 1);
        list.Set(index, element);
        list.Settle();
        ctx.KeyChanged(key, KeyEvent.LSet);
        ctx.Reply.Ok();
    }

    /// <summary>Puts an element before or after the first one equal to a pivot. Replies with the length, or -1 when there
    /// is no such element.</summary>
    [Command("LINSERT", arity: 5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.List, Since = "2.2.0",
        Complexity = "O(N) in the elements before the pivot.",
        Summary = "Inserts an element before or after another one of a list.",
        Syntax = "key where:(BEFORE|AFTER) pivot element")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void LInsert(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        bool isAfter = System.Text.Ascii.EqualsIgnoreCase(args[2], "after"u8);
        if (!isAfter && !System.Text.Ascii.EqualsIgnoreCase(args[2], "before"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        long index = ListSearchCommands.IndexOf(in list, args[3]);
        if (index < 0)
        {
            ctx.Reply.Integer(-1);
            return;
        }

        ReadOnlySpan<byte> element = args[4];
        list.PrepareToGrow(element.Length, 1);
        list.Insert(isAfter ? index + 1 : index, element);
        ctx.KeyChanged(key, KeyEvent.LInsert);
        ctx.Reply.Integer(list.Count);
    }

    /// <summary>Removes elements equal to a value: the first <c>count</c>, the last ones when it is negative, all when it
    /// is 0. Replies with how many there were.</summary>
    [Command("LREM", arity: 4, CommandFlags.Write, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(N) in the elements passed.", Summary = "Removes elements of a value from a list.",
        Syntax = "key count element")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void LRem(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        long limit = count is 0 or long.MinValue ? long.MaxValue : Math.Abs(count);
        long removed = list.RemoveEqual(ctx.Args[3], limit, fromTail: count < 0);
        if (removed > 0)
        {
            Removed(ctx, key, ref list, KeyEvent.LRem, removed);
        }

        ctx.Reply.Integer(removed);
    }

    /// <summary>Removes all elements but those from one index to another.</summary>
    [Command("LTRIM", arity: 4, CommandFlags.Write, Group = CommandGroup.List, Since = "1.0.0",
        Complexity = "O(log N), and O(M) for M elements removed.",
        Summary = "Removes the elements at both ends of a list.", Syntax = "key start stop")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void LTrim(CommandContext ctx)
    {
        if (!TryParseRange(ctx, out long start, out long stop))
        {
            return;
        }

        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out ListValue list, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Ok();
            }

            return;
        }

        long count = list.Count;
        if (!TryClampRange(count, ref start, ref stop))
        {
            DeleteWhole(ctx, key, KeyEvent.LTrim, count);
            ctx.Reply.Ok();
            return;
        }

        list.Keep(start, stop - start + 1);
        Removed(ctx, key, ref list, KeyEvent.LTrim, count - (stop - start + 1));
        ctx.Reply.Ok();
    }

    /// <summary>Adds one element to a list, which is created when there is none.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The list's key.</param>
    /// <param name="found">What a look-up for a write has found: no other type.</param>
    /// <param name="entry">The entry that was found.</param>
    /// <param name="element">Its bytes; not a part of this list.</param>
    /// <param name="atHead">At the head rather than the tail.</param>
    /// <param name="changes">How much the dirty count grows.</param>
    internal static void PushOne(
        CommandContext ctx, Key key, Lookup found, Entry entry, ReadOnlySpan<byte> element, bool atHead, long changes)
    {
        if (found == Lookup.Missing)
        {
            ListValue.InsertSingle(ctx.Database, key, element, LimitsOf(ctx));
        }
        else
        {
            ListValue list = ListValue.Open(ctx.Database, entry, LimitsOf(ctx));
            list.PrepareToGrow(element.Length, 1);
            list.Push(element, atHead);
        }

        ctx.KeyChanged(key, atHead ? KeyEvent.LPush : KeyEvent.RPush, changes);
    }

    /// <summary>Reports that elements were removed; a list that is empty now loses its key.</summary>
    internal static void Removed(CommandContext ctx, Key key, ref ListValue list, KeyEvent keyEvent, long removed)
    {
        ctx.KeyChanged(key, keyEvent, removed);
        if (list.Count == 0)
        {
            ctx.Database.Delete(key);
            ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
        }
        else
        {
            list.Settle();
        }
    }

    /// <summary>Deletes a list all of whose elements are removed by a command, in the background when it is large.</summary>
    internal static void DeleteWhole(CommandContext ctx, Key key, KeyEvent keyEvent, long removed)
    {
        ctx.Database.Delete(key, lazily: true);
        ctx.KeyChanged(key, keyEvent, removed);
        ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
    }

    /// <summary>The sizes of nodes that are configured now.</summary>
    internal static ListLimits LimitsOf(CommandContext ctx) => ConfiguredLimits.OfLists(ctx.Server.Config);

    /// <summary>Opens a list for reading.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="argIndex">Where the key stands.</param>
    /// <param name="list">The list when the result is true.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    /// <returns>False when there is no list.</returns>
    internal static bool TryOpen(CommandContext ctx, int argIndex, out ListValue list, out bool replied)
    {
        bool exists = ctx.TryFindForRead(ctx.Key(argIndex), ValueType.List, out Entry entry, out replied);
        list = exists ? ListValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Opens a list that is about to be changed.</summary>
    /// <inheritdoc cref="TryOpen(CommandContext, int, out ListValue, out bool)"/>
    internal static bool TryOpenForWrite(CommandContext ctx, Key key, out ListValue list, out bool replied)
    {
        bool exists = ctx.TryFindForWrite(key, ValueType.List, out Entry entry, out replied);
        list = exists ? ListValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Replies with an array of elements in a row, straight from where they are kept.</summary>
    internal static void WriteRange(CommandContext ctx, in ListValue list, long start, long count, bool forward)
    {
        ReplyWriter reply = ctx.Reply;
        reply.Array(count);
        foreach (PackedElement element in list.Walk(start, count, forward))
        {
            Write(reply, element);
        }
    }

    /// <summary>Writes one element as a bulk string.</summary>
    internal static void Write(ReplyWriter reply, PackedElement element)
    {
        if (element.IsInteger)
        {
            reply.BulkString(element.Integer);
        }
        else
        {
            reply.BulkString(element.Bytes);
        }
    }

    private static void Push(CommandContext ctx, bool atHead, bool creates)
    {
        Key key = ctx.Key(1);
        Arguments args = ctx.Args;
        long length;
        switch (ctx.Database.FindForWrite(key, ValueType.List, out Entry entry))
        {
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return;
            case Lookup.Missing when !creates:
                ctx.Reply.Integer(0);
                return;
            case Lookup.Missing when args.Count == 3:
                ListValue.InsertSingle(ctx.Database, key, args[2], LimitsOf(ctx));
                length = 1;
                break;
            case Lookup.Missing:
                length = InsertMany(ctx, key, args, atHead);
                break;
            default:
                ListValue list = ListValue.Open(ctx.Database, entry, LimitsOf(ctx));
                PushAll(ref list, args, atHead);
                length = list.Count;
                break;
        }

        ctx.KeyChanged(key, atHead ? KeyEvent.LPush : KeyEvent.RPush, args.Count - 2);
        ctx.Reply.Integer(length);
    }

    private static long InsertMany(CommandContext ctx, Key key, Arguments args, bool atHead)
    {
        ListValue list = ListValue.Create(ctx.Server.Keyspace, LimitsOf(ctx));
        try
        {
            PushAll(ref list, args, atHead);
            list.InsertAs(ctx.Database, key);
            return args.Count - 2;
        }
        finally
        {
            list.Dispose();
        }
    }

    // All or, without memory, none.
    private static void PushAll(ref ListValue list, Arguments args, bool atHead)
    {
        long textBytes = 0;
        for (int i = 2; i < args.Count; i++)
        {
            textBytes += args[i].Length;
        }

        list.PrepareToGrow(textBytes, args.Count - 2);
        int pushed = 0;
        try
        {
            for (int i = 2; i < args.Count; i++)
            {
                list.Push(args[i], atHead);
                pushed++;
            }
        }
        catch (OutOfMemoryException)
        {
            for (; pushed > 0; pushed--)
            {
                list.RemoveEnd(atHead);
            }

            throw;
        }
    }

    private static bool TryParseRange(CommandContext ctx, out long start, out long stop)
    {
        stop = 0;
        if (Numbers.TryParseInt64(ctx.Args[2], out start) && Numbers.TryParseInt64(ctx.Args[3], out stop))
        {
            return true;
        }

        ctx.Reply.Error(CommandError.NotAnInteger);
        return false;
    }

    // Counts from the end what is negative and cuts off what is outside.
    private static bool TryClampRange(long count, ref long start, ref long stop)
    {
        start = Math.Max(start < 0 ? start + count : start, 0);
        stop = Math.Min(stop < 0 ? stop + count : stop, count - 1);
        return start <= stop;
    }

    private static bool TryClampIndex(long count, ref long index)
    {
        index = index < 0 ? index + count : index;
        return index >= 0 && index < count;
    }
}
