using KvServer.Resp;
using KvServer.Server.Config;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on one set, and SMOVE between two. Random members are in <see cref="SetRandomCommands"/>, operations
/// on several sets in <see cref="SetAlgebraCommands"/>.</summary>
/// <remarks>Semantics: redis.io/commands, group set. A set that loses its last member loses its key too.</remarks>
internal static class SetCommands
{
    /// <summary>Adds members and replies with how many were new. O(1) a member.</summary>
    [Command("SADD", arity: -3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast, Group = CommandGroup.Set,
        Since = "1.0.0", Complexity = "O(1) for each member.",
        Summary = "Adds members to a set, which is created when there is none.", Syntax = "key member...",
        History = "2.4.0: Accepts several members.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void SAdd(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Arguments args = ctx.Args;
        long added = 0;
        switch (ctx.Database.FindForWrite(key, ValueType.Set, out Entry entry))
        {
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return;
            case Lookup.Missing when args.Count == 3:
                SetValue.InsertSingle(ctx.Database, key, args[2], LimitsOf(ctx));
                added = 1;
                break;
            case Lookup.Missing:
                added = InsertMany(ctx, key, args);
                break;
            default:
                SetValue set = SetValue.Open(ctx.Database, entry, LimitsOf(ctx));
                set.Prepare(args.Count - 2);
                added = AddAll(ref set, args);
                break;
        }

        if (added > 0)
        {
            ctx.KeyChanged(key, KeyEvent.SAdd, added);
        }

        ctx.Reply.Integer(added);
    }

    /// <summary>Removes members and replies with how many there were.</summary>
    [Command("SREM", arity: -3, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(N) in the members named.", Summary = "Removes members from a set.", Syntax = "key member...",
        History = "2.4.0: Accepts several members.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Delete)]
    internal static void SRem(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        if (!TryOpenForWrite(ctx, key, out SetValue set, out bool replied))
        {
            if (!replied)
            {
                ctx.Reply.Integer(0);
            }

            return;
        }

        RemoveAll(ctx, key, ref set, KeyEvent.SRem);
    }

    /// <summary>Replies 1 when the value is a member, else 0. O(1).</summary>
    [Command("SISMEMBER", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Set,
        Since = "1.0.0", Complexity = "O(1)", Summary = "Tells whether a value is a member of a set.",
        Syntax = "key member")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void SIsMember(CommandContext ctx)
    {
        switch (ctx.Database.FindForRead(ctx.Key(1), ValueType.Set, out Entry entry))
        {
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return;
            case Lookup.Missing:
                ctx.Reply.Integer(0);
                return;
            default:
                SetValue set = SetValue.Open(ctx.Database, entry, default);
                ctx.Reply.Integer(set.Contains(ctx.Args[2]) ? 1 : 0);
                return;
        }
    }

    /// <summary>Replies with 1 or 0 for each value.</summary>
    [Command("SMISMEMBER", arity: -3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Set,
        Since = "6.2.0", Complexity = "O(N) in the values named.",
        Summary = "Tells for several values whether they are members of a set.", Syntax = "key member...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void SMIsMember(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        ctx.Reply.Array(args.Count - 2);
        for (int i = 2; i < args.Count; i++)
        {
            ctx.Reply.Integer(exists && set.Contains(args[i]) ? 1 : 0);
        }
    }

    /// <summary>Replies with the number of members, 0 for a missing key.</summary>
    [Command("SCARD", arity: 2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Counts the members of a set.", Syntax = "key")]
    [Keys(first: 1, KeyAccess.ReadOnly)]
    internal static void SCard(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SetValue set, out bool replied);
        if (!replied)
        {
            ctx.Reply.Integer(exists ? set.Count : 0);
        }
    }

    /// <summary>Replies with all members.</summary>
    [Command("SMEMBERS", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(N) in the members.", Summary = "Returns all members of a set.", Syntax = "key",
        Tips = "nondeterministic_output_order")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void SMembers(CommandContext ctx)
    {
        bool exists = TryOpen(ctx, 1, out SetValue set, out bool replied);
        if (exists)
        {
            LongSetReply.WriteAll(ctx, in set);
        }
        else if (!replied)
        {
            ctx.Reply.Set(0);
        }
    }

    /// <summary>Moves a member from one set to another; replies 0 when the source does not have it.</summary>
    [Command("SMOVE", arity: 4, CommandFlags.Write | CommandFlags.Fast, Group = CommandGroup.Set, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Moves a member from one set to another.", Syntax = "source destination member")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Delete)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void SMove(CommandContext ctx)
    {
        Key sourceKey = ctx.Key(1);
        Key targetKey = ctx.Key(2);
        ReadOnlySpan<byte> member = ctx.Args[3];
        Lookup sourceFound = ctx.Database.FindForWrite(sourceKey, ValueType.Set, out Entry sourceEntry);
        Lookup targetFound = ctx.Database.FindForWrite(targetKey, ValueType.Set, out Entry targetEntry);
        if (sourceFound == Lookup.Missing)
        {
            ctx.Reply.Integer(0);
            return;
        }

        if (sourceFound == Lookup.WrongType || targetFound == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        SetLimits limits = LimitsOf(ctx);
        SetValue source = SetValue.Open(ctx.Database, sourceEntry, limits);
        if (sourceKey.Bytes.SequenceEqual(targetKey.Bytes) || !source.Contains(member))
        {
            ctx.Reply.Integer(source.Contains(member) ? 1 : 0);
            return;
        }

        // Into the target first: should there be no memory for it, nothing has changed.
        bool added = true;
        bool isNew = targetFound == Lookup.Missing;
        if (isNew)
        {
            ctx.Server.Notifications.HoldsNew = true;
            try
            {
                SetValue.InsertSingle(ctx.Database, targetKey, member, limits);
            }
            finally
            {
                ctx.Server.Notifications.HoldsNew = false;
            }
        }
        else
        {
            SetValue target = SetValue.Open(ctx.Database, targetEntry, limits);
            added = target.Add(member);
        }

        source.Remove(member);
        bool isEmpty = source.Count == 0;
        ctx.KeyChanged(sourceKey, KeyEvent.SRem);
        if (isEmpty)
        {
            DeleteEmptied(ctx, sourceKey);
        }

        if (isNew)
        {
            ctx.KeyIsNew(targetKey);
        }

        if (added)
        {
            ctx.KeyChanged(targetKey, KeyEvent.SAdd);
        }

        ctx.Reply.Integer(1);
    }

    /// <summary>Replies with a cursor and some members. A member that stays in the set from the first call to the last
    /// is returned at least once.</summary>
    [Command("SSCAN", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Set, Since = "2.8.0",
        Complexity = "O(COUNT) for a call, O(N) for all members.", Summary = "Walks over the members of a set in steps.",
        Syntax = "key cursor [MATCH pattern] [COUNT count]", Tips = "nondeterministic_output")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void SScan(CommandContext ctx) => CollectionScan.Reply(ctx, ValueType.Set);

    /// <summary>The limits of packed sets that are configured now.</summary>
    internal static SetLimits LimitsOf(CommandContext ctx) => ConfiguredLimits.OfSets(ctx.Server.Config);

    /// <summary>Opens a set for reading.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="argIndex">Where the key stands.</param>
    /// <param name="set">The set when the result is true.</param>
    /// <param name="replied">True when the key holds another type and the client has been told.</param>
    /// <returns>False when there is no set.</returns>
    internal static bool TryOpen(CommandContext ctx, int argIndex, out SetValue set, out bool replied)
    {
        bool exists = ctx.TryFindForRead(ctx.Key(argIndex), ValueType.Set, out Entry entry, out replied);
        set = exists ? SetValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Opens a set that is about to be changed.</summary>
    /// <inheritdoc cref="TryOpen(CommandContext, int, out SetValue, out bool)"/>
    internal static bool TryOpenForWrite(CommandContext ctx, Key key, out SetValue set, out bool replied)
    {
        bool exists = ctx.TryFindForWrite(key, ValueType.Set, out Entry entry, out replied);
        set = exists ? SetValue.Open(ctx.Database, entry, LimitsOf(ctx)) : default;
        return exists;
    }

    /// <summary>Removes the members that the arguments behind the key name, reports it and replies with how many there
    /// were. O(arguments) removals.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="key">The key, its first argument.</param>
    /// <param name="set">The collection; gone with its key when it has no members left.</param>
    /// <param name="keyEvent">What has happened to the key.</param>
    internal static void RemoveAll<TSet>(CommandContext ctx, Key key, ref TSet set, KeyEvent keyEvent)
        where TSet : struct, IMemberCollection, allows ref struct
    {
        Arguments args = ctx.Args;
        long removed = 0;
        bool isEmpty = false;
        for (int i = 2; i < args.Count && !isEmpty; i++)
        {
            if (set.Remove(args[i]))
            {
                removed++;
                isEmpty = set.Count == 0;
            }
        }

        if (removed > 0)
        {
            ctx.KeyChanged(key, keyEvent, removed);
            if (isEmpty)
            {
                DeleteEmptied(ctx, key);
            }
        }

        ctx.Reply.Integer(removed);
    }

    /// <summary>Deletes the key of a set that has no members left.</summary>
    internal static void DeleteEmptied(CommandContext ctx, Key key)
    {
        ctx.Database.Delete(key);
        ctx.KeyChanged(key, KeyEvent.Del, changes: 0);
    }

    /// <summary>Replies with all members as a set.</summary>
    internal static void WriteAll(CommandContext ctx, in SetValue set)
    {
        ReplyWriter reply = ctx.Reply;
        reply.Set(set.Count);
        foreach (SetMember member in set)
        {
            Write(reply, member);
        }
    }

    /// <summary>Writes one member as a bulk string.</summary>
    internal static void Write(ReplyWriter reply, SetMember member)
    {
        if (member.IsInteger)
        {
            reply.BulkString(member.Integer);
        }
        else
        {
            reply.BulkString(member.Bytes);
        }
    }

    private static long InsertMany(CommandContext ctx, Key key, Arguments args)
    {
        SetValue set = SetValue.Create(
            ctx.Server.Keyspace, LimitsOf(ctx), SetMember.OfBytes(args[2]), args.Count - 2);
        try
        {
            long added = AddAll(ref set, args);
            set.InsertAs(ctx.Database, key);
            return added;
        }
        finally
        {
            set.Dispose();
        }
    }

    private static long AddAll(ref SetValue set, Arguments args)
    {
        long added = 0;
        for (int i = 2; i < args.Count; i++)
        {
            if (set.Add(args[i]))
            {
                added++;
            }
        }

        return added;
    }
}
