using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>Where all native memory of the store comes from; counts it by purpose.</summary>
/// <remarks>
/// <para>
/// Blocks up to 32 KB come from slabs and have no header of their own, so the owner names the size when it gives one
/// back:
/// </para>
/// <code>
/// region 2 MB, aligned   [ header | slab 0 .............. | slab 1 .............. | ... | slab 31 ]
/// slab 64 KB, one class                                     [ block | block | block | ... ]
/// </code>
/// <para>
/// An allocation takes a freed block of the class's first slab with room, or its next fresh one. An empty slab may
/// serve any class next. Empty regions that nobody has needed for a tick of the cron go back to the system
/// (<see cref="TrimRegions"/>). Larger blocks go straight to the C library.
/// </para>
/// <para>
/// Threads: small blocks are allocated and freed by the command loop alone. Another thread hands them back with
/// <see cref="FreeFrom.Background"/>: it links the block into a list kept by its slab, and the slab into a stack that
/// the command loop empties a bounded number of slabs at a time (<see cref="DrainRemoteFrees"/>). So freeing a
/// million blocks elsewhere costs the loop one step per slab, not one per block. Large blocks and bucket arrays may
/// be allocated and freed by any thread.
/// </para>
/// </remarks>
[SuppressMessage("ApiDesign", "RS0030", Justification = "The one caller of NativeMemory.")]
public unsafe partial class NativeHeap : IDisposable
{
    /// <summary>Blocks over this many bytes come from the C library and may be allocated by any thread.</summary>
    public const int MaxSmallBytes = SizeClasses.MaxSmallBytes;

    /// <summary>Bucket arrays of up to so many bytes come from the slabs, others from fresh pages.</summary>
    internal const nuint SmallTableBytes = 16384;

    private const int TagCount = 8;
    private const ulong AddressMask = 0xFFFF_FFFF_FFFF;

    // Empty regions that stay for good, against mapping and unmapping in a small store.
    private const int KeptRegions = 4;

    // Regions given back by one call at most, 2 GB, so that a tick stays short.
    private const int TrimmedRegions = 1024;

    // Large blocks from this size on are given back in slices; the C library surely has a mapping for each of them.
    private const nuint DiscardBytes = 33 * 1024 * 1024;

    private readonly bool _overridden;
    private readonly Slab** _partial;
    private readonly long[] _counters;
    private readonly long* _local;
    private readonly long* _shared;
    private Region* _withRoom;
    private Region* _empty;
    private Region* _all;
    private nint _queued;
    private Slab* _draining;
    private int _emptyRegions;
    private int _fewestEmpty;
    private long _regionsMapped;
    private long _regionBytes;
    private long _largeBytes;
    private long _peak;
    private bool _disposed;

    /// <summary>Makes an empty heap.</summary>
    public NativeHeap()
    {
        _overridden = GetType() != typeof(NativeHeap);
        _partial = (Slab**)NativeMemory.AllocZeroed((nuint)SizeClasses.Count, (nuint)sizeof(Slab*));

        // Pinned, so that the figures can still be read when the heap is gone.
        _counters = GC.AllocateArray<long>(2 * TagCount, pinned: true);
        _local = (long*)Unsafe.AsPointer(ref _counters[0]);
        _shared = _local + TagCount;
    }

    /// <summary>Bytes in live blocks, rounded up to what each really takes. Any thread.</summary>
    public long UsedBytes
    {
        get
        {
            long sum = 0;
            for (int tag = 0; tag < TagCount; tag++)
            {
                sum += _local[tag] + Volatile.Read(ref _shared[tag]);
            }

            return sum;
        }
    }

    /// <summary>The most <see cref="UsedBytes"/> has been when looked at; see <see cref="UpdatePeak"/>.</summary>
    public long PeakBytes
    {
        get
        {
            UpdatePeak();
            return _peak;
        }
    }

    /// <summary>Bytes held from the system: regions, whether in use or not, and large blocks. Any thread.</summary>
    public long ReservedBytes => Volatile.Read(ref _regionBytes) + Volatile.Read(ref _largeBytes);

    /// <summary>How many regions have been asked from the system so far.</summary>
    public long RegionsMapped => Volatile.Read(ref _regionsMapped);

    /// <summary>Whether other threads have given back blocks that <see cref="DrainRemoteFrees"/> has not seen.</summary>
    public bool HasRemoteFrees => _draining != null || Volatile.Read(ref _queued) != 0;

    /// <summary>Gives empty regions back to the system, if there is one; otherwise the command loop does.</summary>
    internal Reclaimer? Reclaimer { get; set; }

    /// <summary>Bytes in live blocks with one purpose. Any thread.</summary>
    public long UsedBytesOf(HeapTag tag) => _local[(int)tag] + Volatile.Read(ref _shared[(int)tag]);

