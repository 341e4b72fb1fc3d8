namespace KvServer.Server.Commands.Options;

/// <summary>A pattern of SORT: a key with a <c>*</c> for the element, <c>key->field</c> for a field of a hash, or a
/// <c>#</c> for the element itself.</summary>
/// <remarks>Like the reference server it is read as a C string: a NUL hides what is behind it from the search for the
/// signs, and is a part of the key all the same.</remarks>
internal readonly ref struct SortPattern
{
    private SortPattern(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, ReadOnlySpan<byte> field, bool hasPlace)
    {
        Before = before;
        After = after;
        Field = field;
        HasPlace = hasPlace;
    }

    /// <summary>Whether there is a place for the element; without one the pattern stands for nothing.</summary>
    public bool HasPlace { get; }

    /// <summary>Whether the pattern stands for the element itself.</summary>
    public bool IsElement { get; private init; }

    /// <summary>The key in front of the element.</summary>
    public ReadOnlySpan<byte> Before { get; }

    /// <summary>The key behind the element.</summary>
    public ReadOnlySpan<byte> After { get; }

    /// <summary>The field of a hash; empty when the key is that of a string.</summary>
    public ReadOnlySpan<byte> Field { get; }

    /// <summary>Reads a pattern. Every text is one.</summary>
    public static SortPattern Of(ReadOnlySpan<byte> text)
    {
        int nul = text.IndexOf((byte)0);
        ReadOnlySpan<byte> visible = nul < 0 ? text : text[..nul];
        int star = visible.IndexOf((byte)'*');
        if (star < 0)
        {
            return new SortPattern(default, default, default, hasPlace: false) { IsElement = visible is [(byte)'#'] };
        }

        int after = star + 1;
        int arrow = visible[after..].IndexOf("->"u8);
        int field = after + arrow + 2;
        return arrow < 0 || field == visible.Length
            ? new SortPattern(text[..star], text[after..], default, hasPlace: true)
            : new SortPattern(text[..star], text.Slice(after, arrow), text[field..], hasPlace: true);
    }
}
