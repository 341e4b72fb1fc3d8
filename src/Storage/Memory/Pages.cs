using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>Zeroed ranges of whole pages straight from the operating system, and their way back to it.</summary>
/// <remarks>
/// The C library's calloc is not enough for bucket arrays: once it has seen big blocks come and go it serves up to
/// 32 MB from recycled memory, which it then has to clear on the calling thread. Fresh pages are zero by nature and
/// cost nothing until they are touched. Any thread. Elsewhere than on Linux the runtime's allocator stands in.
/// </remarks>
[SuppressMessage("ApiDesign", "RS0030", Justification = "Part of NativeHeap, the one caller of NativeMemory.")]
internal static unsafe partial class Pages
{
    private const int ProtectionReadWrite = 0x1 | 0x2;
    private const int MapPrivateAnonymous = 0x02 | 0x20;
    private const int AdviceDontNeed = 4;
    private const nuint PageBytes = 4096;

    // While pages are being unmapped nobody else in the process can map any, so large ranges go in slices.
    private const nuint SliceBytes = 1024 * 1024;

    private static bool _canTrim = OperatingSystem.IsLinux();

    /// <summary>Whether <see cref="Discard"/> gives anything back.</summary>
    public static bool CanDiscard => OperatingSystem.IsLinux();

    /// <summary>Has the C library give back what it holds and does not need; takes time with what it holds.</summary>
    public static void TrimLibrary()
    {
        if (_canTrim)
        {
            try
            {
                _ = MallocTrim(0);
            }
            catch (EntryPointNotFoundException)
            {
                _canTrim = false; // Not the GNU one.
            }
        }
    }

    /// <summary>Maps <paramref name="bytes"/> zero bytes.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory left to give.</exception>
    public static byte* Map(nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return (byte*)NativeMemory.AllocZeroed(bytes);
        }

        nint address = MMap(0, RoundUp(bytes, PageBytes), ProtectionReadWrite, MapPrivateAnonymous, -1, 0);
        if (address == -1)
        {
            HeapFailure.ThrowOutOfMemory();
        }

        return (byte*)address;
    }

    /// <summary>Maps <paramref name="bytes"/> at an address that is a multiple of <paramref name="alignment"/>.</summary>
    /// <remarks>The contents are not defined where the runtime's allocator stands in.</remarks>
    public static byte* MapAligned(nuint bytes, nuint alignment)
    {
        if (!OperatingSystem.IsLinux())
        {
            return (byte*)NativeMemory.AlignedAlloc(bytes, alignment);
        }

        byte* start = Map(bytes + alignment);
        byte* aligned = (byte*)RoundUp((nuint)start, alignment);
        nuint before = (nuint)(aligned - start);
        if (before > 0)
        {
            Check(MUnmap((nint)start, before));
        }

        Check(MUnmap((nint)(aligned + bytes), alignment - before));
        return aligned;
    }

    /// <summary>Gives back what <see cref="Map"/> returned; takes time in proportion to the pages touched.</summary>
    public static void Unmap(byte* address, nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            NativeMemory.Free(address);
            return;
        }

        nuint left = RoundUp(bytes, PageBytes);
        while (left > 0)
        {
            nuint slice = Math.Min(left, SliceBytes);
            Check(MUnmap((nint)address, slice));
            address += slice;
            left -= slice;
        }
    }

    /// <summary>Gives back the pages of a large block of the C library, slice by slice, before the block is freed.</summary>
    /// <remarks>Its contents are lost. Keeps the free itself short.</remarks>
    public static void Discard(byte* block, nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        nuint at = RoundUp((nuint)block, PageBytes);
        nuint end = ((nuint)block + bytes) & ~(PageBytes - 1);
        while (at < end)
        {
            nuint slice = Math.Min(end - at, SliceBytes);
            Check(MAdvise((nint)at, slice, AdviceDontNeed));
            at += slice;
        }
    }

    /// <summary>Gives back what <see cref="MapAligned"/> returned.</summary>
    public static void UnmapAligned(byte* address, nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            NativeMemory.AlignedFree(address);
            return;
        }

        Check(MUnmap((nint)address, RoundUp(bytes, PageBytes)));
    }

    private static nuint RoundUp(nuint value, nuint step) => (value + step - 1) & ~(step - 1);

    // munmap can fail only for a wrong argument, or when splitting a mapping would exceed the limit of mappings;
    // the range then stays mapped, which costs address space and nothing else.
    private static void Check(int result) => _ = result;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = false)]
    private static partial nint MMap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = false)]
    private static partial int MAdvise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim", SetLastError = false)]
    private static partial int MallocTrim(nuint pad);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = false)]
    private static partial int MUnmap(nint address, nuint length);
}
