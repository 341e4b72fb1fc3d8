namespace KvServer.Storage;

/// <summary>How the dict behind a collection reads its entries: the elements, each in a block of its own.</summary>
/// <remarks>
/// Of the 16 bits that the link leaves to the layout, the highest is the mark that snapshots use:
/// <code>[ next:48 | free for the layout:15 | mark:1 ][ hash:32 ] ...</code>
/// </remarks>
internal unsafe interface IElementLayout : IEntryLayout
{
    /// <summary>Bytes of the element's block, as asked from the heap.</summary>
    static abstract nuint BlockBytesOf(byte* element);

    /// <summary>Makes an element like this one, with the mark that elements made now carry.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    static abstract byte* Copy(DictRuntime runtime, byte* element);

    /// <summary>Writes the element into a snapshot, as it is now.</summary>
    static abstract void HandOver(SnapshotRecordWriter writer, byte* element);
}