    /// <summary>Notes the present use as the peak if it is one. Called by the cron and when slabs run out.</summary>
    public void UpdatePeak() => _peak = Math.Max(_peak, UsedBytes);

    /// <summary>Sets the peak to the present use (CONFIG RESETSTAT).</summary>
    public void ResetPeak() => _peak = UsedBytes;

    /// <summary>How many bytes a block of <paramref name="bytes"/> really takes and may use.</summary>
    /// <remarks>Two sizes with the same answer can replace each other in place, also in Free.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint UsableSize(nuint bytes) =>
        bytes <= MaxSmallBytes
            ? (nuint)SizeClasses.SizeOf(SizeClasses.IndexOf(bytes))
            : (bytes + 15) & ~(nuint)15;

    /// <summary>Allocates a block with undefined contents; aligned to 4 bytes if small, else to 16.</summary>
    /// <exception cref="OutOfMemoryException">The system refuses; nothing has changed.</exception>
    /// <remarks>O(1). Command loop only, unless <paramref name="bytes"/> is over <see cref="MaxSmallBytes"/>.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Allocate(nuint bytes, HeapTag tag)
    {
        if (bytes <= MaxSmallBytes && !_overridden)
        {
            int index = SizeClasses.IndexOf(bytes, tag);
            Slab* slab = _partial[index];
            if (slab != null && slab->FreeList != null)
            {
                byte* block = slab->FreeList;
                slab->FreeList = *(byte**)block;
                _local[(int)tag] += SizeClasses.SizeOf(index);
                if (++slab->Used == slab->Capacity)
                {
                    RemovePartial(slab);
                }

                return block;
            }
        }

        return AllocateCore(bytes, tag);
    }

    /// <summary>Gives back a block on the command loop.</summary>
    /// <param name="block">What Allocate returned.</param>
    /// <param name="bytes">The size it was asked for, or another with the same <see cref="UsableSize"/>.</param>
    /// <param name="tag">The purpose it was asked for.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Free(byte* block, nuint bytes, HeapTag tag) => Free(block, bytes, tag, FreeFrom.CommandLoop);

    /// <summary>Gives back a block from the command loop or from a background thread.</summary>
    public void Free(byte* block, nuint bytes, HeapTag tag, FreeFrom from)
    {
        if (_overridden)
        {
            FreeCore(block, bytes, tag, from);
        }
        else if (bytes > MaxSmallBytes)
        {
            FreeLarge(block, bytes, tag, from);
        }
        else if (from == FreeFrom.CommandLoop)
        {
            FreeSmall(block, bytes, tag);
        }
        else
        {
            FreeSmallRemotely(block, bytes, tag);
        }
    }

    /// <summary>Changes the size of a block, keeping the contents up to the smaller of both sizes.</summary>
    /// <returns>The block, which may have moved; the old address is then no longer valid.</returns>
    /// <remarks>O(bytes) when it moves; huge blocks are remapped rather than copied where the C library can.</remarks>
    /// <exception cref="OutOfMemoryException">The system refuses; the old block is as it was.</exception>
    public byte* Reallocate(byte* block, nuint oldBytes, nuint newBytes, HeapTag tag) =>
        ReallocateCore(block, oldBytes, newBytes, tag);

    /// <summary>Allocates a bucket array of zero bytes without clearing it on the calling thread when it is large.</summary>
    /// <remarks>Tables over 16 KB may be allocated by any thread, smaller ones by the command loop only.</remarks>
    public byte* AllocateTable(nuint bytes) => AllocateTableCore(bytes);

    /// <summary>Gives back what <see cref="AllocateTable"/> returned.</summary>
    public void FreeTable(byte* table, nuint bytes, FreeFrom from) => FreeTableCore(table, bytes, from);

    /// <summary>Counts a large block for another purpose from now on.</summary>
    public virtual void Retag(byte* block, nuint bytes, HeapTag from, HeapTag to)
    {
        Debug.Assert(bytes > MaxSmallBytes, "only large blocks change their purpose");
        Interlocked.Add(ref _shared[(int)from], -(long)UsableSize(bytes));
        Interlocked.Add(ref _shared[(int)to], (long)UsableSize(bytes));
    }

    /// <summary>Takes back blocks that other threads have freed.</summary>
    /// <param name="maxSlabs">How many slabs to look at, at most.</param>
    /// <returns><see langword="true"/> if more are waiting.</returns>
    /// <remarks>O(slabs). Command loop only.</remarks>
    public bool DrainRemoteFrees(int maxSlabs)
    {
        while (maxSlabs-- > 0 && HasRemoteFrees)
        {
            if (_draining == null)
            {
                _draining = (Slab*)Interlocked.Exchange(ref _queued, 0);
            }

            // The link is read first: once the slab's frees are taken, another thread may queue it again.
            Slab* slab = _draining;
            _draining = slab->NextQueued;
            AdoptRemoteFrees(slab);
        }

        return HasRemoteFrees;
    }

