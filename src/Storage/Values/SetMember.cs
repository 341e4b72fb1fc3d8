namespace KvServer.Storage;

/// <summary>A member met while walking a set: an integer, or bytes where they lie in the set.</summary>
/// <remarks>Valid until the set changes. Carries what the set knows of it, so that looking it up in another set need
/// not format, parse or hash it again.</remarks>
public readonly ref struct SetMember
{
    private readonly bool _hasHash;
    private readonly uint _hash;

    private SetMember(ReadOnlySpan<byte> bytes, long integer, bool isInteger, bool hasHash, uint hash)
    {
        Bytes = bytes;
        Integer = integer;
        IsInteger = isInteger;
        _hasHash = hasHash;
        _hash = hash;
    }

    /// <summary>The member's bytes unless <see cref="IsInteger"/>.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The member when <see cref="IsInteger"/>.</summary>
    public long Integer { get; }

    /// <summary>True when the member is kept as an integer; false does not mean that its text is not one.</summary>
    public bool IsInteger { get; }

    /// <summary>A member that is an integer.</summary>
    public static SetMember OfInteger(long integer) => new(default, integer, true, false, 0);

    /// <summary>A member as its bytes.</summary>
    public static SetMember OfBytes(ReadOnlySpan<byte> bytes) => new(bytes, 0, false, false, 0);

    internal static SetMember OfBytes(ReadOnlySpan<byte> bytes, uint hash) => new(bytes, 0, false, true, hash);

    internal static SetMember Of(PackedElement element) =>
        new(element.Bytes, element.Integer, element.IsInteger, false, 0);

    /// <summary>The member as clients see it.</summary>
    /// <param name="scratch">At least <see cref="IntegerText.MaxLength"/> long; used for integers only.</param>
    public ReadOnlySpan<byte> AsText(Span<byte> scratch) => IsInteger ? scratch[..IntegerText.Format(Integer, scratch)] : Bytes;

    /// <summary>True when the member is an integer or the text of one.</summary>
    public bool TryGetInteger(out long integer)
    {
        integer = Integer;
        return IsInteger || IntegerText.TryParse(Bytes, out integer);
    }

    /// <summary>The form in which a packed list knows this member.</summary>
    internal PackedElement AsElement() => IsInteger ? PackedElement.OfInteger(Integer) : PackedElement.Of(Bytes);

    /// <summary>The hash of the member's text, as far as dicts look at it.</summary>
    internal ulong HashOf(ReadOnlySpan<byte> text, Keyspace keyspace) => _hasHash ? _hash : keyspace.HashOf(text);
}
