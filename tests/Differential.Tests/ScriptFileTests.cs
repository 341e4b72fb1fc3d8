using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>What must hold for the script files themselves.</summary>
public sealed class ScriptFileTests
{
    /// <summary>Commands no script can send, each with the test that covers it instead.</summary>
    private static readonly HashSet<string> NotScripted = new(StringComparer.Ordinal)
    {
    };

    [Fact]
    public void Every_mark_of_a_difference_names_a_heading()
    {
        HashSet<string> headings = DifferencesFile.Headings();
        List<string> unknown = [.. Script.AllNames
            .Select(Script.Load)
            .SelectMany(script => script.Steps
                .Where(step => step.Anchor is not null && !headings.Contains(step.Anchor))
                .Select(step => $"{script.Name}.txt line {step.Line}: {step.Anchor}"))];
        Assert.Empty(unknown);
    }

    [Fact]
    public async Task Every_command_of_ours_appears_in_a_script()
    {
        Assert.SkipWhen(TestPaths.IsStandIn, "redis-server has commands that have no scripts here");
        HashSet<string> scripted = [.. Script.AllNames.Select(Script.Load).SelectMany(script => script.CommandNames())];
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        string[] commands = [.. client.Execute("COMMAND", "LIST").AsStrings.Where(name => !name.Contains('|'))];
        Assert.NotEmpty(commands);
        Assert.Empty(commands.Where(name => !scripted.Contains(name) && !NotScripted.Contains(name)).Order());
    }

    [Theory]
    [InlineData("#nosuch x")]
    [InlineData("#comment without a space")]
    [InlineData("SET k \"open")]
    public void A_wrong_line_names_itself(string line)
    {
        FormatException e = Assert.Throws<FormatException>(() => Script.Parse("bad", ["PING", line]));
        Assert.StartsWith("bad.txt line 2:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Directives_apply_to_the_next_command_only()
    {
        Script script = Script.Parse("good", ["#unordered", "KEYS *", "PING", "#repeat 2", "SET k{i} {x*3}", "GET k"]);
        Assert.Equal(
            [ReplyComparison.Unordered, ReplyComparison.Exact, ReplyComparison.Exact, ReplyComparison.Exact,
                ReplyComparison.Exact],
            script.Steps.Select(step => step.Comparison));
        Assert.Equal("SET k2 xxx", CommandLine.Join(script.Steps[3].Arguments));
    }
}
