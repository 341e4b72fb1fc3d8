using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Observability;

/// <summary>Finds the largest keys by walking over all of them, a little at a time: what BIGKEYS tells.</summary>
/// <remarks>
/// <para>The cron gives it half a hundredth of the time. A pass visits every key that is there from its beginning to its end,
/// and notes the names of the largest of each type, by bytes and by elements. After a pass it rests for twice as long as that
/// took, at least half a minute: on a busy machine most of its time goes to others, and the walk's share of what is left to the
/// server would be large. The names of the last pass and of the one under way are the candidates. An answer looks each of
/// them up again, so it shows keys that exist, with the size they have now. What has grown since the walk came by is missing
/// until the next pass.</para>
/// <para>Keys over 4 KB are only counted: their names would not be kept in bounded memory.</para>
/// <para>Command loop only.</para>
/// </remarks>
internal sealed class BigKeys(Keyspace keyspace, TimeProvider clock)
{
    /// <summary>The longest key whose name is kept, in bytes.</summary>
    public const int MaxNameBytes = 4096;

    /// <summary>The most keys that <see cref="Largest"/> can tell.</summary>
    public const int MaxCount = BigKeyNames.Capacity;

    private const int SliceKeys = 16;
    private const int Samples = 5;
    private const int TypeCount = (int)ValueType.Stream + 1;
    private static readonly TimeSpan MinRest = TimeSpan.FromSeconds(30);

    private Candidates _found = new();
    private Candidates _finding = new();
    private bool _isWalking;
    private int _database;
    private ulong _cursor;
    private long _startedAt;
    private long _restsUntil;

    /// <summary>Whether the walk goes on by itself.</summary>
    public bool IsOn { get; private set; } = true;

    /// <summary>Passes completed since the start or the last reset.</summary>
    public long Passes { get; private set; }

    /// <summary>When the last pass ended, in ms since the Unix epoch; 0 before the first.</summary>
    public long LastPassEndedAtMs { get; private set; }

    /// <summary>Keys the last pass has seen.</summary>
    public long LastPassKeys => _found.Seen;

    /// <summary>Keys the pass under way has seen so far; 0 while it rests.</summary>
    public long CurrentPassKeys => _finding.Seen;

    /// <summary>Keys of either pass whose names are too long to be kept; of the larger number.</summary>
    public long LongNames => Math.Max(_found.LongNames, _finding.LongNames);

