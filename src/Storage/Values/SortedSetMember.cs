namespace KvServer.Storage;

/// <summary>A member met while walking a sorted set, with its score.</summary>
/// <remarks>Valid until the set changes.</remarks>
public readonly ref struct SortedSetMember
{
    internal SortedSetMember(SetMember member, double score)
    {
        Member = member;
        Score = score;
    }

    /// <summary>The member.</summary>
    public SetMember Member { get; }

    /// <summary>Its score; never NaN.</summary>
    public double Score { get; }
}
