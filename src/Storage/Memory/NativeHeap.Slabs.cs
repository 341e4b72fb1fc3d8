using System.Numerics;

namespace KvServer.Storage;

/// <content>Where slabs come from and go: the lists of slabs with room, of regions with free slabs, of empty regions.</content>
public unsafe partial class NativeHeap
{
    // Free slabs that keep their memory in any case.
    private const int KeptSlabs = 128;

    // Slabs given back by one tick at most, 4 MB: half a millisecond.
    private const int TrimmedSlabs = 64;

    private Region* _discardAt;
    private long _slabsInUse;
    private long _freeSlabs;
    private long _fewestFreeSlabs;

    /// <summary>Bytes of slabs that classes use, be it for one block, and of large blocks: what the data take. Any thread
    /// may read it.</summary>
    public long HeldBytes => (Volatile.Read(ref _slabsInUse) * SizeClasses.SlabBytes) + Volatile.Read(ref _largeBytes);

    /// <summary>Bytes of free slabs that still have their memory, and can serve any class.</summary>
    public long FreeSlabBytes => Volatile.Read(ref _freeSlabs) * SizeClasses.SlabBytes;

    /// <summary>Gives the memory of free slabs back to the system; the slabs stay.</summary>
    /// <param name="maxSlabs">No more than so many; each takes some microseconds.</param>
    /// <param name="maxRegions">Look at no more than so many regions; the next call goes on there.</param>
    /// <returns>How many have been given back.</returns>
    /// <remarks>Command loop only.</remarks>
    internal int DiscardFreeSlabs(int maxSlabs, int maxRegions)
    {
        int discarded = 0;
        while (Pages.CanDiscard && _freeSlabs > 0 && discarded < maxSlabs && maxRegions > 0)
        {
            Region* region = _discardAt != null ? _discardAt : _all;
            uint touched = region->FreeSlabs & ~region->Untouched;
            if (touched == 0)
            {
                _discardAt = region->NextOfAll;
                maxRegions--;
                continue;
            }

            int at = BitOperations.TrailingZeroCount(touched);
            Pages.Discard(Region.BlocksOf(region, at), (nuint)Region.BlockBytesOf(at));
            region->Untouched |= 1u << at;
            _freeSlabs--;
            discarded++;
        }

        _fewestFreeSlabs = Math.Min(_fewestFreeSlabs, _freeSlabs);
        return discarded;
    }

    // What a class has needed lately stays; of the rest half goes with each tick.
    private void TrimSlabs()
    {
        long spare = Math.Min((_fewestFreeSlabs - KeptSlabs) / 2, TrimmedSlabs);
        if (spare > 0)
        {
            DiscardFreeSlabs((int)spare, TrimmedSlabs);
        }

        _fewestFreeSlabs = _freeSlabs;
    }

    private void PushPartial(Slab* slab)
    {
        Slab* first = _partial[slab->Class];
        slab->Next = first;
        slab->Previous = null;
        if (first != null)
        {
            first->Previous = slab;
        }

        _partial[slab->Class] = slab;
    }

    private void RemovePartial(Slab* slab)
    {
        if (slab->Previous != null)
        {
            slab->Previous->Next = slab->Next;
        }
        else
        {
            _partial[slab->Class] = slab->Next;
        }

        if (slab->Next != null)
        {
            slab->Next->Previous = slab->Previous;
        }

        slab->Next = null;
        slab->Previous = null;
    }

    private Slab* TakeSlab(int index)
    {
        UpdatePeak();
        Region* region = _withRoom;
        if (region == null)
        {
            // Regions in part use come first, so that empty ones stay empty and can go.
            region = _empty != null ? TakeEmptyRegion() : AddRegion();
            Link(region);
        }

        // One that has its memory still comes before one that has yet to get some.
        uint touched = region->FreeSlabs & ~region->Untouched;
        int at = BitOperations.TrailingZeroCount(touched != 0 ? touched : region->FreeSlabs);
        if (touched != 0)
        {
            _freeSlabs--;
            _fewestFreeSlabs = Math.Min(_fewestFreeSlabs, _freeSlabs);
        }

        _slabsInUse++;
        region->FreeSlabs &= ~(1u << at);
        region->Untouched &= ~(1u << at);
        if (region->FreeSlabs == 0)
        {
            Unlink(region);
        }

        Slab* slab = Region.SlabAt(region, at);
        *slab = default;
        slab->Class = (byte)index;
        slab->Index = (byte)at;
        MakeFresh(slab);
        return slab;
    }

