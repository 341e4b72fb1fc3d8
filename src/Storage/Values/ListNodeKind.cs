namespace KvServer.Storage;

/// <summary>What a node of a list's tree holds.</summary>
internal enum ListNodeKind : byte
{
    /// <summary>Children with the number of elements below each.</summary>
    Inner = 0,

    /// <summary>A leaf that is a packed list.</summary>
    Packed = 1,

    /// <summary>A leaf that is one element too long for a packed list.</summary>
    Plain = 2,

    /// <summary>A leaf that is a packed list in LZF form.</summary>
    Compressed = 3,
}
