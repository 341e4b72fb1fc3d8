using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>One element of a packed list, or a value about to be looked for or stored in one.</summary>
/// <remarks>
/// An element is an integer or a string of bytes. A value made by <see cref="Of"/> from text that is an integer is
/// both: stored as the integer, yet equal to a string of the same bytes should a list from elsewhere hold one. Strings
/// read from a list point into it and end with its next change.
/// </remarks>
public readonly ref struct PackedElement
{
    private PackedElement(ReadOnlySpan<byte> bytes, long integer, bool isInteger)
    {
        Bytes = bytes;
        Integer = integer;
        IsInteger = isInteger;
    }

    /// <summary>The string's bytes; for an integer the text it was made from, or empty.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The integer when <see cref="IsInteger"/>.</summary>
    public long Integer { get; }

    /// <summary>True when the element is stored as an integer.</summary>
    public bool IsInteger { get; }

    /// <summary>The value for these bytes: an integer where the text is the canonical form of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PackedElement Of(ReadOnlySpan<byte> text)
    {
        bool isInteger = IntegerText.TryParse(text, out long integer);
        return new PackedElement(text, integer, isInteger);
    }

    /// <summary>The value for an integer.</summary>
    public static PackedElement OfInteger(long integer) => new(default, integer, isInteger: true);

    /// <summary>A string as it stands, even if it reads as an integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static PackedElement OfString(ReadOnlySpan<byte> bytes) => new(bytes, 0, isInteger: false);

    /// <summary>The element as the bytes a client sees.</summary>
    /// <param name="scratch">At least <see cref="IntegerText.MaxLength"/> long; used for integers only.</param>
    public ReadOnlySpan<byte> AsText(Span<byte> scratch) =>
        IsInteger ? scratch[..IntegerText.Format(Integer, scratch)] : Bytes;
}
