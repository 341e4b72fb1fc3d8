using System.Buffers.Text;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace KvServer.Storage;

/// <summary>The id of an entry of a stream: a time and a number that tells apart what has the same time.</summary>
/// <param name="Ms">Milliseconds, as a rule since 1970.</param>
/// <param name="Sequence">The number.</param>
[SuppressMessage("Design", "CA1036", Justification = "The operators are there; equality comes with the record.")]
public readonly record struct StreamId(ulong Ms, ulong Sequence) : IComparable<StreamId>
{
    /// <summary>Characters of the longest id as text.</summary>
    public const int MaxTextLength = 41;

    /// <summary>The smallest id, which no entry has.</summary>
    public static StreamId Min => default;

    /// <summary>The largest id.</summary>
    public static StreamId Max => new(ulong.MaxValue, ulong.MaxValue);

    /// <summary>Whether one id comes before another.</summary>
    public static bool operator <(StreamId left, StreamId right) =>
        left.Ms < right.Ms || (left.Ms == right.Ms && left.Sequence < right.Sequence);

    /// <summary>Whether one id comes behind another.</summary>
    public static bool operator >(StreamId left, StreamId right) => right < left;

    /// <summary>Whether one id comes before another or is the same.</summary>
    public static bool operator <=(StreamId left, StreamId right) => !(right < left);

    /// <summary>Whether one id comes behind another or is the same.</summary>
    public static bool operator >=(StreamId left, StreamId right) => !(left < right);

    /// <inheritdoc/>
    public int CompareTo(StreamId other) => this < other ? -1 : this == other ? 0 : 1;

    /// <summary>The id right behind this one.</summary>
    /// <returns>False for the largest.</returns>
    public bool TryGetNext(out StreamId next)
    {
        bool isThere = this != Max; // Asked first: the result may be written over this very id.
        next = Sequence < ulong.MaxValue ? new StreamId(Ms, Sequence + 1) : new StreamId(Ms + 1, 0);
        return isThere;
    }

    /// <summary>The id right before this one.</summary>
    /// <returns>False for the smallest.</returns>
    public bool TryGetPrevious(out StreamId previous)
    {
        bool isThere = this != Min;
        previous = Sequence > 0 ? new StreamId(Ms, Sequence - 1) : new StreamId(Ms - 1, ulong.MaxValue);
        return isThere;
    }

    /// <summary>Writes the id as clients see it.</summary>
    /// <param name="text">At least <see cref="MaxTextLength"/> long.</param>
    /// <returns>The number of characters.</returns>
    public int Format(Span<byte> text)
    {
        bool hasRoom = Utf8Formatter.TryFormat(Ms, text, out int length);
        text[length] = (byte)'-';
        hasRoom &= Utf8Formatter.TryFormat(Sequence, text[(length + 1)..], out int more);
        Debug.Assert(hasRoom, "the caller gives room for any id");
        return length + 1 + more;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{Ms}-{Sequence}");
}
