using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>The commands on lists that wait for an element.</summary>
/// <remarks>A call that finds nothing waits (<see cref="CommandContext.WaitForKeys"/>) and is run again when one of its
/// keys changes; clients are served in the order in which they began to wait. Passed on as what was done in the end.
/// Semantics: redis.io/commands, group list.</remarks>
internal static class ListBlockingCommands
{
    private const string TimeoutHistory = "6.0.0: The timeout may have fractions.";

    /// <summary>Removes the first element of the first list that has one, and replies with key and element; waits for
    /// one if need be, and replies null when the time is over.</summary>
    [Command("BLPOP", arity: -3, CommandFlags.Write | CommandFlags.NoScript | CommandFlags.Blocking,
        Group = CommandGroup.List, Since = "2.0.0", Complexity = "O(N) in the keys.",
        Summary = "Removes the first element of a list and returns it, waiting for one if need be.",
        Syntax = "key... timeout:double", History = TimeoutHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, Last = -2)]
    internal static void BLPop(CommandContext ctx) => Pop(ctx, atHead: true);

    /// <summary>BLPOP from the other end.</summary>
    [Command("BRPOP", arity: -3, CommandFlags.Write | CommandFlags.NoScript | CommandFlags.Blocking,
        Group = CommandGroup.List, Since = "2.0.0", Complexity = "O(N) in the keys.",
        Summary = "Removes the last element of a list and returns it, waiting for one if need be.",
        Syntax = "key... timeout:double", History = TimeoutHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, Last = -2)]
    internal static void BRPop(CommandContext ctx) => Pop(ctx, atHead: false);

    /// <summary>LMOVE that waits for an element of the source.</summary>
    [Command("BLMOVE", arity: 6,
        CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.NoScript | CommandFlags.Blocking,
        Group = CommandGroup.List, Since = "6.2.0", Complexity = "O(1)",
        Summary = "Moves an element from one list to another and returns it, waiting for one if need be.",
        Syntax = "source destination wherefrom:(LEFT|RIGHT) whereto:(LEFT|RIGHT) timeout:double")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void BLMove(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!ListPopCommands.TryParseEnd(args[3], out bool fromHead) || !ListPopCommands.TryParseEnd(args[4], out bool toHead))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        if (BlockingTimeout.TryRead(ctx, 5, out long endsAtMs)
            && ListMoveCommands.TryMove(ctx, fromHead, toHead, endsAtMs)
            && ctx.BeginPropagation(5) is { } log)
        {
            log.Argument("LMOVE"u8);
            for (int i = 1; i < 5; i++)
            {
                log.Argument(args[i]);
            }
        }
    }

    /// <summary>BLMOVE from the tail to the head.</summary>
    [Command("BRPOPLPUSH", arity: 4,
        CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.NoScript | CommandFlags.Blocking,
        Group = CommandGroup.List, Since = "2.2.0", Complexity = "O(1)",
        Summary = "Moves the last element of a list to the head of another, waiting for one if need be.",
        Syntax = "source destination timeout:double", Deprecated = "6.2.0: BLMOVE with RIGHT and LEFT",
        History = TimeoutHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void BRPopLPush(CommandContext ctx)
    {
        if (BlockingTimeout.TryRead(ctx, 3, out long endsAtMs)
            && ListMoveCommands.TryMove(ctx, fromHead: false, toHead: true, endsAtMs))
        {
            ctx.PropagateAs("RPOPLPUSH"u8, ctx.Args[1], ctx.Args[2]);
        }
    }

    /// <summary>LMPOP that waits until one of the lists has an element.</summary>
    [Command("BLMPOP", arity: -5, CommandFlags.Write | CommandFlags.Blocking, Group = CommandGroup.List, Since = "7.0.0",
        Complexity = "O(N+M) for N keys and M elements returned.",
        Summary = "Removes elements at an end of the first list that has some, waiting for one if need be.",
        Syntax = "timeout:double numkeys key... where:(LEFT|RIGHT) [COUNT count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, NumKeysAt = 2)]
    internal static void BLMPop(CommandContext ctx) => ListPopCommands.PopMultiple(ctx, numKeysIndex: 2, timeoutIndex: 1);

    private static void Pop(CommandContext ctx, bool atHead)
    {
        int keyCount = ctx.Args.Count - 2;
        if (!BlockingTimeout.TryRead(ctx, keyCount + 1, out long endsAtMs))
        {
            return;
        }

        if (ctx.TryFindFirstForWrite(firstKey: 1, keyCount, ValueType.List, out Key key, out Entry entry, out bool replied))
        {
            ctx.Reply.Array(2);
            ctx.Reply.BulkString(key.Bytes);
            ctx.PropagateAs(atHead ? "LPOP"u8 : "RPOP"u8, key.Bytes);
            ListValue list = ListValue.Open(ctx.Database, entry, ListCommands.LimitsOf(ctx));
            ListPopCommands.PopOne(ctx, key, ref list, atHead);
        }
        else if (!replied)
        {
            ctx.WaitForKeys(firstKey: 1, keyCount, endsAtMs);
        }
    }
}
