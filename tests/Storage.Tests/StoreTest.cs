using System.Text;

namespace KvServer.Storage.Tests;

/// <summary>Runs each test on a heap that finds memory errors, and asserts that nothing leaks.</summary>
public abstract class StoreTest : IDisposable
{
    protected const long StartMs = 1_700_000_000_000;

    protected StoreTest()
        : this(null)
    {
    }

    protected StoreTest(KeyHasher? hasher)
    {
        Heap = new TrackingHeap(recordsStacks: Environment.GetEnvironmentVariable("KVSERVER_TEST_STACKS") is not null);
        Store = new Keyspace(new KeyspaceOptions { Heap = Heap, Hasher = hasher, Random = new Random(42) })
        {
            NowMs = StartMs,
        };
    }

    protected TrackingHeap Heap { get; }

    protected Keyspace Store { get; }

    protected Database Db => Store[0];

    public void Dispose()
    {
        Heap.FailAfter(-1);
        Store.Reclaimer.WaitUntilIdle();
        Heap.Verify();
        Store.Dispose();
        Assert.True(Heap.LiveBytes == 0, "Leaked:\n" + Heap.ReportLeaks());
        Assert.Equal(0, Heap.UsedBytes);
        GC.SuppressFinalize(this);
    }

    protected static byte[] B(string text) => Encoding.Latin1.GetBytes(text);

    protected static string S(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    protected Key K(string key) => Store.KeyOf(B(key));

    protected void Set(string key, string value, long expireAtMs = Database.NoExpiry) =>
        Db.SetString(K(key), B(value), expireAtMs);

    protected string? Get(string key) => Get(Db, key);

    protected string? Get(Database database, string key) =>
        database.TryFind(K(key), LookupFlags.None, out Entry entry)
            ? S(entry.GetStringSpan(stackalloc byte[Entry.ScratchBytes]))
            : null;

    /// <summary>Gives all parts of values that can be moved other blocks, as when their slabs are emptied.</summary>
    /// <returns>How many have been moved.</returns>
    protected long MoveParts()
    {
        PartCompaction parts = Store.Eviction.Compaction.Parts;
        long before = parts.MovedBlocks;
        Heap.IsSparse = true;
        parts.WalkAll();
        Heap.IsSparse = false;
        return parts.MovedBlocks - before;
    }

    protected Entry Find(string key)
    {
        Assert.True(Db.TryFind(K(key), LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry));
        return entry;
    }

    protected string EncodingOf(string key) => S(Find(key).EncodingName);
}
