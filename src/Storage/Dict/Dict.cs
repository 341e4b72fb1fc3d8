using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvServer.Storage;

/// <summary>A chained hash table with two bucket arrays and progressive rehash.</summary>
/// <remarks>
/// <code>
/// table 0 (old)      table 1 (new, twice as many buckets)
/// [0] moved          [0] -> e -> e
/// [1] moved          [1]
/// [2] -> e -> e  &lt;-- rehash index: the next bucket to move
/// [3] -> e           [2] .. [7]
/// </code>
/// <para>
/// Bucket counts are powers of two, the first is 4, and a bucket's index is the hash's low bits. While a rehash is
/// under way new entries go to table 1, look-ups search both, and every look-up, insert and delete first moves one
/// non-empty bucket, passing at most ten empty ones. So the work of a resize is spread over the operations that
/// follow it, reads included: a cache that is only read after a burst of writes still finishes its rehash. When
/// table 0 is empty, table 1 takes its place.
/// </para>
/// <para>
/// Expand: when there are as many entries as buckets and resizing is allowed, or more than five per bucket even if it
/// is not. Shrink: when less than a tenth of the buckets is filled, on request (<see cref="TryShrink"/>); when the
/// smaller table fills up before the larger one is empty, the tables change places and the rehash turns back.
/// </para>
/// <para>
/// The dict owns its tables; entries are blocks the caller allocates, and are freed by whoever takes them out, or
/// through the layout when the whole dict goes. No operation takes time in proportion to the size of a table, except
/// those that say so. Command loop only.
/// </para>
/// </remarks>
/// <typeparam name="TLayout">How keys are read from entries.</typeparam>
public readonly unsafe partial struct Dict<TLayout>
    where TLayout : struct, IEntryLayout
{
    /// <summary>Buckets of the first table.</summary>
    public const int InitialBucketCount = 4;

    /// <summary>Empty buckets a rehash step may pass for each bucket it moves.</summary>
    public const int EmptyBucketsPerStep = 10;

    // An entry keeps 32 bits of hash, so more buckets could not be told apart.
    private const long MaxBucketCount = 1L << 32;

    // Old tables from this size on go to the reclaimer: unmapping takes time in proportion.
    private const nuint LargeTableBytes = 256 * 1024;

    private readonly DictState* _state;
    private readonly DictRuntime _runtime;

    /// <summary>Makes a handle for a state made by <see cref="Create"/>.</summary>
    public Dict(DictState* state, DictRuntime runtime)
    {
        _state = state;
        _runtime = runtime;
    }

    /// <summary>The native memory behind this handle.</summary>
    public DictState* State => _state;

    /// <summary>What dicts of this family share.</summary>
    public DictRuntime Runtime => _runtime;

    /// <summary>Number of entries.</summary>
    public long Count => _state->Table0.Used + _state->Table1.Used;

    /// <summary>Whether a rehash is under way.</summary>
    public bool IsRehashing => _state->RehashIndex >= 0;

    /// <summary>The next bucket to move, or -1.</summary>
    public long RehashIndex => _state->RehashIndex;

    /// <summary>Makes an empty dict; its first table comes with the first entry.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static Dict<TLayout> Create(DictRuntime runtime)
    {
        var state = (DictState*)runtime.Heap.Allocate((nuint)TLayout.StateBytes, HeapTag.State);
        new Span<byte>(state, TLayout.StateBytes).Clear();
        state->RehashIndex = -1;
        return new Dict<TLayout>(state, runtime);
    }

    /// <summary>Frees a dict with all its entries. O(entries). Any thread that owns the dict outright.</summary>
    /// <returns>The number of entries freed.</returns>
    public static long FreeAll(NativeHeap heap, DictState* state, FreeFrom from)
    {
        long count = FreeTable(heap, ref state->Table0, from) + FreeTable(heap, ref state->Table1, from);
        heap.Free((byte*)state, (nuint)TLayout.StateBytes, HeapTag.State, from);
        return count;
    }

    /// <summary>Bucket count of table 0 or 1.</summary>
    public long BucketCountOf(int table) => table == 0 ? _state->Table0.BucketCount : _state->Table1.BucketCount;

    /// <summary>Entries in table 0 or 1.</summary>
    public long UsedOf(int table) => table == 0 ? _state->Table0.Used : _state->Table1.Used;

    /// <summary>Finds the entry with a key, after the rehash step every operation owes.</summary>
    /// <returns>The entry, or null.</returns>
    /// <remarks>O(1) expected.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Find(ulong hash, ReadOnlySpan<byte> key)
    {
        DictState* state = _state;
        if (state->RehashIndex >= 0)
        {
            return FindInBoth(hash, key);
        }

        if (state->Table0.Buckets == null)
        {
            return null;
        }

        byte* entry = state->Table0.Buckets[hash & state->Table0.Mask];
        while (entry != null)
        {
            if (EntryLink.Hash(entry) == (uint)hash && TLayout.Matches(entry, key))
            {
                return entry;
            }

            entry = EntryLink.Next(entry);
        }

        return null;
    }

    /// <summary>Adds an entry whose key is not in the dict, as <see cref="Find"/> has just told.</summary>
    /// <param name="entry">The dict links it and does not own it; its hash is set.</param>
    /// <remarks>
    /// O(1). Takes no rehash step of its own, because the look-up before it has done one. A table that the system has
    /// no memory for is not an error: the dict goes on with longer chains and tries again.
    /// </remarks>
    public void Add(byte* entry)
    {
        DictState* state = _state;
        if (state->RehashIndex >= 0)
        {
            TurnBackIfCrowded();
        }
        else if (state->Table0.Used >= state->Table0.BucketCount)
        {
            ExpandIfNeeded();
        }

        ref DictTable table = ref state->RehashIndex >= 0 ? ref state->Table1 : ref state->Table0;
        byte** bucket = table.Buckets + (EntryLink.Hash(entry) & table.Mask);
        EntryLink.SetNext(entry, *bucket);
        *bucket = entry;
        table.Used++;
    }

    /// <summary>Takes the rehash step that an insert or a removal owes when no look-up of the key comes before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StepWithoutLookup()
    {
        if (IsRehashing)
        {
            StepForCommand();
        }
    }

    /// <summary>Finds an entry and takes it out, after the rehash step every operation owes.</summary>
    /// <returns>The entry, which now belongs to the caller, or null.</returns>
    public byte* Remove(ulong hash, ReadOnlySpan<byte> key)
    {
        byte* entry = Find(hash, key);
        if (entry != null)
        {
            Unlink(entry);
        }

        return entry;
    }

    /// <summary>Takes out an entry that is known to be in the dict; it now belongs to the caller.</summary>
    /// <remarks>O(chain length).</remarks>
    public void Unlink(byte* entry)
    {
        byte* next = EntryLink.Next(entry);
        if (TryRelink(ref _state->Table0, entry, next))
        {
            _state->Table0.Used--;
            return;
        }

        Invariant.Check(TryRelink(ref _state->Table1, entry, next), "an entry to take out was not in its dict");
        _state->Table1.Used--;
    }

    /// <summary>Puts a block in the place of an entry, which now belongs to the caller; the keys must be the same.</summary>
    /// <remarks>O(chain length). The replacement's link is set here; its 16 bits of layout are kept.</remarks>
    public void Replace(byte* entry, byte* replacement)
    {
        Debug.Assert(EntryLink.Hash(entry) == EntryLink.Hash(replacement), "an entry moves within its chain");
        EntryLink.SetNext(replacement, EntryLink.Next(entry));
        if (!TryRelink(ref _state->Table0, entry, replacement))
        {
            Invariant.Check(
                TryRelink(ref _state->Table1, entry, replacement), "an entry to replace was not in its dict");
        }
    }

    /// <summary>Whether something is an entry of this dict, by its address alone: it may be freed memory.</summary>
    /// <param name="entry">Never read; an address that is no entry's is just not found.</param>
    /// <param name="hash">What the entry's hash would be.</param>
    /// <remarks>O(chain length). Takes no rehash step.</remarks>
    public bool Contains(byte* entry, uint hash)
    {
        return IsIn(ref _state->Table0, entry, hash) || IsIn(ref _state->Table1, entry, hash);

        static bool IsIn(ref DictTable table, byte* entry, uint hash)
        {
            byte* at = table.Buckets == null ? null : table.Buckets[hash & table.Mask];
            while (at != null && at != entry)
            {
                at = EntryLink.Next(at);
            }

            return at != null;
        }
    }

    /// <summary>Asks the processor to load the bucket of a hash, so that a later look-up does not wait for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchBucket(ulong hash)
    {
        DictState* state = _state;
        if (state->Table0.Buckets != null)
        {
            Prefetch(state->Table0.Buckets + (hash & state->Table0.Mask));
        }

        if (state->RehashIndex >= 0)
        {
            Prefetch(state->Table1.Buckets + (hash & state->Table1.Mask));
        }
    }

    /// <summary>Asks for the first entry of the bucket of a hash; the bucket should have been prefetched before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchEntry(ulong hash)
    {
        DictState* state = _state;
        if (state->Table0.Buckets != null)
        {
            PrefetchBlock(state->Table0.Buckets[hash & state->Table0.Mask]);
        }

        if (state->RehashIndex >= 0)
        {
            PrefetchBlock(state->Table1.Buckets[hash & state->Table1.Mask]);
        }
    }

    private static void Prefetch(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    // A key with a value of 64 bytes takes two cache lines.
    private static void PrefetchBlock(byte* entry)
    {
        if (entry != null)
        {
            Prefetch(entry);
            Prefetch(entry + 64);
        }
    }

    private static long FreeTable(NativeHeap heap, ref DictTable table, FreeFrom from)
    {
        if (table.Buckets == null)
        {
            return 0;
        }

        long count = table.Used;
        long left = count;
        for (ulong i = 0; i <= table.Mask && left > 0; i++)
        {
            byte* entry = table.Buckets[i];
            while (entry != null)
            {
                byte* next = EntryLink.Next(entry);
                TLayout.Free(heap, entry, from);
                entry = next;
                left--;
            }
        }

        heap.FreeTable((byte*)table.Buckets, BytesOf(table), from);
        table = default;
        return count;
    }

    private static nuint BytesOf(in DictTable table) => (nuint)table.BucketCount * (nuint)sizeof(byte*);

    // Makes whatever points at `entry` point at `replacement` instead.
    private static bool TryRelink(ref DictTable table, byte* entry, byte* replacement)
    {
        if (table.Buckets == null)
        {
            return false;
        }

        byte** bucket = table.Buckets + (EntryLink.Hash(entry) & table.Mask);
        byte* at = *bucket;
        if (at == entry)
        {
            *bucket = replacement;
            return true;
        }

        while (at != null)
        {
            byte* next = EntryLink.Next(at);
            if (next == entry)
            {
                EntryLink.SetNext(at, replacement);
                return true;
            }

            at = next;
        }

        return false;
    }

    private static byte* FindIn(ref DictTable table, ulong hash, ReadOnlySpan<byte> key)
    {
        byte* entry = table.Buckets[hash & table.Mask];
        while (entry != null)
        {
            if (EntryLink.Hash(entry) == (uint)hash && TLayout.Matches(entry, key))
            {
                return entry;
            }

            entry = EntryLink.Next(entry);
        }

        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* FindInBoth(ulong hash, ReadOnlySpan<byte> key)
    {
        StepForCommand();
        byte* entry = FindIn(ref _state->Table0, hash, key);
        return entry == null && IsRehashing ? FindIn(ref _state->Table1, hash, key) : entry;
    }
}
