using System.Buffers;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Moving an element from one list to another.</summary>
/// <remarks>Semantics: redis.io/commands, group list.</remarks>
internal static class ListMoveCommands
{
    /// <summary>A command that does not wait.</summary>
    internal const long NoWait = -1;

    /// <summary>Moves an element between the named ends of two lists, which may be one, and replies with it.</summary>
    [Command("LMOVE", arity: 5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.List, Since = "6.2.0",
        Complexity = "O(1)", Summary = "Moves an element from one list to another and returns it.",
        Syntax = "source destination wherefrom:(LEFT|RIGHT) whereto:(LEFT|RIGHT)")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void LMove(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!ListPopCommands.TryParseEnd(args[3], out bool fromHead) || !ListPopCommands.TryParseEnd(args[4], out bool toHead))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        _ = TryMove(ctx, fromHead, toHead, NoWait);
    }

    /// <summary>LMOVE from the tail to the head.</summary>
    [Command("RPOPLPUSH", arity: 3, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.List,
        Since = "1.2.0", Complexity = "O(1)",
        Summary = "Moves the last element of a list to the head of another and returns it.",
        Syntax = "source destination", Deprecated = "6.2.0: LMOVE with RIGHT and LEFT")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void RPopLPush(CommandContext ctx) => _ = TryMove(ctx, fromHead: false, toHead: true, NoWait);

    /// <summary>Moves an element from the list of the first argument to that of the second.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="fromHead">Whether it comes from the head.</param>
    /// <param name="toHead">Whether it goes to the head.</param>
    /// <param name="endsAtMs">Until when to wait for an element, in ms since the Unix epoch, 0 for ever; or
    /// <see cref="NoWait"/>.</param>
    /// <returns>Whether an element was moved; otherwise the client has a reply, or waits.</returns>
    internal static bool TryMove(CommandContext ctx, bool fromHead, bool toHead, long endsAtMs)
    {
        Key sourceKey = ctx.Key(1);
        Key targetKey = ctx.Key(2);
        Lookup sourceFound = ctx.Database.FindForWrite(sourceKey, ValueType.List, out Entry sourceEntry);
        if (sourceFound == Lookup.WrongType && !ctx.IsRetry)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return false;
        }

        if (sourceFound != Lookup.Found)
        {
            if (endsAtMs == NoWait || ctx.Client.Is(ClientFlags.DenyBlocking))
            {
                ctx.Reply.Null();
            }
            else
            {
                ctx.WaitForKeys(firstKey: 1, keyCount: 1, endsAtMs);
            }

            return false;
        }

        ListValue source = ListValue.Open(ctx.Database, sourceEntry, ListCommands.LimitsOf(ctx));

        Lookup targetFound = ctx.Database.FindForWrite(targetKey, ValueType.List, out Entry targetEntry);
        if (targetFound == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return false;
        }

        // A copy, because the two lists may be one.
        PackedElement element = source.Peek(fromHead);
        int length = element.IsInteger ? IntegerText.MaxLength : element.Bytes.Length;
        byte[] copy = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            ReadOnlySpan<byte> text = element.AsText(scratch);
            text.CopyTo(copy);
            Move(ctx, sourceKey, targetKey, ref source, targetFound, targetEntry, copy.AsSpan(0, text.Length), fromHead, toHead);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    // Into the target first: should there be no memory for it, nothing has changed.
    private static void Move(
        CommandContext ctx,
        Key sourceKey,
        Key targetKey,
        ref ListValue source,
        Lookup targetFound,
        Entry targetEntry,
        ReadOnlySpan<byte> text,
        bool fromHead,
        bool toHead)
    {
        source.PrepareRemoveEnd(fromHead);
        if (sourceKey.Bytes.SequenceEqual(targetKey.Bytes))
        {
            source.PrepareToGrow(text.Length, 1);
            source.Push(text, toHead);
            ctx.KeyChanged(targetKey, toHead ? KeyEvent.LPush : KeyEvent.RPush, changes: 0);
        }
        else
        {
            ListCommands.PushOne(ctx, targetKey, targetFound, targetEntry, text, toHead, changes: 0);
        }

        ctx.Reply.BulkString(text);
        source.RemoveEnd(fromHead);
        ListCommands.Removed(ctx, sourceKey, ref source, fromHead ? KeyEvent.LPop : KeyEvent.RPop, 1);
    }
}