    /// <summary>Gives back to the system half of the regions that have been empty since the last call, but a few; so with
    /// free slabs elsewhere.</summary>
    /// <remarks>
    /// For the cron: what a store needs again within a tick or two stays, and after a big delete all goes within a few
    /// seconds. O(regions given back), which is bounded. Command loop only.
    /// </remarks>
    public void TrimRegions()
    {
        int spare = Math.Min(_fewestEmpty - KeptRegions, 2 * TrimmedRegions);
        for (int i = 0; i < spare; i += 2)
        {
            UnmapEmptyRegion();
        }

        _fewestEmpty = _emptyRegions;
        TrimSlabs();
    }

    /// <summary>Gives back all that is free at once (MEMORY PURGE). O(regions).</summary>
    public void Purge()
    {
        while (_emptyRegions > 0)
        {
            UnmapEmptyRegion();
        }

        _fewestEmpty = 0;
        DiscardFreeSlabs(int.MaxValue, (int)Math.Min(2 * (_regionBytes / Region.Bytes) + 1, int.MaxValue));
        Pages.TrimLibrary();
    }

    /// <summary>Gives all empty regions back to the system (MEMORY PURGE), after <see cref="DrainRemoteFrees"/> has found
    /// those that other threads have emptied.</summary>
    /// <remarks>O(empty regions). Command loop only.</remarks>
    public void ReleaseEmptyRegions()
    {
        while (_emptyRegions > 0)
        {
            UnmapEmptyRegion();
        }

        _fewestEmpty = 0;
    }

    /// <summary>Gives all memory back; every block becomes invalid.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives all slabs back. Large blocks belong to whoever allocated them.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        while (_all != null)
        {
            Region* region = _all;
            _all = region->NextOfAll;
            Pages.UnmapAligned((byte*)region, Region.Bytes);
        }

