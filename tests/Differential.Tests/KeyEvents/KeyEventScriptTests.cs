using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.KeyEvents;

/// <summary>Plays the scripts with keyspace notifications on: after each step both servers must have published the same
/// events in the same order.</summary>
public sealed class KeyEventScriptTests(EpollPair pair, ITestOutputHelper output) : IClassFixture<EpollPair>
{
    // These hold back commands, ours included, disconnect subscribers, show or count our own requests, or subscribe to everything; and
    // redis-server evicts in CONFIG SET already, we before the next command.
    private static readonly string[] Disturbing =
        ["client", "auth", "connection", "monitor", "slowlog", "latency", "pubsub-shard", "eviction"];

    // When keys expire that nobody asks for differs; what else happens to them does not.
    private const string Expired = "expired";

    public static TheoryData<string> ScriptNames => [.. Script.AllNames.Except(Disturbing)];

    [Theory]
    [MemberData(nameof(ScriptNames))]
    public async Task Both_servers_publish_the_same_events(string script)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using KeyEventListener listener = new(pair, "KEAmn");
        using ScriptRunner runner = new(pair, output.WriteLine) { AfterStep = step => CompareEvents(listener, step) };
        string mismatches = runner.Run(Script.Load(script));
        Assert.True(mismatches.Length == 0, $"{script}.txt\n{mismatches}");
    }

    private static string? CompareEvents(KeyEventListener listener, ScriptStep step)
    {
        string? difference = listener.Compare(without: Expired);
        return step.Comparison == ReplyComparison.Differs ? null : difference;
    }
}
