namespace KvServer.Storage;

/// <summary>Compresses leaves of lists and restores them, in buffers that all lists of a store share.</summary>
/// <remarks>Command loop only. Buffers are made when first needed: without list-compress-depth, never.</remarks>
internal sealed unsafe class ListCompressor
{
    // Less than this is not worth the time.
    private const int MinBytes = 48;
    private const int MinGainBytes = 8;

    private Lzf? _lzf;
    private byte[] _raw = [];
    private byte[] _compressed = [];

    /// <summary>The packed list of a compressed leaf.</summary>
    /// <returns>A view of a shared buffer, valid until the next call.</returns>
    public PackedList Restore(byte* leaf)
    {
        int length = ListNode.PackedBytesOf(leaf);
        if (_raw.Length < length)
        {
            _raw = GC.AllocateUninitializedArray<byte>(Math.Max(length, 8192));
        }

        Span<byte> target = _raw.AsSpan(0, length);
        ListNode.Decompress(leaf, target);
        return new PackedList(target);
    }

    /// <summary>Makes a compressed leaf like a packed one.</summary>
    /// <returns>Null when it would gain nothing.</returns>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public byte* TryCompress(NativeHeap heap, byte* leaf)
    {
        PackedList list = ListNode.PackedOf(leaf);
        ReadOnlySpan<byte> bytes = list.Bytes;
        if (bytes.Length < MinBytes)
        {
            return null;
        }

        if (_compressed.Length < bytes.Length)
        {
            _compressed = GC.AllocateUninitializedArray<byte>(Math.Max(bytes.Length, 8192));
        }

        _lzf ??= new Lzf();
        int length = _lzf.Compress(bytes, _compressed.AsSpan(0, bytes.Length - MinGainBytes));
        return length == 0 ? null : ListNode.CreateCompressed(heap, list, _compressed.AsSpan(0, length));
    }
}