        NativeMemory.Free(_partial);
    }

    /// <summary>The way of every allocation that the inlined path does not serve.</summary>
    protected virtual byte* AllocateCore(nuint bytes, HeapTag tag) =>
        bytes <= MaxSmallBytes ? AllocateSmall(bytes, tag) : AllocateLarge(bytes, tag);

    /// <summary>The way of every free on a derived heap.</summary>
    protected virtual void FreeCore(byte* block, nuint bytes, HeapTag tag, FreeFrom from) =>
        throw new NotSupportedException("A derived heap brings its own way to free.");

    /// <summary>The way of every change of size.</summary>
    protected virtual byte* ReallocateCore(byte* block, nuint oldBytes, nuint newBytes, HeapTag tag)
    {
        if (UsableSize(oldBytes) == UsableSize(newBytes))
        {
            return block;
        }

        if (oldBytes > MaxSmallBytes && newBytes > MaxSmallBytes)
        {
            var moved = (byte*)NativeMemory.Realloc(block, UsableSize(newBytes));
            CountLarge((long)UsableSize(newBytes) - (long)UsableSize(oldBytes), tag);
            return moved;
        }

        byte* copy = Allocate(newBytes, tag);
        Buffer.MemoryCopy(block, copy, newBytes, Math.Min(oldBytes, newBytes));
        Free(block, oldBytes, tag, FreeFrom.CommandLoop);
        return copy;
    }

    /// <summary>The way of every bucket array.</summary>
    protected virtual byte* AllocateTableCore(nuint bytes)
    {
        if (bytes <= SmallTableBytes)
        {
            byte* small = Allocate(bytes, HeapTag.Table);
            NativeMemory.Clear(small, bytes);
            return small;
        }

        byte* table = Pages.Map(bytes);
        CountLarge((long)bytes, HeapTag.Table);
        return table;
    }

    /// <summary>The way back of every bucket array.</summary>
    protected virtual void FreeTableCore(byte* table, nuint bytes, FreeFrom from)
    {
        if (bytes <= SmallTableBytes)
        {
            Free(table, bytes, HeapTag.Table, from);
            return;
        }

        Pages.Unmap(table, bytes);
        CountLarge(-(long)bytes, HeapTag.Table);
    }

    /// <summary>Counts bytes of blocks a derived heap allocates by itself. Any thread.</summary>
    protected void CountLarge(long bytes, HeapTag tag)
    {
        Interlocked.Add(ref _shared[(int)tag], bytes);
        Interlocked.Add(ref _largeBytes, bytes);
    }

    private byte* AllocateLarge(nuint bytes, HeapTag tag)
    {
        nuint usable = UsableSize(bytes);
        var block = (byte*)NativeMemory.Alloc(usable);
        CountLarge((long)usable, tag);
        UpdatePeak();
        return block;
    }

    private void FreeLarge(byte* block, nuint bytes, HeapTag tag, FreeFrom from)
    {
        if (from == FreeFrom.Background && bytes >= DiscardBytes)
        {
            Pages.Discard(block, bytes);
        }

        NativeMemory.Free(block);
        CountLarge(-(long)UsableSize(bytes), tag);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* AllocateSmall(nuint bytes, HeapTag tag)
    {
        int index = SizeClasses.IndexOf(bytes, tag);
        int size = SizeClasses.SizeOf(index);
        Slab* slab = _partial[index];
        if (slab == null)
        {
            slab = TakeSlab(index);
            PushPartial(slab);
        }

        if (slab->FreeList == null)
        {
            slab->FreeList = slab->SpareList;
            slab->SpareList = null;
        }

        byte* block = slab->FreeList;
        if (block != null)
        {
            slab->FreeList = *(byte**)block;
        }
        else
        {
            // A slab on the partial list has room: what is on neither of its lists was never handed out.
            Debug.Assert(slab->FreshCount > 0, "a partial slab has room");
            block = slab->Fresh;
            slab->Fresh = block + size;
            slab->FreshCount--;
        }

        if (++slab->Used == slab->Capacity)
        {
            RemovePartial(slab);
        }

        _local[(int)tag] += size;
        return block;
    }

    private void FreeSmall(byte* block, nuint bytes, HeapTag tag)
    {
        int index = SizeClasses.IndexOf(bytes, tag);
        Slab* slab = Region.SlabOf(block);
        Invariant.Check(slab->Class == index, "a block was freed with a size of another class");
        _local[(int)tag] -= SizeClasses.SizeOf(index);
        *(byte**)block = slab->FreeList;
        slab->FreeList = block;
        TakenBack(slab, 1);
    }

    private void FreeSmallRemotely(byte* block, nuint bytes, HeapTag tag)
    {
        int index = SizeClasses.IndexOf(bytes, tag);
        Slab* slab = Region.SlabOf(block);
        Invariant.Check(slab->Class == index, "a block was freed with a size of another class");
        Interlocked.Add(ref _shared[(int)tag], -SizeClasses.SizeOf(index));

        ulong head = Volatile.Read(ref slab->RemoteFrees);
        while (true)
        {
            *(byte**)block = (byte*)(head & AddressMask);
            ulong count = (head >> 48) + 1;
            ulong seen = Interlocked.CompareExchange(ref slab->RemoteFrees, (ulong)block | (count << 48), head);
            if (seen == head)
            {
                break;
            }

            head = seen;
        }

        // Whoever finds the list empty queues the slab. Until then nobody can take the block back, so the slab cannot
        // be released under this thread; afterwards this thread no longer touches it.
        if (head != 0)
        {
            return;
        }

        nint first;
        do
        {
            first = Volatile.Read(ref _queued);
            slab->NextQueued = (Slab*)first;
        }
        while (Interlocked.CompareExchange(ref _queued, (nint)slab, first) != first);
    }

    private void AdoptRemoteFrees(Slab* slab)
    {
        ulong freed = Interlocked.Exchange(ref slab->RemoteFrees, 0);
        var count = (int)(freed >> 48);
        Debug.Assert(count > 0, "a queued slab has blocks to take back");
        var chain = (byte*)(freed & AddressMask);
        if (slab->Used == count)
        {
            // Nothing in it is live: it starts anew, and no list need be walked.
            MakeFresh(slab);
        }
        else if (slab->FreeList == null)
        {
            slab->FreeList = chain;
        }
        else if (slab->SpareList == null)
        {
            slab->SpareList = chain;
        }
        else
        {
            // Three lists meet only in a slab that both sides free into again and again; the slab bounds the walk.
            byte* last = chain;
            while (*(byte**)last != null)
            {
                last = *(byte**)last;
            }

            *(byte**)last = slab->SpareList;
            slab->SpareList = chain;
        }

        TakenBack(slab, count);
    }

    // Called after `count` blocks have gone to the slab's free list.
    private void TakenBack(Slab* slab, int count)
    {
        bool wasFull = slab->Used == slab->Capacity;
        Debug.Assert(slab->Used >= count, "no more blocks come back than were handed out");
        slab->Used -= (ushort)count;
        if (wasFull)
        {
            PushPartial(slab);
        }

        // The last slab with room of a class stays, so that one block that comes and goes costs nothing.
        if (slab->Used == 0 && (slab->Next != null || slab->Previous != null))
        {
            RemovePartial(slab);
            ReleaseSlab(slab);
        }
    }
}
