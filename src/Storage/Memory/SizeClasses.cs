using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The block sizes small allocations are rounded up to.</summary>
/// <remarks>
/// Steps of 4 bytes to 128 and of 8 to 512, where the keys of a cache live; then eight per doubling to 2 KB (at most
/// 12.5 % lost); then 64 KB divided by a whole number, because only those sizes fill a slab. All are multiples of 4.
/// Each size is two classes: keyspace entries have slabs of their own, since they alone say whose they are, and so can be
/// moved without a walk over all values (<see cref="Compaction"/>).
/// </remarks>
internal static class SizeClasses
{
    /// <summary>The largest block that comes from a slab; larger ones come from the C library.</summary>
    public const int MaxSmallBytes = 32768;

    /// <summary>Bytes in one slab.</summary>
    public const int SlabBytes = 65536;

    private const int TableStep = 8;

    // Sizes to 512 have a table in steps of 4, the rest one in steps of 8.
    private static readonly int[] SizesTable = [.. BuildSizes(), .. BuildSizes()];
    private static readonly byte[] FineTable = BuildLookUp(512, 4);
    private static readonly byte[] CoarseTable = BuildLookUp(MaxSmallBytes, TableStep);

    /// <summary>How many classes there are.</summary>
    public static int Count => SizesTable.Length;

    /// <summary>The first class of keyspace entries; those before hold everything else.</summary>
    public static int FirstOfEntries => SizesTable.Length / 2;

    /// <summary>Bytes in a block of class <paramref name="index"/>.</summary>
    public static int SizeOf(int index) => SizesTable[index];

    /// <summary>The smallest class that holds <paramref name="bytes"/>, which is at most the largest small size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexOf(nuint bytes) =>
        bytes <= 512 ? FineTable[(bytes + 3) >> 2] : CoarseTable[(bytes + TableStep - 1) / TableStep];

    /// <summary>The smallest class for a block of this purpose.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexOf(nuint bytes, HeapTag tag) =>
        tag == HeapTag.Entry ? IndexOf(bytes) + FirstOfEntries : IndexOf(bytes);

    private static int[] BuildSizes()
    {
        var sizes = new List<int>();
        for (int size = 8; size <= 128; size += 4)
        {
            sizes.Add(size);
        }

        for (int size = 136; size <= 512; size += 8)
        {
            sizes.Add(size);
        }

        for (int doubling = 512; doubling < 2048; doubling *= 2)
        {
            for (int step = 1; step <= 8; step++)
            {
                sizes.Add(doubling + (doubling / 8 * step));
            }
        }

        for (int perSlab = 31; perSlab >= 2; perSlab--)
        {
            sizes.Add(SlabBytes / perSlab & ~7);
        }

        return [.. sizes];
    }

    private static byte[] BuildLookUp(int limit, int step)
    {
        int[] sizes = BuildSizes();
        var table = new byte[(limit / step) + 1];
        int index = 0;
        for (int i = 0; i < table.Length; i++)
        {
            while (sizes[index] < i * step)
            {
                index++;
            }

            table[i] = (byte)index;
        }

        return table;
    }
}
