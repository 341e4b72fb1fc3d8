namespace KvServer.Storage;

/// <summary>How a queue of things that fall due reads them.</summary>
internal unsafe interface IDueLayout
{
    /// <summary>When it falls due, in milliseconds since 1970.</summary>
    static abstract long DueAt(byte* item);

    /// <summary>Its place in the queue.</summary>
    static abstract int SlotOf(byte* item);

    /// <summary>Notes its place in the queue.</summary>
    static abstract void SetSlot(byte* item, int slot);
}
