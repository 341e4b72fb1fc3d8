using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests;

/// <summary>Plays every script of the Scripts folder to both servers, one test case per script.</summary>
public abstract class ScriptTests(ServerPair pair, ITestOutputHelper output)
{
    public static TheoryData<string> ScriptNames => [.. Script.AllNames];

    [Theory]
    [MemberData(nameof(ScriptNames))]
    public async Task Both_servers_answer_the_same(string script)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using ScriptRunner runner = new(pair, output.WriteLine);
        string mismatches = runner.Run(Script.Load(script));
        Assert.True(mismatches.Length == 0, $"{script}.txt\n{mismatches}");
    }
}
