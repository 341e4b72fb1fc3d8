namespace KvServer.Storage;

/// <summary>How the scores of one member in several sets become one.</summary>
public enum SortedSetAggregate
{
    /// <summary>Their sum; infinities of both signs add up to 0.</summary>
    Sum,

    /// <summary>The lowest.</summary>
    Min,

    /// <summary>The greatest.</summary>
    Max,
}
