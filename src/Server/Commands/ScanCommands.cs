using System.Text;
using KvServer.Resp;
using KvServer.Server.Text;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Walking the keyspace: KEYS, SCAN, RANDOMKEY.</summary>
internal static class ScanCommands
{
    /// <summary>Replies with every key that matches. O(N); SCAN does the same in small steps.</summary>
    [Command("KEYS", arity: 2, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(N) in the keys of the database.", Summary = "Lists all keys that match a pattern.",
        Syntax = "pattern", Acl = "keyspace dangerous", Tips = "request_policy:all_shards nondeterministic_output_order")]
    internal static void Keys(CommandContext ctx)
    {
        ByteStringList found = ctx.Server.Scratch;
        found.Clear();
        KeyCollector collector = new()
        {
            Found = found,
            Pattern = ctx.Args[1],
            MatchesAll = ctx.Args[1].SequenceEqual("*"u8),
        };
        ctx.Database.ForEach(ref collector);
        ReplyWith(ctx, found);
    }

    /// <summary>Replies with a cursor and some keys. What exists from the first call to the last is returned at least
    /// once, whatever else changes; some keys may come twice.</summary>
    [Command("SCAN", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "2.8.0",
        Complexity = "O(COUNT) for a call.", Summary = "Walks over the keys of the database in steps.",
        Syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]@6.0.0",
        Acl = "keyspace", Tips = "nondeterministic_output request_policy:special", History = "6.0.0: The TYPE option.")]
    internal static void Scan(CommandContext ctx)
    {
        if (!ScanOptions.TryParseCursor(ctx.Args[1], out ulong cursor))
        {
            ctx.Reply.Error(CommandError.InvalidCursor);
            return;
        }

        if (!ScanOptions.TryParse(ctx.Args, 2, ScanOptions.Words.Type, out ScanOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        ByteStringList found = ctx.Server.Scratch;
        found.Clear();
        KeyCollector collector = new()
        {
            Found = found,
            Pattern = options.Pattern,
            Type = options.Type,
            MatchesAll = options.MatchesAll,
        };

        cursor = ctx.Database.Scan(cursor, options.Count, ref collector);
        ReplyWith(ctx, cursor, found);
    }

    /// <summary>Replies with some key, null when there is none.</summary>
    [Command("RANDOMKEY", arity: 1, CommandFlags.ReadOnly, Group = CommandGroup.Generic, Since = "1.0.0",
        Complexity = "O(1)", Summary = "Names a random key.", Acl = "keyspace",
        Tips = "request_policy:all_shards nondeterministic_output")]
    internal static void RandomKey(CommandContext ctx)
    {
        if (ctx.Database.TryFindRandom(out Entry entry))
        {
            ctx.Reply.BulkString(entry.KeyBytes);
        }
        else
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Replies with one step of a scan, and empties the list.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="cursor">Where the next call goes on; 0 at the end.</param>
    /// <param name="found">What has been found.</param>
    internal static void ReplyWith(CommandContext ctx, ulong cursor, ByteStringList found)
    {
        Span<byte> digits = stackalloc byte[Numbers.MaxInt64Chars];
        ctx.Reply.Array(2);
        ctx.Reply.BulkString(digits[..Numbers.FormatUInt64(cursor, digits)]);
        ReplyWith(ctx, found);
    }

    private static void ReplyWith(CommandContext ctx, ByteStringList found)
    {
        ctx.Reply.Array(found.Count);
        for (int i = 0; i < found.Count; i++)
        {
            ctx.Reply.BulkString(found[i]);
        }

        found.Clear();
    }

    private ref struct KeyCollector : IEntryVisitor
    {
        public ByteStringList Found;
        public ReadOnlySpan<byte> Pattern;
        public ReadOnlySpan<byte> Type;
        public bool MatchesAll;

        public readonly void Visit(in Entry entry)
        {
            if ((MatchesAll || Glob.IsMatch(Pattern, entry.KeyBytes))
                && (Type.IsEmpty || Ascii.EqualsIgnoreCase(KeyCommands.TypeName(entry.Type), Type)))
            {
                Found.Add(entry.KeyBytes);
            }
        }
    }
}
