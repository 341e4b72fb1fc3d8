using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>What the kernel is told about whom to end when memory is short, beside the reference.</summary>
public sealed class OomScoreTests
{
    [Fact]
    public async Task Both_servers_set_the_same()
    {
        ServerPair.RequireReference();
        List<string> seen = [];
        foreach (string? binary in new[] { ReferenceServer.Binary, null })
        {
            await using ServerProcess server = await ServerProcess.StartAsync(
                ServerOptions.ForTests(binary).With("oom-score-adj", "yes").With("oom-score-adj-values", "20 30 40"));
            using RespClient client = server.Connect();
            string all = Value(server);
            foreach (string line in new[]
            {
                "CONFIG SET oom-score-adj no", "CONFIG SET oom-score-adj absolute", "CONFIG SET oom-score-adj-values \"50 1 2\"",
                "CONFIG SET oom-score-adj-values \"1500 1 2\"", "CONFIG SET oom-score-adj relative",
                "CONFIG SET oom-score-adj-values \"3 4\"", "CONFIG SET oom-score-adj-values \"60 1 2\" oom-score-adj absolute",
                "CONFIG SET oom-score-adj-values \"70 1 2\" maxmemory-samples 0", "CONFIG SET oom-score-adj no",
            })
            {
                all += $"\n{line}: {client.ExecuteLine(line)} {Value(server)}";
            }

            seen.Add(all);
        }

        Assert.Equal(seen[0], seen[1]);
    }

    private static string Value(ServerProcess server) => File.ReadAllText($"/proc/{server.ProcessId}/oom_score_adj").Trim();
}
