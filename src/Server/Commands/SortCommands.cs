using System.Text;
using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>SORT: the elements of a list, set or sorted set in the order of numbers or texts, which may be theirs or
/// those of other keys.</summary>
/// <remarks>
/// <para>Semantics: redis.io/commands/sort. All elements are copied into a <see cref="SortVector"/> first, except where
/// BY names nothing to sort by: then only those that are asked for. What can fail has been done before the reply
/// begins, or before the destination changes.</para>
/// <para>Texts compare as bytes, which is what the C locale does. Without STORE they end at a NUL, as for C's
/// <c>strcoll</c>.</para>
/// </remarks>
internal static class SortCommands
{
    private const string Cost =
        "O(N+M*log(M)) for M elements returned of N; O(N) when nothing is sorted.";

    private const string Options =
        "key [BY pattern#1] [LIMIT offset count] [GET pattern#1]... [order:ASC|DESC] [sorting:ALPHA]";

    // Of a result that is passed on element by element.
    private const int ElementsPerRequest = 1024;

    private const string PatternNotes = "The keys of BY and GET come from the data, so nobody can tell them beforehand";

    /// <summary>Replies with the sorted elements or with what GET finds for them, or stores them as a list.</summary>
    [Command("SORT", arity: -2, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Generic,
        Since = "1.0.0", Complexity = Cost, Summary = "Sorts the elements of a list, a set or a sorted set, and may store the result.",
        Syntax = Options + " [STORE destination#2]", Acl = "set sortedset list dangerous")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    [Keys(first: 0, KeyAccess.ReadOnly | KeyAccess.Access, Finder = nameof(FindNone), Notes = PatternNotes)]
    [Keys(first: 0, KeyAccess.Overwrite | KeyAccess.Update, Finder = nameof(FindDestination),
        Notes = "STORE can stand anywhere among the options")]
    internal static void Sort(CommandContext ctx) => Sort(ctx, mayStore: true);

    /// <summary>SORT without STORE.</summary>
    [Command("SORT_RO", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "7.0.0",
        Complexity = Cost, Summary = "Returns the sorted elements of a list, a set or a sorted set.", Syntax = Options,
        Acl = "set sortedset list dangerous")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    [Keys(first: 0, KeyAccess.ReadOnly | KeyAccess.Access, Finder = nameof(FindNone), Notes = PatternNotes)]
    internal static void SortReadOnly(CommandContext ctx) => Sort(ctx, mayStore: false);

    private static bool FindNone(Arguments args, List<int> positions) => true;

    // Looks for the last STORE as the reference server does: over all words but the arguments of other options.
    private static bool FindDestination(Arguments args, List<int> positions)
    {
        int found = 0;
        for (int i = 2; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            if (Ascii.EqualsIgnoreCase(word, "LIMIT"u8))
            {
                i += 2;
            }
            else if (Ascii.EqualsIgnoreCase(word, "GET"u8) || Ascii.EqualsIgnoreCase(word, "BY"u8))
            {
                i++;
            }
            else if (i + 1 < args.Count && Ascii.EqualsIgnoreCase(word, "STORE"u8))
            {
                found = i + 1;
            }
        }

        if (found > 0)
        {
            positions.Add(found);
        }

        return true;
    }

    private static void Sort(CommandContext ctx, bool mayStore)
    {
        if (!SortOptions.TryParse(
            ctx.Args, mayStore, ctx.Server.Acl.MayReadAnyKey(ctx), out SortOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        bool exists = ctx.Database.TryFind(ctx.Key(1), ctx.Server.Keyspace.AccessFlags, out Entry entry);
        if (exists && entry.Type is not (ValueType.List or ValueType.Set or ValueType.SortedSet))
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        bool isSet = exists && entry.Type == ValueType.Set;
        if (options.IsUnsorted && isSet && options.StoreAt > 0)
        {
            // What is stored must not depend on the order a set happens to have.
            options.IsUnsorted = false;
            options.IsAlpha = true;
            options.ByAt = 0;
        }

        long count = exists ? CountOf(ctx, entry) : 0;
        (long first, long last) = options.PlacesOf(count);
        SortVector elements = new(ctx.Server.Keyspace, options.IsUnsorted ? last - first + 1 : count);
        SortLookup lookup = new(ctx);
        try
        {
            if (options.IsUnsorted)
            {
                Load(ctx, ref elements, entry, first, last - first + 1, options.IsDescending);
                (first, last) = (0, last - first);
            }
            else
            {
                Load(ctx, ref elements, entry, 0, count, reversed: false);
                if (!TryChooseKeys(ctx, options, ref elements, ref lookup))
                {
                    ctx.Reply.Error("ERR One or more scores can't be converted into double"u8);
                    return;
                }

                // A set has no order that equal elements could keep.
                elements.Sort((int)first, (int)last, options.IsDescending, keepsTies: !isSet);
            }

            if (options.StoreAt > 0)
            {
                Store(ctx, options, in elements, ref lookup, (int)first, (int)last);
            }
            else
            {
                Reply(ctx, options, in elements, ref lookup, (int)first, (int)last);
            }
        }
        finally
        {
            lookup.Dispose();
            elements.Dispose();
        }
    }

    private static long CountOf(CommandContext ctx, Entry entry) => entry.Type switch
    {
        ValueType.List => ListValue.Open(ctx.Database, entry, default).Count,
        ValueType.Set => SetValue.Open(ctx.Database, entry, default).Count,
        _ => SortedSetValue.Open(ctx.Database, entry, default).Count,
    };

    // Copies elements in a row, of a list or a sorted set also backwards.
    private static void Load(
        CommandContext ctx, ref SortVector elements, Entry entry, long first, long length, bool reversed)
    {
        if (length <= 0)
        {
            return;
        }

        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        switch (entry.Type)
        {
            case ValueType.List:
                ListValue list = ListValue.Open(ctx.Database, entry, ListCommands.LimitsOf(ctx));
                long start = reversed ? list.Count - 1 - first : first;
                foreach (PackedElement element in list.Walk(start, length, forward: !reversed))
                {
                    elements.Add(element.AsText(scratch));
                }

                break;
            case ValueType.Set:
                foreach (SetMember member in SetValue.Open(ctx.Database, entry, default))
                {
                    if (first-- > 0)
                    {
                        continue;
                    }

                    elements.Add(member.AsText(scratch));
                    if (--length == 0)
                    {
                        break;
                    }
                }

                break;
            default:
                SortedSetValue sortedSet = SortedSetValue.Open(ctx.Database, entry, default);
                SortedSetSlice slice = sortedSet.Slice(reversed ? sortedSet.Count - first - length : first, length);
                foreach (SortedSetMember member in sortedSet.Range(slice, reversed))
                {
                    elements.Add(member.Member.AsText(scratch));
                }

                break;
        }
    }

    // Tells the elements what they are sorted by. False when that is to be a number and is none.
    private static bool TryChooseKeys(
        CommandContext ctx, in SortOptions options, ref SortVector elements, ref SortLookup lookup)
    {
        SortPattern by = options.ByAt > 0 ? SortPattern.Of(ctx.Args[options.ByAt]) : default;
        Span<byte> scratch = stackalloc byte[SortLookup.ScratchBytes];
        bool areNumbers = true;
        for (int i = 0; i < elements.Count; i++)
        {
            scoped ReadOnlySpan<byte> text = elements[i];
            if (options.ByAt > 0 && !lookup.TryFind(in by, text, scratch, out text))
            {
                if (!options.IsAlpha)
                {
                    elements.SortByScore(i, 0);
                }

                continue;
            }

            if (!options.IsAlpha)
            {
                // All are looked at, and looked up, whether or not one has failed.
                areNumbers &= Numbers.TryParseSortKey(text, out double score);
                elements.SortByScore(i, score);
                continue;
            }

            int end = options.StoreAt > 0 ? -1 : text.IndexOf((byte)0);
            text = end < 0 ? text : text[..end];
            if (options.ByAt > 0)
            {
                elements.SortByKey(i, text);
            }
            else
            {
                elements.SortByText(i, text.Length);
            }
        }

        return areNumbers;
    }

    private static void Reply(
        CommandContext ctx, in SortOptions options, in SortVector elements, ref SortLookup lookup, int first, int last)
    {
        ReplyWriter reply = ctx.Reply;
        List<int>? gets = options.GetsAt;
        reply.Array((last - first + 1L) * (gets?.Count ?? 1));
        Span<byte> scratch = stackalloc byte[SortLookup.ScratchBytes];
        for (int i = first; i <= last; i++)
        {
            if (gets is null)
            {
                reply.BulkString(elements[i]);
                continue;
            }

            foreach (int at in gets)
            {
                if (lookup.TryFind(SortPattern.Of(ctx.Args[at]), elements[i], scratch, out ReadOnlySpan<byte> value))
                {
                    reply.BulkString(value);
                }
                else
                {
                    reply.Null();
                }
            }
        }
    }

    // Puts the result as a list in place of what the destination holds; what GET does not find is an empty string.
    private static void Store(
        CommandContext ctx, in SortOptions options, in SortVector elements, ref SortLookup lookup, int first, int last)
    {
        Span<byte> scratch = stackalloc byte[SortLookup.ScratchBytes];
        ListValue list = ListValue.Create(ctx.Server.Keyspace, ListCommands.LimitsOf(ctx));
        try
        {
            for (int i = first; i <= last; i++)
            {
                if (options.GetsAt is null)
                {
                    Append(ref list, elements[i]);
                    continue;
                }

                foreach (int at in options.GetsAt)
                {
                    lookup.TryFind(SortPattern.Of(ctx.Args[at]), elements[i], scratch, out ReadOnlySpan<byte> value);
                    Append(ref list, value);
                }
            }

            Key destination = ctx.Key(options.StoreAt);
            bool lazily = ctx.Server.Config.LazyFreeLazyServerDel;
            long count = list.Count;
            if (count > 0)
            {
                if (lookup.MetExpiringFields && ctx.Propagates)
                {
                    PropagateResult(ctx, destination, in list);
                }

                list.StoreAs(ctx.Database, destination, lazily);
                ctx.KeyChanged(destination, KeyEvent.SortStore, count);
            }
            else if (ctx.Database.Delete(destination, lazily))
            {
                ctx.KeyChanged(destination, KeyEvent.Del);
            }

            ctx.Reply.Integer(count);
        }
        finally
        {
            list.Dispose();
        }
    }

    // Fields that are overdue are passed over, and may be there still: one who replays the call would find them.
    private static void PropagateResult(CommandContext ctx, Key destination, in ListValue list)
    {
        ctx.PropagateAs("DEL"u8, destination.Bytes);
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        for (long start = 0; start < list.Count; start += ElementsPerRequest)
        {
            long length = Math.Min(list.Count - start, ElementsPerRequest);
            if (ctx.BeginPropagation((int)length + 2) is { } log)
            {
                log.Argument("RPUSH"u8);
                log.Argument(destination.Bytes);
                foreach (PackedElement element in list.Walk(start, length, forward: true))
                {
                    log.Argument(element.AsText(scratch));
                }
            }
        }
    }

    private static void Append(ref ListValue list, scoped ReadOnlySpan<byte> text)
    {
        list.PrepareToGrow(text.Length, 1);
        list.Push(text, atHead: false);
    }
}
