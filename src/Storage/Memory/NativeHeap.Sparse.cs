using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Finding slabs that need not be: their blocks have room in other slabs of the class.</content>
/// <remarks>
/// A sweep over the headers of all slabs counts, for each class, how many blocks would still fit and how full
/// its slabs are on average. The next one takes slabs that are no fuller than that, as long as the others can hold what
/// is in them. So emptying a slab of 64 KB moves less than 64 KB, into places that were lost otherwise, and it ends when
/// a class has less than a slab to spare.
/// </remarks>
public unsafe partial class NativeHeap
{
    private readonly int[] _slabsOf = new int[SizeClasses.Count];
    private readonly int[] _roomOf = new int[SizeClasses.Count];
    private Region* _sweepAt;
    private bool _isSelecting;
    private bool _slabsCounted;
    private int _emptied;

    /// <summary>Goes on looking for a slab of entries to empty, and takes it off the list of those with room.</summary>
    /// <param name="regions">How many regions may still be looked at; counts down.</param>
    /// <param name="end">Whether the sweep has ended.</param>
    /// <returns>The slab, to be given to <see cref="ReturnSparse"/>; null when there is none as yet.</returns>
    internal Slab* TakeSparse(ref int regions, out SweepEnd end)
    {
        end = SweepEnd.NotYet;
        while (regions > 0)
        {
            if (_sweepAt == null)
            {
                if (_isSelecting)
                {
                    _isSelecting = false;
                    end = _emptied == 0 ? SweepEnd.Fruitless : SweepEnd.Fruitful;
                    return null;
                }

                BeginSweep();
                if (_sweepAt == null)
                {
                    end = SweepEnd.Fruitless;
                    return null;
                }
            }

            Region* region = _sweepAt;
            if (_isSelecting)
            {
                Slab* slab = SelectFrom(region);
                if (slab != null)
                {
                    return slab;
                }
            }
            else
            {
                Count(region);
            }

            regions--;
            _sweepAt = region->NextOfAll;
        }

        return null;
    }

    /// <summary>Takes back a slab whose blocks have been moved as far as they could.</summary>
    /// <returns>Whether it is free now.</returns>
    internal bool ReturnSparse(Slab* slab)
    {
        if (slab->Used == 0)
        {
            ReleaseSlab(slab);
            _emptied++;
            return true;
        }

        PushPartial(slab);
        return false;
    }

    /// <summary>Sets a bit for each block of a slab that is on one of its own free lists.</summary>
    /// <remarks>O(free blocks). Blocks that other threads have freed and nobody has taken back yet are not among them.</remarks>
    internal static void MarkFree(Slab* slab, Span<ulong> free)
    {
        free.Clear();
        byte* start = Region.BlocksOf(Region.Of(slab), slab->Index);
        int size = SizeClasses.SizeOf(slab->Class);
        for (int list = 0; list < 2; list++)
        {
            for (byte* block = list == 0 ? slab->FreeList : slab->SpareList; block != null; block = *(byte**)block)
            {
                int at = (int)(block - start) / size;
                free[at >> 6] |= 1UL << (at & 63);
            }
        }
    }

    private void BeginSweep()
    {
        if (!_isSelecting && _slabsCounted)
        {
            _isSelecting = true;
            _slabsCounted = false;
        }
        else
        {
            _isSelecting = false;
            _slabsCounted = true;
            Array.Clear(_slabsOf);
            Array.Clear(_roomOf);
        }

        _emptied = 0;
        _sweepAt = _all;
    }

    private void Count(Region* region)
    {
        uint used = ~region->FreeSlabs;
        for (; used != 0; used &= used - 1)
        {
            Slab* slab = Region.SlabAt(region, System.Numerics.BitOperations.TrailingZeroCount(used));
            _slabsOf[slab->Class]++;
            _roomOf[slab->Class] += slab->Capacity - slab->Used;
        }
    }

    private Slab* SelectFrom(Region* region)
    {
        uint used = ~region->FreeSlabs;
        for (; used != 0; used &= used - 1)
        {
            Slab* slab = Region.SlabAt(region, System.Numerics.BitOperations.TrailingZeroCount(used));
            bool isOfEntries = slab->Class >= SizeClasses.FirstOfEntries;
            if ((!isOfEntries && (_marked.Count == MaxMarked || IsMarked(slab))) || !CanSpare(slab))
            {
                continue;
            }

            Debug.Assert(slab->Used > 0 || slab->Next == null, "an empty slab is the last of its class with room");
            _roomOf[slab->Class] -= slab->Capacity;
            _slabsOf[slab->Class]--;
            if (isOfEntries)
            {
                RemovePartial(slab);
                return slab;
            }

            Mark(slab);
        }

        return null;
    }

    // Whether it is no fuller than others of its class, and these can hold what is in it.
    private bool CanSpare(Slab* slab)
    {
        int room = slab->Capacity - slab->Used;
        return room > 0
            && _roomOf[slab->Class] >= slab->Capacity
            && (long)room * _slabsOf[slab->Class] >= _roomOf[slab->Class];
    }
}
