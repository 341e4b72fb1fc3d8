using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Slabs of other blocks than entries that need not be.</content>
/// <remarks>Such a block does not say whose it is, so its slab cannot be emptied from its own side. The sweep for sparse slabs
/// marks these instead and takes them off the list of those with room; who then walks over the values moves what lies in
/// one (<see cref="PartCompaction"/>).</remarks>
public unsafe partial class NativeHeap
{
    /// <summary>Slabs marked at once: what one walk can be worth, 256 MB.</summary>
    internal const int MaxMarked = 4096;

    private readonly List<nint> _marked = new(MaxMarked); // So that adding one cannot fail.

    /// <summary>Slabs that are marked. Whoever ends a sweep either has them emptied before the next one, or returns them.</summary>
    internal int MarkedSlabs => _marked.Count;

    /// <summary>Slabs in use.</summary>
    internal long SlabsInUse => _slabsInUse;

    /// <summary>Copies a block that lies in a marked slab; the caller lets everything point to the copy and frees it.</summary>
    /// <param name="block">A block of any kind but an entry.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="tag">Its purpose.</param>
    /// <param name="budget">Is charged for the look and for the copy.</param>
    /// <returns>The copy, or null for a block that can stay.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    internal byte* CopyOut(byte* block, nuint bytes, HeapTag tag, ref MoveBudget budget)
    {
        budget.CountLook();
        if (bytes > MaxSmallBytes || !IsMarked(block))
        {
            return null;
        }

        byte* copy = Allocate(bytes, tag);
        Buffer.MemoryCopy(block, copy, bytes, bytes);
        budget.CountMove(bytes);
        return copy;
    }

    /// <summary>Puts the marked slabs back on their lists; those that have become empty are free now.</summary>
    /// <returns>How many are free.</returns>
    internal int ReturnMarked()
    {
        int freed = 0;
        foreach (nint address in _marked)
        {
            var slab = (Slab*)address;
            Region.Of(slab)->Marked &= ~(1u << slab->Index);
            freed += ReturnSparse(slab) ? 1 : 0;
        }

        _marked.Clear();
        return freed;
    }

    /// <summary>Whether a small block lies in a marked slab.</summary>
    internal virtual bool IsMarked(byte* block) => IsMarked(Region.SlabOf(block));

    private static bool IsMarked(Slab* slab) => (Region.Of(slab)->Marked & (1u << slab->Index)) != 0;

    private void Mark(Slab* slab)
    {
        Debug.Assert(!IsMarked(slab), "A slab is taken off its list once.");
        Region.Of(slab)->Marked |= 1u << slab->Index;
        RemovePartial(slab);
        _marked.Add((nint)slab);
    }
}