    // Forgets all blocks of a slab that has no live ones.
    private static void MakeFresh(Slab* slab)
    {
        slab->FreeList = null;
        slab->SpareList = null;
        slab->Fresh = Region.BlocksOf(Region.Of(slab), slab->Index);
        slab->Capacity = (ushort)(Region.BlockBytesOf(slab->Index) / SizeClasses.SizeOf(slab->Class));
        slab->FreshCount = slab->Capacity;
    }

    private void ReleaseSlab(Slab* slab)
    {
        Region* region = Region.Of(slab);
        bool hadRoom = region->FreeSlabs != 0;
        region->FreeSlabs |= 1u << slab->Index;
        _slabsInUse--;
        _freeSlabs++;
        if (!hadRoom)
        {
            Link(region);
        }

        if (region->FreeSlabs == uint.MaxValue)
        {
            Unlink(region);
            region->Next = _empty;
            _empty = region;
            _emptyRegions++;
        }
    }

    private Region* TakeEmptyRegion()
    {
        Region* region = _empty;
        _empty = region->Next;
        _emptyRegions--;
        _fewestEmpty = Math.Min(_fewestEmpty, _emptyRegions);
        return region;
    }

    private void UnmapEmptyRegion()
    {
        Region* region = _empty;
        _empty = region->Next;
        _emptyRegions--;
        _freeSlabs -= BitOperations.PopCount(~region->Untouched);
        _fewestFreeSlabs = Math.Min(_fewestFreeSlabs, _freeSlabs);
        if (_discardAt == region)
        {
            _discardAt = region->NextOfAll;
        }

        if (_sweepAt == region)
        {
            _sweepAt = region->NextOfAll;
        }

        if (region->PreviousOfAll != null)
        {
            region->PreviousOfAll->NextOfAll = region->NextOfAll;
        }
        else
        {
            _all = region->NextOfAll;
        }

        if (region->NextOfAll != null)
        {
            region->NextOfAll->PreviousOfAll = region->PreviousOfAll;
        }

        Volatile.Write(ref _regionBytes, _regionBytes - Region.Bytes);
        if (Reclaimer is { } reclaimer)
        {
            reclaimer.UnmapRegion(region); // A tenth of a millisecond or more: too long for here.
            return;
        }

        Pages.UnmapAligned((byte*)region, Region.Bytes);
    }

    private Region* AddRegion()
    {
        var region = (Region*)Pages.MapAligned(Region.Bytes, Region.Bytes);
        *region = default;
        region->FreeSlabs = uint.MaxValue;
        region->Untouched = Pages.CanDiscard ? uint.MaxValue : 0;
        _freeSlabs += Pages.CanDiscard ? 0 : Region.SlabCount;
        region->NextOfAll = _all;
        if (_all != null)
        {
            _all->PreviousOfAll = region;
        }

        _all = region;
        Volatile.Write(ref _regionsMapped, _regionsMapped + 1);
        Volatile.Write(ref _regionBytes, _regionBytes + Region.Bytes);
        return region;
    }

    private void Link(Region* region)
    {
        region->Previous = null;
        region->Next = _withRoom;
        if (_withRoom != null)
        {
            _withRoom->Previous = region;
        }

        _withRoom = region;
    }

    private void Unlink(Region* region)
    {
        if (region->Previous != null)
        {
            region->Previous->Next = region->Next;
        }
        else
        {
            _withRoom = region->Next;
        }

        if (region->Next != null)
        {
            region->Next->Previous = region->Previous;
        }

        region->Next = null;
        region->Previous = null;
    }
}
