using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>What one server answered to one step.</summary>
public sealed record StepOutcome(IReadOnlyList<RespValue> Replies, string? Failure, bool Closed)
{
    /// <summary>No bytes, no failure: where reading starts.</summary>
    public static StepOutcome Nothing { get; } = new([], Failure: null, Closed: false);

    /// <summary>Bytes that a raw step received.</summary>
    public byte[] RawBytes { get; init; } = [];

    /// <summary>True when requests and replies may no longer be in step.</summary>
    public bool IsBroken => Closed || Failure is not null;

    public override string ToString()
    {
        List<string> parts = [.. Replies.Select(reply => reply.ToString())];
        if (RawBytes.Length > 0)
        {
            parts.Add(CommandLine.Quote(RawBytes));
        }

        if (Failure is not null)
        {
            parts.Add($"({Failure})");
        }

        if (Closed)
        {
            parts.Add("(closed)");
        }

        return parts.Count == 0 ? "(nothing)" : string.Join("\n", parts);
    }
}
