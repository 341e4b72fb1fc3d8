namespace KvServer.Storage;

/// <summary>One part of a collection as a file holds it: bytes, an integer, or the score of the member before.</summary>
/// <remarks>Valid until the next part is read.</remarks>
internal readonly ref struct RdbElement
{
    private RdbElement(ReadOnlySpan<byte> bytes, long integer, bool isInteger, double score)
    {
        Bytes = bytes;
        Integer = integer;
        IsInteger = isInteger;
        Score = score;
    }

    /// <summary>The bytes, unless it is an integer or a score.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The value of an integer.</summary>
    public long Integer { get; }

    /// <summary>Whether it is kept as an integer; bytes may read as one all the same.</summary>
    public bool IsInteger { get; }

    /// <summary>The score of a sorted set's member.</summary>
    public double Score { get; }

    public static RdbElement OfBytes(ReadOnlySpan<byte> bytes) => new(bytes, 0, false, 0);

    public static RdbElement OfInteger(long integer) => new(default, integer, true, 0);

    public static RdbElement OfScore(double score) => new(default, 0, false, score);

    /// <summary>The part as a member of a set.</summary>
    public SetMember AsMember() => IsInteger ? SetMember.OfInteger(Integer) : SetMember.OfBytes(Bytes);
}
