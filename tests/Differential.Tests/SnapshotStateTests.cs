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

    [Fact]
    public Task Every_form_of_reload_leaves_the_same_data_and_dirty_count() => CompareAsync(
        options => options,
        [
            "SET a 1", "SADD s x y z", "SET e 1 EX 1000", "DEBUG RELOAD", "#digest", "SET b 2", "DEBUG RELOAD NOSAVE", "#digest",
            "SET b 2", "DEL a", "DEL s", "DEL e", "DEBUG RELOAD NOFLUSH NOSAVE", "#digest", "SET a 5",
            "DEBUG RELOAD noflush nosave merge", "#digest", "SET a 6", "DEBUG RELOAD MERGE", "#digest", "SET c 1",
            "DEBUG RELOAD NOSAVE MERGE", "#digest", "SET c 1", "SET a 7", "SADD s w", "DEBUG RELOAD MERGE NOSAVE NOFLUSH",
            "#digest", "DEBUG RELOAD NOFLUSH MERGE", "#digest", "DEBUG RELOAD NOSAVE NOSAVE", "DEBUG RELOAD FOO",
            "SET d 1", "DEBUG RELOAD NOSAVE FOO", "#digest", "SELECT 4", "SET other 1", "DEBUG RELOAD", "GET other",
            "#damage", "SET f 1", "DEBUG RELOAD NOSAVE", "#digest", "DBSIZE",
            "#remove", "SET c 1", "DEBUG RELOAD NOSAVE", "DBSIZE", "SET c 1", "DEBUG RELOAD NOSAVE NOFLUSH", "DBSIZE",
            "#folder", "DEBUG RELOAD", "DBSIZE", "DEBUG RELOAD NOFLUSH MERGE", "#digest",
        ]);

    [Fact]
    public Task Checksums_are_looked_at_unless_that_is_switched_off() => CompareAsync(
        options => options,
        [
            "SET a 1", "DUMP a", "RESTORE b 0 \"\\x00\\xc0\\x01\\n\\x0012345678\"", "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1",
            "RESTORE b 0 \"\\x00\\xc0\\x01\\n\\x0012345678\"", "GET b", "RESTORE c 0 \"\\x00\\xc0\\x01\\xff\\x0012345678\"",
            "RESTORE c 0 12345678", "#digest", "SAVE", "#wrong-checksum", "DEBUG RELOAD NOSAVE", "#digest",
            "DEBUG SET-SKIP-CHECKSUM-VALIDATION 0", "RESTORE d 0 \"\\x00\\xc0\\x01\\n\\x0012345678\"",
            "DEBUG SET-SKIP-CHECKSUM-VALIDATION", "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1 2",
        ]);

    [Fact]
    public async Task An_option_without_effect_is_kept_with_a_warning_and_the_file_stays()
    {
        const string name = "rdb-del-sync-files";
        const string value = "yes";
        ServerPair.RequireReference();
        foreach (string? binary in new[] { null, ReferenceServer.Binary })
        {
            await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests(binary).With(name, value));
            using RespClient client = server.Connect();
            Assert.Equal(value, client.Execute("CONFIG", "GET", name).AsStrings[1]);
            client.Execute("SET", "a", "1");
            Assert.Equal("OK", client.Execute("SAVE").AsString);
            Assert.Equal("OK", client.Execute("DEBUG", "RELOAD", "NOSAVE").AsString);
            Assert.Equal("1", client.Execute("GET", "a").AsString);
            Assert.True(File.Exists(Path.Combine(server.Folder, "dump.rdb")));
            if (!server.Options.IsReference)
            {
                Assert.Contains($"'{name}'", server.Log, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Sends each line to both servers and compares the reply, and then what INFO says.</summary>
    private static async Task CompareAsync(Func<ServerOptions, ServerOptions> configure, IReadOnlyList<string> lines)
    {
        ServerPair.RequireReference();
        await using ServerProcess ours = await ServerProcess.StartAsync(configure(ServerOptions.ForTests()));
        await using ServerProcess reference =
            await ServerProcess.StartAsync(configure(ServerOptions.ForTests(ReferenceServer.Binary)));
        using RespClient client = ours.Connect();
        using RespClient other = reference.Connect();
        for (int i = 0; i < lines.Count; i++)
        {
            string line = lines[i];
            if (line.StartsWith(UntilMark, StringComparison.Ordinal))
            {
                WaitFor(client, line[UntilMark.Length..]);
                WaitFor(other, line[UntilMark.Length..]);
                continue;
            }

            if (line == "#digest")
            {
                Assert.Equal(other.Execute("DEBUG", "DIGEST").AsString, client.Execute("DEBUG", "DIGEST").AsString);
                continue;
            }

            if (line[0] == '#')
            {
                TreatFile(line, Path.Combine(ours.Folder, "dump.rdb"));
                TreatFile(line, Path.Combine(reference.Folder, "dump.rdb"));
                continue;
            }

            Assert.Equal((line, other.ExecuteLine(line).ToString()), (line, client.ExecuteLine(line).ToString()));
            if (i + 1 == lines.Count || !lines[i + 1].StartsWith(UntilMark, StringComparison.Ordinal))
            {
                Assert.Equal((line, Describe(other)), (line, Describe(client))); // Else it is still changing.
            }
        }
    }

    private static void TreatFile(string line, string path)
    {
        switch (line)
        {
            case "#damage": File.WriteAllText(path, "this is no snapshot"); break;
            case "#wrong-checksum": InvertLastByte(path); break;
            case "#remove": File.Delete(path); break;
            case "#folder": Directory.CreateDirectory(path); break;
            default: Assert.Fail(line); break;
        }
    }

    private static void InvertLastByte(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 0xFF;
        File.WriteAllBytes(path, bytes);
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