    /// <summary>How long <see cref="CatchUp"/> may take.</summary>
    public TimeSpan CatchUpBudget { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Walks on for a moment, if a pass is under way or due.</summary>
    /// <param name="budget">The moment.</param>
    public void Step(TimeSpan budget)
    {
        long now = clock.GetTimestamp();
        if (!IsOn || (!_isWalking && now < _restsUntil))
        {
            return;
        }

        Walk(now, budget);
    }

    /// <summary>Walks on for a moment even while resting. A small dataset is gone through in this time, so that it is never
    /// told anything old.</summary>
    public void CatchUp() => Walk(clock.GetTimestamp(), CatchUpBudget);

    /// <summary>The largest keys at this moment among those the walk has found, largest first.</summary>
    /// <param name="type">Of this type only; null for any.</param>
    /// <param name="byElements">By elements, and no strings; otherwise by bytes.</param>
    /// <param name="count">How many at most.</param>
    /// <remarks>O(candidates): a few hundred look-ups.</remarks>
    public List<BigKey> Largest(ValueType? type, bool byElements, int count)
    {
        List<BigKey> keys = [];
        Measure(_found, type, byElements, keys);
        Measure(_finding, type, byElements, keys);
        keys.Sort((a, b) => Compare(a, b, byElements));
        List<BigKey> largest = [];
        for (int i = 0; i < keys.Count && largest.Count < count; i++)
        {
            if (i == 0 || Compare(keys[i - 1], keys[i], byElements) != 0)
            {
                largest.Add(keys[i]);
            }
        }

        return largest;
    }

    /// <summary>Forgets everything; a new pass is due.</summary>
    public void Reset()
    {
        _found.Clear();
        _finding.Clear();
        _isWalking = false;
        _restsUntil = 0;
        Passes = 0;
        LastPassEndedAtMs = 0;
    }

    /// <summary>Begins or stops to walk; what was found is forgotten.</summary>
    public void Switch(bool on)
    {
        if (IsOn != on)
        {
            IsOn = on;
            Reset();
        }
    }

    private void Walk(long now, TimeSpan budget)
    {
        long end = now + (long)(budget.TotalSeconds * clock.TimestampFrequency);
        if (!_isWalking)
        {
            _isWalking = true;
            _startedAt = now;
            _database = 0;
            _cursor = 0;
        }

        do
        {
            Surveyor surveyor = new(_finding, _database);
            _cursor = keyspace[_database].Survey(_cursor, SliceKeys, ref surveyor);
            if (_cursor == 0 && ++_database == keyspace.DatabaseCount)
            {
                EndPass();
                return;
            }
        }
        while (clock.GetTimestamp() < end);
    }

    private void EndPass()
    {
        (_found, _finding) = (_finding, _found);
        _finding.Clear();
        _isWalking = false;
        long now = clock.GetTimestamp();
        long rest = (long)(MinRest.TotalSeconds * clock.TimestampFrequency);
        _restsUntil = now + Math.Max(rest, 2 * (now - _startedAt));
        Passes++;
        LastPassEndedAtMs = keyspace.NowMs;
    }

    private void Measure(Candidates candidates, ValueType? type, bool byElements, List<BigKey> keys)
    {
        BigKeyNames[] names = byElements ? candidates.ByElements : candidates.ByBytes;
        for (int i = 0; i < TypeCount; i++)
        {
            if (type is null || i == (int)type)
            {
                foreach ((int database, byte[] name) in names[i].All)
                {
                    if (keyspace[database].TryFind(
                            keyspace.KeyOf(name), LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry)
                        && (type is null || entry.Type == type)
                        && (!byElements || entry.Type != ValueType.String))
                    {
                        keys.Add(new BigKey(database, name, entry.Type, entry.MemoryUsage(Samples), entry.ElementCount));
                    }
                }
            }
        }
    }

    private static int Compare(in BigKey a, in BigKey b, bool byElements)
    {
        int order = byElements ? b.Elements.CompareTo(a.Elements) : b.Bytes.CompareTo(a.Bytes);
        order = order != 0 ? order : a.Database.CompareTo(b.Database);
        return order != 0 ? order : a.Name.AsSpan().SequenceCompareTo(b.Name);
    }

    /// <summary>What one pass has found.</summary>
    private sealed class Candidates
    {
        public BigKeyNames[] ByBytes { get; } = Make();

        public BigKeyNames[] ByElements { get; } = Make();

        public long Seen { get; set; }

        public long LongNames { get; set; }

        public void Clear()
        {
            Array.ForEach(ByBytes, names => names.Clear());
            Array.ForEach(ByElements, names => names.Clear());
            Seen = 0;
            LongNames = 0;
        }

        private static BigKeyNames[] Make() => [.. Enumerable.Range(0, TypeCount).Select(_ => new BigKeyNames())];
    }

    private readonly struct Surveyor(Candidates candidates, int database) : IEntryVisitor
    {
        public void Visit(in Entry entry)
        {
            candidates.Seen++;
            ReadOnlySpan<byte> name = entry.KeyBytes;
            if (name.Length > MaxNameBytes)
            {
                candidates.LongNames++;
                return;
            }

            long bytes = entry.MemoryUsage(Samples);
            BigKeyNames byBytes = candidates.ByBytes[(int)entry.Type];
            if (byBytes.Admits(bytes))
            {
                byBytes.Add(database, name, bytes);
            }

            if (entry.Type != ValueType.String)
            {
                long elements = entry.ElementCount;
                BigKeyNames byElements = candidates.ByElements[(int)entry.Type];
                if (byElements.Admits(elements))
                {
                    byElements.Add(database, name, elements);
                }
            }
        }
    }
}
