using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The first bytes of a 2 MB region: which of its 32 slabs are free, and its neighbours.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct Region
{
    /// <summary>Bytes in a region; also its alignment.</summary>
    public const int Bytes = 2 * 1024 * 1024;

    /// <summary>Slabs in a region.</summary>
    public const int SlabCount = Bytes / SizeClasses.SlabBytes;

    /// <summary>Bytes at the start that hold this header and those of the slabs; slab 0 is smaller by as much.</summary>
    public const int HeaderBytes = 4096;

    /// <summary>One bit for each slab that no class uses.</summary>
    public uint FreeSlabs;

    /// <summary>One bit for each of these that has no memory behind it: never touched, or given back since.</summary>
    public uint Untouched;

    /// <summary>One bit for each slab that is to be emptied; see <see cref="NativeHeap.MarkedSlabs"/>.</summary>
    public uint Marked;

    /// <summary>The next region that has free slabs.</summary>
    public Region* Next;

    /// <summary>The region before this one in the same list.</summary>
    public Region* Previous;

    /// <summary>The next region of all; for giving everything back at the end.</summary>
    public Region* NextOfAll;

    /// <summary>The region before this one in the list of all.</summary>
    public Region* PreviousOfAll;

    /// <summary>The header of slab <paramref name="index"/> of <paramref name="region"/>.</summary>
    public static Slab* SlabAt(Region* region, int index) => (Slab*)((byte*)region + 64) + index;

    /// <summary>Where the blocks of a slab begin; behind the headers in the first one.</summary>
    public static byte* BlocksOf(Region* region, int index) =>
        (byte*)region + (index == 0 ? HeaderBytes : index * SizeClasses.SlabBytes);

    /// <summary>Bytes for blocks in a slab.</summary>
    public static int BlockBytesOf(int index) => SizeClasses.SlabBytes - (index == 0 ? HeaderBytes : 0);

    /// <summary>The region that holds <paramref name="address"/>.</summary>
    public static Region* Of(void* address) => (Region*)((nuint)address & ~((nuint)Bytes - 1));

    /// <summary>The header of the slab that holds <paramref name="block"/>.</summary>
    public static Slab* SlabOf(byte* block) =>
        SlabAt(Of(block), (int)(((nuint)block & (Bytes - 1)) / SizeClasses.SlabBytes));
}
