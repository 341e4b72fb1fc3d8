namespace KvServer.Differential.Tests.Running;

/// <summary>One step of a script with the directives that stood before it.</summary>
public sealed record ScriptStep(ScriptStepKind Kind, int Line, string Text)
{
    /// <summary>The arguments of a command, or the single block of bytes of a raw step.</summary>
    public IReadOnlyList<byte[]> Arguments { get; init; } = [];

    /// <summary>How the replies are compared.</summary>
    public ReplyComparison Comparison { get; init; }

    /// <summary>The largest distance of integers that counts as equal.</summary>
    public long Tolerance { get; init; }

    /// <summary>The heading in DIFFERENCES.md that explains a step marked as different.</summary>
    public string? Anchor { get; init; }

    /// <summary>What our reply must read like where the reference's is no measure; null: anything.</summary>
    public string? ExpectedFromUs { get; init; }

    /// <summary>How many replies the step reads.</summary>
    public int ReplyCount { get; init; } = 1;
}
