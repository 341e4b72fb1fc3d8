namespace KvServer.Server.Commands.Options;

/// <summary>What the two ends of a range of a sorted set are.</summary>
internal enum SortedSetRangeKind
{
    /// <summary>The request says it, ranks if it does not.</summary>
    Any,

    /// <summary>Ranks.</summary>
    Rank,

    /// <summary>Scores.</summary>
    Score,

    /// <summary>Members.</summary>
    Lex,
}
