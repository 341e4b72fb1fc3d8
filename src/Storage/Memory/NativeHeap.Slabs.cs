using System.Numerics;

namespace KvServer.Storage;

/// <content>Where slabs come from and go: the lists of slabs with room, of regions with free slabs, of empty regions.</content>
public unsafe partial class NativeHeap
{
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

        int at = BitOperations.TrailingZeroCount(region->FreeSlabs);
        region->FreeSlabs &= region->FreeSlabs - 1;
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
        byte* start = (byte*)Region.Of(slab) + (slab->Index * SizeClasses.SlabBytes);
        int bytes = SizeClasses.SlabBytes;
        if (slab->Index == 0)
        {
            start += Region.HeaderBytes;
            bytes -= Region.HeaderBytes;
        }

        slab->FreeList = null;
        slab->SpareList = null;
        slab->Fresh = start;
        slab->Capacity = (ushort)(bytes / SizeClasses.SizeOf(slab->Class));
        slab->FreshCount = slab->Capacity;
    }

    private void ReleaseSlab(Slab* slab)
    {
        Region* region = Region.Of(slab);
        bool hadRoom = region->FreeSlabs != 0;
        region->FreeSlabs |= 1u << slab->Index;
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
