using System.Text;

namespace KvServer.Storage;

/// <content>Walking over keys: SCAN, KEYS, RANDOMKEY, and the figures of both dicts.</content>
public sealed unsafe partial class Database
{
    // A random choice gives up avoiding keys whose time has come after so many tries.
    private const int RandomTries = 100;

    /// <summary>Visits some of the keys and returns the cursor to go on with; 0 starts and 0 ends.</summary>
    /// <param name="cursor">0, or what the last call returned.</param>
    /// <param name="count">About how many entries to visit; at most ten times as many buckets are looked at.</param>
    /// <param name="visitor">Sees the entries; not those whose time has come.</param>
    /// <remarks>
    /// A key that is there from the first call to the last is visited at least once, whatever resizes happen; perhaps
    /// more than once. O(count).
    /// </remarks>
    public ulong Scan<TVisitor>(ulong cursor, long count, ref TVisitor visitor)
        where TVisitor : IEntryVisitor, allows ref struct =>
        Walk<TVisitor, ScanAction<TVisitor>>(cursor, count, ref visitor);

    /// <summary>Visits some of the keys as <see cref="Scan"/> does, and changes nothing: keys whose time has come are passed
    /// by and stay.</summary>
    public ulong Survey<TVisitor>(ulong cursor, long count, ref TVisitor visitor)
        where TVisitor : IEntryVisitor, allows ref struct =>
        Walk<TVisitor, ForEachAction<TVisitor>>(cursor, count, ref visitor);

    /// <summary>Visits every key once, except those whose time has come. O(keys).</summary>
    public void ForEach<TVisitor>(ref TVisitor visitor)
        where TVisitor : IEntryVisitor, allows ref struct
    {
        var walk = new WalkState<TVisitor> { Visitor = visitor };
        _keys.ForEach<Database, WalkState<TVisitor>, ForEachAction<TVisitor>>(this, ref walk);
        visitor = walk.Visitor;
    }

    /// <summary>Chooses a key at random, nearly uniformly.</summary>
    /// <remarks>O(1). Keys whose time has come are removed on the way.</remarks>
    public bool TryFindRandom(out Entry entry)
    {
        entry = default;
        for (int tries = 0; _keys.Count > 0; tries++)
        {
            byte* block = _keys.FindFairRandom(_keyspace.Random);
            if ((EntryBlock.FlagsOf(block) & EntryFlags.Volatile) != EntryFlags.None
                && IsExpired(block)
                && ExpireOnAccess(block) == null
                && (_keyspace.DeletesExpiredKeys || tries < RandomTries))
            {
                continue;
            }

            entry = new Entry(block);
            return true;
        }

        return false;
    }

    /// <summary>What the dict of keys, or that of expiry times, looks like now. O(1).</summary>
    public DictFigures GetFigures(bool ofExpiries = false) =>
        ofExpiries
            ? new DictFigures(
                _expires.BucketCountOf(0),
                _expires.UsedOf(0),
                _expires.BucketCountOf(1),
                _expires.UsedOf(1),
                _expires.RehashIndex,
                _expiresRuntime.Statistics)
            : new DictFigures(
                _keys.BucketCountOf(0),
                _keys.UsedOf(0),
                _keys.BucketCountOf(1),
                _keys.UsedOf(1),
                _keys.RehashIndex,
                _keysRuntime.Statistics);

    /// <summary>The text of DEBUG HTSTATS for this database. O(buckets).</summary>
    public string DescribeTables()
    {
        var text = new StringBuilder();
        text.Append("[Dictionary HT]\n");
        _keys.Describe(text);
        text.Append("[Expires HT]\n");
        _expires.Describe(text);
        return text.ToString();
    }

    /// <summary>The text of DEBUG HTSTATS-KEY, or null when the value is no dict. O(buckets).</summary>
    public string? DescribeTablesOf(in Entry entry)
    {
        if (!EntryBlock.IsDict(entry.Encoding))
        {
            return null;
        }

        var text = new StringBuilder();
        DictCollection.Of(entry.Type).Describe(_keyspace.MemberRuntime, (DictState*)entry.Pointer, text);
        return text.ToString();
    }

    private ulong Walk<TVisitor, TAction>(ulong cursor, long count, ref TVisitor visitor)
        where TVisitor : IEntryVisitor, allows ref struct
        where TAction : struct, IEntryAction<Database, WalkState<TVisitor>>
    {
        var walk = new WalkState<TVisitor> { Visitor = visitor };
        long steps = Math.Min(count, long.MaxValue / 10) * 10;
        do
        {
            cursor = _keys.Scan<Database, WalkState<TVisitor>, TAction>(cursor, this, ref walk);
        }
        while (cursor != 0 && steps-- > 0 && walk.Seen < count);
        visitor = walk.Visitor;
        return cursor;
    }

    private ref struct WalkState<TVisitor>
        where TVisitor : IEntryVisitor, allows ref struct
    {
        public TVisitor Visitor;
        public long Seen;
    }

    private readonly struct ScanAction<TVisitor> : IEntryAction<Database, WalkState<TVisitor>>
        where TVisitor : IEntryVisitor, allows ref struct
    {
        public static void Visit(Database context, ref WalkState<TVisitor> state, byte* entry)
        {
            state.Seen++;
            if ((EntryBlock.FlagsOf(entry) & EntryFlags.Volatile) != EntryFlags.None && context.IsExpired(entry))
            {
                context.ExpireOnAccess(entry);
                return;
            }

            state.Visitor.Visit(new Entry(entry));
        }
    }

    private readonly struct ForEachAction<TVisitor> : IEntryAction<Database, WalkState<TVisitor>>
        where TVisitor : IEntryVisitor, allows ref struct
    {
        public static void Visit(Database context, ref WalkState<TVisitor> state, byte* entry)
        {
            state.Seen++;
            if ((EntryBlock.FlagsOf(entry) & EntryFlags.Volatile) == EntryFlags.None || !context.IsExpired(entry))
            {
                state.Visitor.Visit(new Entry(entry));
            }
        }
    }
}
