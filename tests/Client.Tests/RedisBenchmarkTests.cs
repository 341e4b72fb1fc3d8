using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>redis-benchmark runs without an error line.</summary>
public sealed class RedisBenchmarkTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("1")]
    [InlineData("16")]
    public async Task All_tests_on_our_commands_run_without_errors(string pipeline)
    {
        string[] arguments =
        [
            "-p", shared.Port, "-t", "ping_inline,ping_mbulk,set,get,incr,sadd,spop,mset", "-n", "4000", "-c", "50",
            "-r", "1000", "-P", pipeline, "--csv",
        ];
        ToolRun run = await ToolRun.RunAsync(Require.Tool("redis-benchmark"), arguments, timeoutSeconds: 120);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("rror", run.All, StringComparison.Ordinal);
        Assert.DoesNotContain("WARNING", run.All, StringComparison.Ordinal);
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8 + 1, lines.Length); // One per test and the heading.
    }
}
