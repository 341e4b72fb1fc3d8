using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>The two clients most used from Node, each with scripts of its own in the node folder.</summary>
public sealed class NodeClientTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("ioredis.mjs", "ioredis")]
    [InlineData("redis.mjs", "redis")]
    [InlineData("ioredis-pubsub.mjs", "ioredis")]
    [InlineData("redis-pubsub.mjs", "redis")]
    public async Task A_node_client_does_its_work(string script, string package)
    {
        string folder = Path.Combine(TestPaths.RepositoryRoot, "tests", "Client.Tests", "node");
        string node = Require.Tool("node");
        Require.That(
            Directory.Exists(Path.Combine(folder, "node_modules", package)),
            "node packages are missing: npm ci --prefix tests/Client.Tests/node");
        ToolRun run = await ToolRun.RunAsync(node, [Path.Combine(folder, script), shared.Port]);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.EndsWith("done\n", run.Output, StringComparison.Ordinal);
    }
}
