using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The book-keeping of one slab: 64 KB cut into blocks of one size class.</summary>
/// <remarks>
/// Kept in an array at the start of the slab's region, so that headers of different slabs do not all fall into the
/// same cache sets. <see cref="RemoteFrees"/> is the only field other threads touch, besides
/// <see cref="NextQueued"/>; a slab is queued exactly while it is not zero.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct Slab
{
    /// <summary>Blocks freed by the command loop; each holds the address of the next.</summary>
    public byte* FreeList;

    /// <summary>Blocks freed elsewhere and taken back while <see cref="FreeList"/> was not empty.</summary>
    public byte* SpareList;

    /// <summary>First byte that was never handed out, and the end of what may be.</summary>
    public byte* Fresh;

    /// <summary>Blocks freed elsewhere: 48 bits of address, 16 bits of count.</summary>
    public ulong RemoteFrees;

    /// <summary>Neighbours in the list of slabs of this class that have room.</summary>
    public Slab* Next;

    /// <summary>The slab before this one in the same list.</summary>
    public Slab* Previous;

    /// <summary>The next slab on the stack of slabs with frees from elsewhere.</summary>
    public Slab* NextQueued;

    /// <summary>Blocks handed out and not yet known to be free.</summary>
    public ushort Used;

    /// <summary>Blocks the slab can hold.</summary>
    public ushort Capacity;

    /// <summary>Blocks of <see cref="Fresh"/> that are left.</summary>
    public ushort FreshCount;

    /// <summary>Index of the size class.</summary>
    public byte Class;

    /// <summary>Position in the region.</summary>
    public byte Index;
}
