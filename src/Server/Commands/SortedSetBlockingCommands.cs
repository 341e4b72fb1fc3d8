using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>The commands on sorted sets that wait for a member.</summary>
/// <remarks>A call that finds nothing waits (<see cref="CommandContext.WaitForKeys"/>) and is run again when one of its
/// keys changes; clients are served in the order in which they began to wait. Passed on as what was done in the end.
/// Semantics: redis.io/commands, group sorted-set.</remarks>
internal static class SortedSetBlockingCommands
{
    private const string TimeoutHistory = "6.0.0: The timeout may have fractions.";

    /// <summary>Removes the member with the lowest score from the first sorted set that has one, and replies with key,
    /// member and score; waits for one if need be, and replies null when the time is over.</summary>
    [Command("BZPOPMIN", arity: -3,
        CommandFlags.Write | CommandFlags.NoScript | CommandFlags.Fast | CommandFlags.Blocking,
        Group = CommandGroup.SortedSet, Since = "5.0.0", Complexity = "O(log(N)) with N members in the set.",
        Summary = "Removes the member with the lowest score and returns it, waiting for one if need be.",
        Syntax = "key... timeout:double", History = TimeoutHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, Last = -2)]
    internal static void BZPopMin(CommandContext ctx) => Pop(ctx, fromMax: false);

    /// <summary>BZPOPMIN from the other end.</summary>
    [Command("BZPOPMAX", arity: -3,
        CommandFlags.Write | CommandFlags.NoScript | CommandFlags.Fast | CommandFlags.Blocking,
        Group = CommandGroup.SortedSet, Since = "5.0.0", Complexity = "O(log(N)) with N members in the set.",
        Summary = "Removes the member with the greatest score and returns it, waiting for one if need be.",
        Syntax = "key... timeout:double", History = TimeoutHistory)]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, Last = -2)]
    internal static void BZPopMax(CommandContext ctx) => Pop(ctx, fromMax: true);

    /// <summary>ZMPOP that waits until one of the sorted sets has a member.</summary>
    [Command("BZMPOP", arity: -5, CommandFlags.Write | CommandFlags.Blocking, Group = CommandGroup.SortedSet,
        Since = "7.0.0", Complexity = "O(K) + O(M*log(N)) for K keys and M members of N.",
        Summary = "Removes members from an end of the first sorted set that has some, waiting for one if need be.",
        Syntax = "timeout:double numkeys key... where:(MIN|MAX) [COUNT count]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete, NumKeysAt = 2)]
    internal static void BZMPop(CommandContext ctx)
    {
        // The timeout stands first and is looked at last, as on the reference server.
        if (SortedSetPopCommands.TryParseMultiplePop(ctx, 2, out int keyCount, out bool fromMax, out long count)
            && BlockingTimeout.TryRead(ctx, 1, out long endsAtMs)
            && !SortedSetPopCommands.TryPopMultiple(ctx, firstKey: 3, keyCount, fromMax, count))
        {
            ctx.WaitForKeys(firstKey: 3, keyCount, endsAtMs);
        }
    }

    private static void Pop(CommandContext ctx, bool fromMax)
    {
        int keyCount = ctx.Args.Count - 2;
        if (!BlockingTimeout.TryRead(ctx, keyCount + 1, out long endsAtMs))
        {
            return;
        }

        if (ctx.TryFindFirstForWrite(firstKey: 1, keyCount, ValueType.SortedSet, out Key key, out Entry entry, out bool replied))
        {
            SortedSetValue set = SortedSetValue.Open(ctx.Database, entry, SortedSetCommands.LimitsOf(ctx));
            ctx.Reply.Array(3);
            ctx.Reply.BulkString(key.Bytes);
            ctx.PropagateAs(fromMax ? "ZPOPMAX"u8 : "ZPOPMIN"u8, key.Bytes);
            SortedSetPopCommands.PopInto(ctx, ctx.Reply, key, ref set, count: 1, fromMax, nested: false);
        }
        else if (!replied)
        {
            ctx.WaitForKeys(firstKey: 1, keyCount, endsAtMs);
        }
    }
}
