namespace KvServer.Differential.Tests.Running;

/// <summary>How much of two replies must be the same.</summary>
public enum ReplyComparison
{
    /// <summary>Every byte.</summary>
    Exact,

    /// <summary>Every byte, but items of arrays and sets, and pairs of maps, may come in any order.</summary>
    Unordered,

    /// <summary>Types and the number of items; texts and integers may differ.</summary>
    Shape,

    /// <summary>As exact, but integers, fractions and addresses in texts may be any: times, ports.</summary>
    Masked,

    /// <summary>As exact, but integers may lie apart by a given distance.</summary>
    Approximate,

    /// <summary>Nothing: DIFFERENCES.md says why. The replies must differ, or the mark is out of date.</summary>
    Differs,
}
