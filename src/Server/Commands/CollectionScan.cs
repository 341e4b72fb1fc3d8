using KvServer.Resp;
using KvServer.Server.Text;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>What SSCAN, HSCAN and ZSCAN have in common: all but the elements.</summary>
internal static class CollectionScan
{
    /// <summary>Replies with a cursor and some elements of the collection at the first key.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="type">Set, hash or sorted set.</param>
    internal static void Reply(CommandContext ctx, ValueType type)
    {
        // C's strtoul, which the reference server reads cursors with, takes no digits at all for zero.
        Arguments args = ctx.Args;
        ulong cursor = 0;
        if (!args[2].IsEmpty && !ScanOptions.TryParseCursor(args[2], out cursor))
        {
            ctx.Reply.Error(CommandError.InvalidCursor);
            return;
        }

        ByteStringList found = ctx.Server.Scratch;
        found.Clear();
        if (!ctx.TryFindForRead(ctx.Key(1), type, out Entry entry, out bool replied))
        {
            if (!replied)
            {
                ScanCommands.ReplyWith(ctx, 0, found);
            }

            return;
        }

        ScanOptions.Words words = type == ValueType.Hash ? ScanOptions.Words.NoValues : ScanOptions.Words.None;
        if (!ScanOptions.TryParse(args, 3, words, out ScanOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        // A pattern that matches little must not make one call walk the whole table.
        ScanCollector collector = new(found, options);
        long bucketsLeft = options.Count > long.MaxValue / 10 ? long.MaxValue : options.Count * 10;
        do
        {
            cursor = Step(ctx.Database, entry, cursor, ref collector);
            bucketsLeft--;
        }
        while (cursor != 0 && bucketsLeft > 0 && collector.Seen < options.Count);

        ScanCommands.ReplyWith(ctx, cursor, found);
    }

    private static ulong Step(Database database, Entry entry, ulong cursor, ref ScanCollector collector) =>
        entry.Type switch
        {
            ValueType.Set => SetValue.Open(database, entry, default).Scan(cursor, ref collector),
            ValueType.Hash => HashValue.Open(database, entry, default).Scan(cursor, ref collector),
            _ => SortedSetValue.Open(database, entry, default).Scan(cursor, ref collector),
        };
}
