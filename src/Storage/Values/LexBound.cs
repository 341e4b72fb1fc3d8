namespace KvServer.Storage;

/// <summary>One end of a range of members: a member, or before or behind all of them.</summary>
public readonly ref struct LexBound
{
    private readonly sbyte _infinity;
    private readonly ReadOnlySpan<byte> _member;
    private readonly bool _isExclusive;

    private LexBound(sbyte infinity, ReadOnlySpan<byte> member, bool isExclusive)
    {
        _infinity = infinity;
        _member = member;
        _isExclusive = isExclusive;
    }

    /// <summary>Before all members.</summary>
    public static LexBound BeforeAll => new(-1, default, isExclusive: true);

    /// <summary>Behind all members.</summary>
    public static LexBound AfterAll => new(1, default, isExclusive: true);

    /// <summary>At a member, which need not exist.</summary>
    /// <param name="member">Its bytes; valid as long as the bound.</param>
    /// <param name="isExclusive">Whether it is left out.</param>
    public static LexBound At(ReadOnlySpan<byte> member, bool isExclusive) => new(0, member, isExclusive);

    /// <summary>Whether a member is let in by this bound as the lower one.</summary>
    internal bool IsBelow(ReadOnlySpan<byte> member)
    {
        if (_infinity != 0)
        {
            return _infinity < 0;
        }

        int order = member.SequenceCompareTo(_member);
        return _isExclusive ? order > 0 : order >= 0;
    }

    /// <summary>Whether a member is let in by this bound as the upper one.</summary>
    internal bool IsAbove(ReadOnlySpan<byte> member)
    {
        if (_infinity != 0)
        {
            return _infinity > 0;
        }

        int order = member.SequenceCompareTo(_member);
        return _isExclusive ? order < 0 : order <= 0;
    }
}
