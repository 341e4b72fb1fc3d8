using System.Text;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>Plays a script to both servers and collects where they answer differently.</summary>
/// <remarks>A difference does not end the script: one run shows all of them, up to a bound.</remarks>
public sealed class ScriptRunner(ServerPair pair, Action<string> record) : IDisposable
{
    private const int MaxMismatches = 25;
    private const int RawQuietMs = 30;
    private const int MaxRawRounds = 60;
    private const int UntilTimeoutMs = 10_000;

    private readonly ScriptSide _ours = new(pair.Ours);
    private readonly ScriptSide _reference = new(pair.Reference);
    private readonly List<(string Name, RespValue Ours, RespValue Reference)> _changedOptions = [];
    private readonly StringBuilder _mismatches = new();
    private int _mismatchCount;

    /// <summary>Looks at both servers after each step, and says what is different; null for nothing.</summary>
    public Func<ScriptStep, string?>? AfterStep { get; init; }

    /// <summary>Plays all steps.</summary>
    /// <returns>Readable differences; empty when there is none.</returns>
    public string Run(Script script)
    {
        try
        {
            foreach (ScriptStep step in script.Steps)
            {
                RunStep(step);
                if (AfterStep?.Invoke(step) is { } difference)
                {
                    AddMismatch(step, difference);
                }

                if (_mismatchCount >= MaxMismatches)
                {
                    _mismatches.Append("(more follow; stopped here)\n");
                    break;
                }
            }
        }
        finally
        {
            RestoreOptions();
        }

        if (_mismatchCount > 0 && pair.Ours.HasExited)
        {
            _mismatches.Append($"Our server ended with exit code {pair.Ours.ExitCode}.\n{pair.Ours.Log}");
        }

        return _mismatches.ToString();
    }

    public void Dispose()
    {
        _ours.Dispose();
        _reference.Dispose();
    }

    private void RunStep(ScriptStep step)
    {
        switch (step.Kind)
        {
            case ScriptStepKind.Connection:
                _ours.Use(step.Text);
                _reference.Use(step.Text);
                break;
            case ScriptStepKind.Close:
                _ours.CloseCurrent();
                _reference.CloseCurrent();
                break;
            case ScriptStepKind.Config:
                SetOption(step);
                break;
            case ScriptStepKind.Raw:
                RunRaw(step);
                break;
            case ScriptStepKind.Until:
                RunUntil(step, _ours, "ours");
                RunUntil(step, _reference, "reference");
                break;
            default:
                Compare(step, _ours.Run(step), _reference.Run(step));
                break;
        }
    }

    /// <summary>Reads from both until they have sent the same, or one stays behind for good.</summary>
    /// <remarks>A server that is only slow catches up in a later round, so a busy machine makes no difference.</remarks>
    private void RunRaw(ScriptStep step)
    {
        _ours.SendRaw(step.Arguments[0]);
        _reference.SendRaw(step.Arguments[0]);
        StepOutcome ours = StepOutcome.Nothing;
        StepOutcome reference = StepOutcome.Nothing;
        for (int round = 1; round <= MaxRawRounds; round++)
        {
            reference = _reference.ReadRaw(RawQuietMs, reference);
            ours = _ours.ReadRaw(RawQuietMs, ours);
            bool same = ours.Closed == reference.Closed && ours.RawBytes.AsSpan().SequenceEqual(reference.RawBytes);
            if (same && (round > 1 || ours.RawBytes.Length > 0))
            {
                break;
            }
        }

        Compare(step, ours, reference);
    }

    private void RunUntil(ScriptStep step, ScriptSide side, string name)
    {
        long startedAt = Environment.TickCount64;
        while (true)
        {
            StepOutcome outcome = side.Run(step);
            string reply = outcome.Replies.Count == 1 ? outcome.Replies[0].AsString : outcome.ToString();
            if (reply == step.ExpectedFromUs)
            {
                return;
            }

            if (outcome.IsBroken || Environment.TickCount64 - startedAt > UntilTimeoutMs)
            {
                AddMismatch(step, $"  {name} never replied {step.ExpectedFromUs}, last: {reply}\n");
                return;
            }

            Thread.Yield();
        }
    }

