using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>How the index of expiry times reads its entries: each holds the address of the keyspace entry.</summary>
/// <remarks><code>[ next:8 ][ hash:4 ][ address of the keyspace entry:8 ]</code></remarks>
internal readonly unsafe struct ExpiryLayout : IEntryLayout
{
    /// <summary>Bytes of an entry.</summary>
    public const int Bytes = EntryLink.Bytes + 8;

    /// <summary>The keyspace entry.</summary>
    public static byte* TargetOf(byte* entry) => (byte*)Unsafe.ReadUnaligned<nint>(entry + EntryLink.Bytes);

    /// <summary>Sets the keyspace entry.</summary>
    public static void SetTarget(byte* entry, byte* target) =>
        Unsafe.WriteUnaligned(entry + EntryLink.Bytes, (nint)target);

    /// <inheritdoc/>
    public static bool Matches(byte* entry, ReadOnlySpan<byte> key) =>
        EntryBlock.KeyOf(TargetOf(entry)).SequenceEqual(key);

    /// <inheritdoc/>
    public static void Free(NativeHeap heap, byte* entry, FreeFrom from) =>
        heap.Free(entry, Bytes, HeapTag.Expiry, from);
}
