using System.Diagnostics;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>What saving and reloading leave behind in INFO and in the data, step by step beside the reference.</summary>
public sealed class SnapshotStateTests
{
    // "#until x" waits until INFO persistence shows x.
    private const string UntilMark = "#until ";

    // Fields of INFO persistence that both servers must agree on after each step.
    private static readonly string[] Fields = ["rdb_changes_since_last_save", "rdb_last_bgsave_status"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("")]
    [InlineData("3600 1")]
    public Task Flushing_leaves_the_same_dirty_count(string savePoints) => CompareAsync(
        options => options.With("save", savePoints),
        [
            "SET a 1", "SET b 2", "FLUSHALL", "FLUSHALL", "SET a 1", "FLUSHALL ASYNC", "FLUSHALL ASYNC", "MSET a 1 b 2",
            "FLUSHDB", "FLUSHDB", "SET a 1", "FLUSHDB ASYNC", "SELECT 3", "SET c 1", "SELECT 0", "SET a 1", "FLUSHALL SYNC",
        ]);

    [Fact]
    public Task An_empty_file_name_starts_and_makes_every_save_fail() => CompareAsync(
        options => options.With("save", "3600 1").With("dbfilename", "").With("enable-protected-configs", "yes"),
        [
            "SET a 1", "CONFIG GET dbfilename", "SAVE", "SET a 2", "DEBUG RELOAD", "GET a", "BGSAVE",
            "#until rdb_last_bgsave_status:err", "SET a 3", "SHUTDOWN", "CONFIG SET dbfilename dump.rdb", "SAVE", "SET a 4",
            "CONFIG SET dbfilename \"\"", "CONFIG GET dbfilename", "SAVE", "CONFIG SET save \"\"",
        ]);

    /// <summary>Sends each line to both servers and compares the reply, and then what INFO says.</summary>
    private static async Task CompareAsync(Func<ServerOptions, ServerOptions> configure, IReadOnlyList<string> lines)
    {
        ServerPair.RequireReference();
        await using ServerProcess ours = await ServerProcess.StartAsync(configure(ServerOptions.ForTests()));
        await using ServerProcess reference =
            await ServerProcess.StartAsync(configure(ServerOptions.ForTests(ReferenceServer.Binary)));
        using RespClient client = ours.Connect();
        using RespClient other = reference.Connect();
        foreach (string line in lines)
        {
            if (line.StartsWith(UntilMark, StringComparison.Ordinal))
            {
                WaitFor(client, line[UntilMark.Length..]);
                WaitFor(other, line[UntilMark.Length..]);
                continue;
            }

            Assert.Equal((line, other.ExecuteLine(line).ToString()), (line, client.ExecuteLine(line).ToString()));
            Assert.Equal((line, Describe(other)), (line, Describe(client)));
        }
    }

    private static void WaitFor(RespClient client, string field)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (!Describe(client).Contains(field, StringComparison.Ordinal))
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, $"No {field}.");
        }
    }

    private static string Describe(RespClient client) => string.Join(' ', client.Execute("INFO", "persistence").AsString
        .Split("\r\n")
        .Where(line => Fields.Contains(line.Split(':')[0], StringComparer.Ordinal)));
}
