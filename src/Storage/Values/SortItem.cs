namespace KvServer.Storage;

/// <summary>One element of a <see cref="SortVector"/>: where its text is, and what it is sorted by.</summary>
internal unsafe struct SortItem
{
    /// <summary>The score, or the first eight bytes of the key, as a number that compares as they do.</summary>
    public ulong Rank;

    /// <summary>The element's text.</summary>
    public byte* Text;

    /// <summary>What decides between equal ranks, or null, which comes before everything.</summary>
    public byte* Key;

    /// <summary>Bytes of the text.</summary>
    public int TextLength;

    /// <summary>Bytes of the key.</summary>
    public int KeyLength;

    /// <summary>The place the element came in.</summary>
    public int Place;

    /// <summary>The text as a span.</summary>
    public readonly ReadOnlySpan<byte> TextSpan => new(Text, TextLength);

    /// <summary>The key as a span; empty for none.</summary>
    public readonly ReadOnlySpan<byte> KeySpan => new(Key, KeyLength);
}
