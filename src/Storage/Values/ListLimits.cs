namespace KvServer.Storage;

/// <summary>How large the packed lists are that a list consists of, and which of them are compressed.</summary>
/// <param name="NodeBytes">Bytes of one packed list; a longer element is a node of its own.</param>
/// <param name="NodeCount">Elements of one packed list.</param>
/// <param name="CompressDepth">Nodes at each end that are not compressed; 0 compresses none.</param>
public readonly record struct ListLimits(int NodeBytes, int NodeCount, int CompressDepth)
{
    // Where only the number of elements is limited, this keeps nodes from growing without bounds.
    private const int SafeNodeBytes = 8192;
    private const int LargestFill = 5;

    // Finding out whether a node is far enough inside takes as many steps.
    private const int MaxCompressDepth = 255;

    /// <summary>The limits of a server that nobody has configured.</summary>
    public static ListLimits Default => From(-2, 0);

    /// <summary>Limits from configuration.</summary>
    /// <param name="fill">Elements when positive; -1 to -5 for 4, 8, 16, 32 and 64 KB (list-max-listpack-size).</param>
    /// <param name="compressDepth">Nodes at each end that stay as they are (list-compress-depth); over 255 means all.</param>
    public static ListLimits From(int fill, int compressDepth) => new(
        fill >= 0 ? SafeNodeBytes : SafeNodeBytes / 2 << (int)(Math.Min(-(long)fill, LargestFill) - 1),
        fill >= 0 ? Math.Max(fill, 1) : int.MaxValue,
        compressDepth > MaxCompressDepth ? 0 : compressDepth);

    /// <summary>Whether one packed list may not be so large.</summary>
    public bool AreExceededBy(long bytes, long count) => bytes > NodeBytes || count > NodeCount;
}
