using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The first 12 bytes that entries of all layouts have in common.</summary>
internal static unsafe class EntryLink
{
    /// <summary>Bytes of the common part.</summary>
    public const int Bytes = 12;

    private const int HashOffset = 8;
    private const ulong AddressMask = 0xFFFF_FFFF_FFFF;

    /// <summary>The next entry of the chain, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Next(byte* entry) => (byte*)(*(ulong*)entry & AddressMask);

    /// <summary>Sets the next entry and leaves the layout's 16 bits alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetNext(byte* entry, byte* next) =>
        *(ulong*)entry = (*(ulong*)entry & ~AddressMask) | (ulong)next;

    /// <summary>The low 32 bits of the key's hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(byte* entry) => *(uint*)(entry + HashOffset);

    /// <summary>Sets the hash; only before the entry goes into a dict.</summary>
    public static void SetHash(byte* entry, uint hash) => *(uint*)(entry + HashOffset) = hash;
}
