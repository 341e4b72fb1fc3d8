namespace KvServer.Storage;

/// <summary>Where a walk over a set or a hash has come, to go on from there in another turn.</summary>
/// <remarks>Good until the value changes; see <see cref="PartialRead"/>.</remarks>
public readonly struct WalkPlace
{
    internal WalkPlace(in TableWalk walk, int position, long nowMs = long.MinValue)
    {
        Walk = walk;
        Position = position;
        NowMs = nowMs;
    }

    internal TableWalk Walk { get; }

    internal int Position { get; }

    /// <summary>The time by which fields of a hash are left out, ms since the Unix epoch: one for the whole walk.</summary>
    internal long NowMs { get; }
}
