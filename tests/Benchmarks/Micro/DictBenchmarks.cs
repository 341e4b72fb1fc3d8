using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using KvServer.Storage;

namespace KvServer.Benchmarks.Micro;

/// <summary>The dict with a million entries at random places in memory: find, add and remove, at rest and in the middle
/// of a rehash. Hashing is part of each.</summary>
/// <remarks>In the middle of a rehash, both tables hold entries for the whole run: a third of the buckets have moved, then
/// they are kept in place. So the cost shown is that of searching two tables, without that of the steps. What
/// <see cref="RemoveAndAdd"/> adds goes to table 1 for good.</remarks>
[MemoryDiagnoser]
public unsafe class DictBenchmarks : IDisposable
{
    private const int KeyCount = 1 << 20;
    private const int NameBytes = 11;
    private const int Operations = 64;

    // One name after the other, in the order in which they are asked for: reading them must not cost what is measured.
    private readonly byte[] _names = new byte[KeyCount * NameBytes];
    private readonly byte[] _missing = new byte[KeyCount * NameBytes];
    private Keyspace? _store;
    private Dict<MemberLayout> _dict;
    private int _next;

    /// <summary>Whether both tables hold entries.</summary>
    [Params(false, true)]
    public bool IsRehashing { get; set; }

    private KeyHasher Hasher => _store!.Hasher;

    /// <summary>Fills the dict with keys of 11 bytes.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _store = new Keyspace(new KeyspaceOptions { DatabaseCount = 1 });
        _dict = Dict<MemberLayout>.Create(_store.MemberRuntime);
        int[] order = [.. Enumerable.Range(0, KeyCount)];
        new Random(1).Shuffle(order);
        for (int i = 0; i < KeyCount; i++)
        {
            Name(i, "key").CopyTo(_names, i * NameBytes);
            Name(i, "non").CopyTo(_missing, i * NameBytes);
        }

        foreach (int i in order)
        {
            Add(_names.AsSpan(i * NameBytes, NameBytes));
        }

        _store.ResizingAllowed = IsRehashing;
        if (IsRehashing)
        {
            Add("one more"u8); // Now there are more entries than buckets.
            _dict.RehashStep(KeyCount / 3);
            _dict.PauseRehash();
        }
    }

    /// <summary>Finds random keys.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int Find() => CountFound(_names);

    /// <summary>Looks for keys that do not exist.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int FindMissing() => CountFound(_missing);

    /// <summary>Finds random keys whose buckets and entries were asked for before, as in a pipeline of 64.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int FindPrefetched()
    {
        ulong* hashes = stackalloc ulong[Operations];
        int first = _next;
        for (int i = 0; i < Operations; i++)
        {
            hashes[i] = Hasher.Hash(NameAt(_names, _next++));
            _dict.PrefetchBucket(hashes[i]);
        }

        for (int i = 0; i < Operations; i++)
        {
            _dict.PrefetchEntry(hashes[i]);
        }

        int found = 0;
        for (int i = 0; i < Operations; i++)
        {
            found += _dict.Find(hashes[i], NameAt(_names, first + i)) != null ? 1 : 0;
        }

        return found;
    }

    /// <summary>Removes a random key and adds it again; the time is that of both.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void RemoveAndAdd()
    {
        for (int i = 0; i < Operations; i++)
        {
            ReadOnlySpan<byte> name = NameAt(_names, _next++);
            _dict.Add(_dict.Remove(Hasher.Hash(name), name));
        }
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        if (_store is not null)
        {
            Dict<MemberLayout>.FreeAll(_store.Heap, _dict.State, FreeFrom.CommandLoop);
            _store.Dispose();
            _store = null;
        }

        GC.SuppressFinalize(this);
    }

    private static byte[] Name(int number, string prefix) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{prefix}:{number:D7}"));

    private static ReadOnlySpan<byte> NameAt(byte[] names, int number) =>
        names.AsSpan((number & (KeyCount - 1)) * NameBytes, NameBytes);

    private void Add(ReadOnlySpan<byte> name)
    {
        ulong hash = Hasher.Hash(name);
        _dict.Find(hash, name); // The rehash step every insert owes.
        _dict.Add(MemberLayout.Create(_store!.Heap, hash, name));
    }

    private int CountFound(byte[] names)
    {
        int found = 0;
        for (int i = 0; i < Operations; i++)
        {
            ReadOnlySpan<byte> name = NameAt(names, _next++);
            found += _dict.Find(Hasher.Hash(name), name) != null ? 1 : 0;
        }

        return found;
    }
}
