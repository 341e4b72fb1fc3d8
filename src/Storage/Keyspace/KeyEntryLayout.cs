using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>How the dict of a database reads its entries.</summary>
internal readonly unsafe struct KeyEntryLayout : IEntryLayout
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Matches(byte* entry, ReadOnlySpan<byte> key) => EntryBlock.KeyOf(entry).SequenceEqual(key);

    /// <inheritdoc/>
    public static void Free(NativeHeap heap, byte* entry, FreeFrom from) => ValueLifetime.FreeEntry(heap, entry, from);
}
