namespace KvServer.Storage;

/// <summary>How a dict reads its entries.</summary>
/// <remarks>
/// Every entry starts with the same 12 bytes; what follows is the layout's business, as are the 16 bits above the
/// address of the next entry:
/// <code>[ next:48 | free for the layout:16 ][ hash:32 ] ...</code>
/// </remarks>
public unsafe interface IEntryLayout
{
    /// <summary>Whether the entry has this key.</summary>
    static abstract bool Matches(byte* entry, ReadOnlySpan<byte> key);

    /// <summary>Bytes of the block that begins with the dict's state; a layout may have more there than that.</summary>
    static virtual int StateBytes => DictState.Bytes;

    /// <summary>Frees an entry and all it owns.</summary>
    static abstract void Free(NativeHeap heap, byte* entry, FreeFrom from);
}
