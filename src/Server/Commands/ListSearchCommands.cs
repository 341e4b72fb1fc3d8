using KvServer.Resp;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Finding elements of a list by their value.</summary>
/// <remarks>Semantics: redis.io/commands/lpos.</remarks>
internal static class ListSearchCommands
{
    /// <summary>Replies with the index of an element equal to a value, or null; with COUNT, with an array of
    /// indices.</summary>
    [Command("LPOS", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.List, Since = "6.0.6",
        Complexity = "O(N) in the elements compared.", Summary = "Finds elements of a list by their value.",
        Syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void LPos(CommandContext ctx)
    {
        if (!ListPositionOptions.TryParse(ctx.Args, out ListPositionOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        bool exists = ListCommands.TryOpen(ctx, 1, out ListValue list, out bool replied);
        if (exists && options.HasCount)
        {
            WriteIndices(ctx, in list, in options);
        }
        else if (exists)
        {
            WriteFirstIndex(ctx, in list, in options);
        }
        else if (!replied)
        {
            WriteNothing(ctx, options.HasCount);
        }
    }

    /// <summary>Index of the first element equal to a value, or -1.</summary>
    internal static long IndexOf(in ListValue list, ReadOnlySpan<byte> text)
    {
        PackedElement value = PackedElement.Of(text);
        long index = 0;
        foreach (PackedElement element in list)
        {
            if (AreEqual(element, value))
            {
                return index;
            }

            index++;
        }

        return -1;
    }

    private static void WriteIndices(CommandContext ctx, in ListValue list, in ListPositionOptions options)
    {
        DeferredAggregate reply = ctx.Reply.BeginArray();
        long written = 0;
        ListMatches matches = new(in list, ctx.Args[2], in options);
        while (matches.MoveNext())
        {
            ctx.Reply.Integer(matches.Index);
            written++;
            if (matches.HasAll(options.Count))
            {
                break;
            }
        }

        ctx.Reply.End(reply, written);
    }

    private static void WriteFirstIndex(CommandContext ctx, in ListValue list, in ListPositionOptions options)
    {
        ListMatches matches = new(in list, ctx.Args[2], in options);
        if (matches.MoveNext())
        {
            ctx.Reply.Integer(matches.Index);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    private static void WriteNothing(CommandContext ctx, bool hasCount)
    {
        if (hasCount)
        {
            ctx.Reply.EmptyArray();
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    private static bool AreEqual(PackedElement element, PackedElement value) => element.IsInteger
        ? value.IsInteger && element.Integer == value.Integer
        : element.Bytes.SequenceEqual(value.Bytes);

    /// <summary>Walks over the equal elements from the wanted rank on.</summary>
    private ref struct ListMatches
    {
        private readonly PackedElement _value;
        private readonly long _rank;
        private readonly int _step;
        private ListEnumerator _elements;
        private long _matches;

        public ListMatches(in ListValue list, ReadOnlySpan<byte> text, in ListPositionOptions options)
        {
            long length = list.Count;
            bool forward = options.Rank > 0;
            _value = PackedElement.Of(text);
            _rank = forward ? options.Rank : unchecked(-options.Rank);
            _step = forward ? 1 : -1;
            Index = forward ? -1 : length;
            long compared = options.MaxLength == 0 ? length : Math.Min(length, options.MaxLength);
            _elements = list.Walk(forward ? 0 : length - 1, compared, forward);
        }

        public long Index { get; private set; }

        public bool MoveNext()
        {
            while (_elements.MoveNext())
            {
                Index += _step;
                if (AreEqual(_elements.Current, _value) && ++_matches >= _rank)
                {
                    return true;
                }
            }

            return false;
        }

        // As the reference server counts, also where the smallest rank there is has no positive counterpart.
        public readonly bool HasAll(long count) => count != 0 && unchecked(_matches - _rank + 1) >= count;
    }
}