    private void SetOption(ScriptStep step)
    {
        ScriptStep get = step with { Arguments = [[.. "CONFIG"u8], [.. "GET"u8], step.Arguments[0]] };
        ScriptStep set = step with { Arguments = [[.. "CONFIG"u8], [.. "SET"u8], step.Arguments[0], step.Arguments[1]] };
        using RespClient ours = _ours.Server.Connect();
        using RespClient reference = _reference.Server.Connect();
        ours.Send(get.Arguments);
        reference.Send(get.Arguments);
        _changedOptions.Add((step.Text.Split(' ')[0], ours.ReadReply(), reference.ReadReply()));
        ours.Send(set.Arguments);
        reference.Send(set.Arguments);
        Compare(step, ToOutcome(ours), ToOutcome(reference));

        static StepOutcome ToOutcome(RespClient client) => new([client.ReadReply()], Failure: null, Closed: false);
    }

    private void RestoreOptions()
    {
        foreach ((string name, RespValue ours, RespValue reference) in Enumerable.Reverse(_changedOptions))
        {
            Restore(_ours.Server, name, ours);
            Restore(_reference.Server, name, reference);
        }

        static void Restore(ServerProcess server, string name, RespValue before)
        {
            if (!server.HasExited && before[name] is { } value)
            {
                using RespClient client = server.Connect();
                client.Send([[.. "CONFIG"u8], [.. "SET"u8], Encoding.ASCII.GetBytes(name), value.Text]);
                client.ReadReply();
            }
        }
    }

    private void Compare(ScriptStep step, StepOutcome ours, StepOutcome reference)
    {
        bool equal = ours.Closed == reference.Closed
            && ours.Failure is null && reference.Failure is null
            && ours.RawBytes.AsSpan().SequenceEqual(reference.RawBytes)
            && ours.Replies.Count == reference.Replies.Count;
        ReplyComparison comparison = step.Comparison == ReplyComparison.Differs
            ? ReplyComparison.Exact
            : step.Comparison;
        for (int i = 0; equal && i < ours.Replies.Count; i++)
        {
            equal = ReplyComparer.AreEqual(ours.Replies[i], reference.Replies[i], comparison, step.Tolerance);
        }

        if (ours.IsBroken || reference.IsBroken)
        {
            _ours.CloseCurrent();
            _reference.CloseCurrent();
        }

        if (step.Comparison == ReplyComparison.Differs)
        {
            CheckDifference(step, ours, reference, equal);
        }
        else if (!equal)
        {
            AddMismatch(step, Describe(ours, reference));
        }
    }

    private void CheckDifference(ScriptStep step, StepOutcome ours, StepOutcome reference, bool equal)
    {
        record($"line {step.Line} differs ({step.Anchor}): {step.Text}\n{Describe(ours, reference)}");
        if (TestPaths.IsStandIn)
        {
            return;
        }

        if (ours.Failure is not null)
        {
            AddMismatch(step, Describe(ours, reference));
        }
        else if (equal)
        {
            AddMismatch(step, $"  marked #differs {step.Anchor}, but both answer:\n{Indent(ours.ToString())}");
        }
        else if (step.ExpectedFromUs is not null && ours.ToString() != step.ExpectedFromUs)
        {
            AddMismatch(step, $"  expected from us: {step.ExpectedFromUs}\n{Describe(ours, reference)}");
        }
    }

    private void AddMismatch(ScriptStep step, string details)
    {
        _mismatchCount++;
        string text = step.Text.Length > 300 ? step.Text[..300] + "..." : step.Text;
        _mismatches.Append($"line {step.Line}: {text}\n{details}");
    }

    private static string Describe(StepOutcome ours, StepOutcome reference) =>
        $"  ours:\n{Indent(ours.ToString())}  reference:\n{Indent(reference.ToString())}";

    private static string Indent(string text)
    {
        string shortened = text.Length > 4000 ? text[..4000] + " ..." : text;
        return "    " + shortened.Replace("\n", "\n    ", StringComparison.Ordinal) + "\n";
    }
}
