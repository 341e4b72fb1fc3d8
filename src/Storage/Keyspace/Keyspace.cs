using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>All databases with what they share: heap, hasher, clock, statistics, background reclaimer.</summary>
/// <remarks>Command loop only, unless a member says otherwise. Dispose it when the loop has ended.</remarks>
public sealed partial class Keyspace : IDisposable
{
    // What the reclaimer has freed is taken back for at most a millisecond per tick, looking at the clock now and then.
    private const int DrainBudgetMs = 1;
    private const int SlabsPerClockRead = 64;

    private readonly Database[] _databases;
    private long _nowMs;
    private long _expiryNowMs;
    private bool _ignoresExpiry;
    private int _shrinkCursor;
    private int _rehashCursor;
    private bool _disposed;

    /// <summary>Makes empty databases.</summary>
    public Keyspace(KeyspaceOptions? options = null)
    {
        options ??= new KeyspaceOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.DatabaseCount, 1);
        Heap = options.Heap ?? new NativeHeap();
        Hasher = options.Hasher ?? new KeyHasher();
        Random = options.Random ?? new Random();
        Reclaimer = new Reclaimer(Heap);
        MemberRuntime = new DictRuntime(Heap, ResizePolicy, Reclaimer);
        Eviction = new Eviction(this);
        _databases = new Database[options.DatabaseCount];
        for (int i = 0; i < _databases.Length; i++)
        {
            _databases[i] = new Database(this, i);
        }
    }

    /// <summary>Called when a key is removed because its time has come.</summary>
    /// <param name="database">Where it was; the key is already gone from it.</param>
    /// <param name="key">Its name, valid during the call.</param>
    public delegate void ExpiredHandler(Database database, ReadOnlySpan<byte> key);

    /// <summary>Told about each key that expires, in the middle of a command; must not change the store.</summary>
    public ExpiredHandler? Expired { get; set; }

    /// <summary>Called when a key is removed because memory is short.</summary>
    /// <param name="database">Where it was; the key is already gone from it.</param>
    /// <param name="key">Its name, valid during the call.</param>
    public delegate void EvictedHandler(Database database, ReadOnlySpan<byte> key);

    /// <summary>Told about each key that is evicted, between two commands; must not change the store.</summary>
    public EvictedHandler? Evicted { get; set; }

    /// <summary>Called when a field of a hash is removed because its time has come.</summary>
    /// <param name="database">Where the hash is.</param>
    /// <param name="key">The hash's key, valid during the call.</param>
    /// <param name="field">The field, valid during the call.</param>
    /// <param name="isLast">Whether the key goes with it.</param>
    public delegate void FieldExpiredHandler(
        Database database, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, bool isLast);

    /// <summary>Told about each field that expires, in the middle of a command; must not change the store.</summary>
    public FieldExpiredHandler? FieldExpired { get; set; }

    /// <summary>Called when a look-up of a key has found something out.</summary>
    /// <param name="database">Where the key is, or was looked for.</param>
    /// <param name="key">Its name, valid during the call.</param>
    public delegate void KeyHandler(Database database, ReadOnlySpan<byte> key);

    /// <summary>Called when fields of a hash have been removed because their time has come.</summary>
    /// <param name="database">Where the hash is.</param>
    /// <param name="key">The hash's key, valid during the call.</param>
    /// <param name="isLast">Whether none is left, so that the key goes with them.</param>
    public delegate void FieldsExpiredHandler(Database database, ReadOnlySpan<byte> key, bool isLast);

    /// <summary>Told once about all fields of a hash that expire together, after <see cref="FieldExpired"/> has been told
    /// about each; must not change the store.</summary>
    public FieldsExpiredHandler? FieldsExpired { get; set; }

    /// <summary>Told about each key that comes into a database, before it has its value; must not look at the store.</summary>
    public KeyHandler? Added { get; set; }

    /// <summary>Told about each key that is looked for to be read and is not there; must not change the store.</summary>
    public KeyHandler? Missed { get; set; }

    /// <summary>Where all native memory comes from.</summary>
    public NativeHeap Heap { get; }

    /// <summary>Hashes keys and members.</summary>
    public KeyHasher Hasher { get; }

    /// <summary>Frees large things in the background.</summary>
    public Reclaimer Reclaimer { get; }

    /// <summary>Who reads which values in parts.</summary>
    internal PartialReads PartialReads { get; } = new();

    /// <summary>Counters for INFO.</summary>
    public KeyspaceStatistics Statistics { get; } = new();

    /// <summary>Keeps the store within the memory limit.</summary>
    public Eviction Eviction { get; }

    /// <summary>What the dicts behind sets and other collections share, with their statistics.</summary>
    public DictRuntime MemberRuntime { get; }

    /// <summary>Number of databases.</summary>
    public int DatabaseCount => _databases.Length;

    /// <summary>Wall clock in milliseconds since 1970; set once per turn of the loop, or as often as is good.</summary>
    public long NowMs
    {
        get => _nowMs;
        set
        {
            _nowMs = value;
            _expiryNowMs = _ignoresExpiry ? long.MinValue : value;
            UpdateAccessClock();
        }
    }

    /// <summary>Whether no key's time ever comes: while a log of commands is replayed, which names the keys that had
    /// expired at the time, every other key has to be there for the commands that follow.</summary>
    public bool IgnoresExpiry
    {
        get => _ignoresExpiry;
        set
        {
            _ignoresExpiry = value;
            NowMs = _nowMs;
        }
    }

    /// <summary>Whether a key that expires at an instant is gone by now.</summary>
    /// <param name="atMs">Milliseconds since 1970.</param>
    public bool HasPassed(long atMs) => atMs <= _expiryNowMs;

    /// <summary>Whether a key with this expiry time may not be seen any more.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    internal bool IsOver(long expireAtMs) => _expiryNowMs > expireAtMs;

    /// <summary>The instant that tells whether the time of a field has come; long ago while nothing expires.</summary>
    internal long ExpiryNowMs => _expiryNowMs;

    /// <summary>Whether dicts may resize; off while a snapshot or an AOF rewrite runs.</summary>
    public bool ResizingAllowed
    {
        get => ResizePolicy.Allowed;
        set => ResizePolicy.Allowed = value;
    }

    /// <summary>
    /// Whether keys whose time has come are removed. While off they are just not found, as when writes are paused.
    /// </summary>
    public bool DeletesExpiredKeys { get; set; } = true;

    /// <summary>Whether large values of expired keys are freed in the background (lazyfree-lazy-expire).</summary>
    public bool LazyExpire { get; set; }

    /// <summary>
    /// What reads and writes by type do about accesses; <see cref="LookupFlags.NoTouch"/> while a client with NO-TOUCH
    /// runs.
    /// </summary>
    public LookupFlags AccessFlags { get; set; }

    /// <summary>Whether dicts may resize, and how often that has changed.</summary>
    public ResizePolicy ResizePolicy { get; } = new();

    /// <summary>Whether any hash has fields that expire. O(databases).</summary>
    public bool HasExpiringFields => Array.Exists(_databases, database => database.ExpiringHashCount > 0);

    internal Random Random { get; }

    internal ListCompressor ListCompressor { get; } = new();

    /// <summary>A database by number.</summary>
    public Database this[int index] => _databases[index];

    /// <summary>The hash of a key or member; any thread.</summary>
    public ulong HashOf(ReadOnlySpan<byte> bytes) => Hasher.Hash(bytes);

    /// <summary>A key with its hash; any thread.</summary>
    public Key KeyOf(ReadOnlySpan<byte> bytes) => new(bytes, Hasher.Hash(bytes));

    /// <summary>Exchanges two databases: what clients of one saw, those of the other see now. O(1).</summary>
    public void Swap(int first, int second)
    {
        if (first != second)
        {
            _databases[first].SwapWith(_databases[second]);
        }
    }

    /// <summary>Removes all keys of all databases; see <see cref="Database.Flush"/>.</summary>
    /// <returns>The number of keys removed.</returns>
    public long FlushAll(bool inBackground)
    {
        long count = 0;
        foreach (Database database in _databases)
        {
            count += database.Flush(inBackground);
        }

        EndEmptySnapshot();
        return count;
    }

    /// <summary>The recurring work on memory and tables; call it ten times a second or more often.</summary>
    /// <param name="rehashBudgetMs">Time for a rehash under way (activerehashing): 1, or 0 for none.</param>
    /// <remarks>
    /// Takes back what the reclaimer has freed, gives back what has stayed empty, shrinks sparse tables, notes the
    /// peak. Bounded time.
    /// </remarks>
    public void Cron(int rehashBudgetMs)
    {
        long drainDeadline = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * DrainBudgetMs / 1000);
        while (Heap.DrainRemoteFrees(SlabsPerClockRead) && Stopwatch.GetTimestamp() < drainDeadline)
        {
        }

        Heap.TrimRegions();
        Eviction.Cron();
        Heap.UpdatePeak();
        if (!ResizingAllowed)
        {
            return;
        }

        for (int i = 0; i < Math.Min(DatabaseCount, 16); i++)
        {
            _databases[_shrinkCursor++ % DatabaseCount].TryShrink();
        }

        _shrinkCursor %= DatabaseCount;
        if (rehashBudgetMs > 0)
        {
            long deadline = Stopwatch.GetTimestamp()
                + (Stopwatch.Frequency * rehashBudgetMs / 1000);
            for (int i = 0; i < DatabaseCount; i++)
            {
                if (_databases[_rehashCursor % DatabaseCount].RehashUntil(deadline))
                {
                    break; // The budget is for one dict at a time; the next tick goes on here.
                }

                _rehashCursor = (_rehashCursor + 1) % DatabaseCount;
            }
        }
    }

    /// <summary>Frees everything, the heap included. O(keys).</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Snapshot?.Free();
        Snapshot = null;
        Reclaimer.Dispose();
        foreach (Database database in _databases)
        {
            database.Free();
        }

        Heap.DrainRemoteFrees(int.MaxValue);
        Heap.Dispose();
    }
}
