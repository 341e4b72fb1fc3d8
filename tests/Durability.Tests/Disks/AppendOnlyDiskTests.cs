using System.Diagnostics;
using System.Globalization;
using KvServer.Durability.Tests.Checking;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Disks;

/// <summary>The append-only file on a disk that becomes full, and afterwards.</summary>
public sealed class AppendOnlyDiskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("everysec")]
    [InlineData("always")]
    public async Task Writes_are_refused_while_the_disk_is_full_and_nothing_accepted_is_lost_or_torn(string policy)
    {
        Assert.SkipWhen(
            policy == "always" && TestPaths.IsStandIn, "redis-server exits when it cannot write and fsync is always");
        using TemporaryDisk disk = TemporaryDisk.Mount(megabytes: 4);
        ServerOptions options = ServerOptions.ForTests().With("dir", disk.Folder)
            .With("appendonly", "yes").With("appendfsync", policy).With("auto-aof-rewrite-percentage", "0");
        Dictionary<string, string> accepted = [];
        HashSet<string> refused = [];
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            using (RespClient writer = server.Connect())
            {
                Assert.Equal("1", Dataset.Info(writer, "aof_enabled"));
                Assert.Equal("OK", Set(writer, "before", "v").AsString);
                accepted.Add("before", "v");
                disk.Fill();
                WriteUntilRefused(writer, accepted, refused);
            }

            using RespClient client = server.Connect();
            Assert.Equal("err", Dataset.Info(client, "aof_last_write_status"));
            Assert.Equal(
                "MISCONF Errors writing to the AOF file: No space left on device", Set(client, "refused", "v").AsString);
            Assert.True(SpinWait.SpinUntil(() => TellsWhy(server.Log), Patience), server.Log);
            Assert.Equal("v", client.Execute("GET", "before").AsString);
            Assert.True(client.Execute("GET", "refused").IsNull);

            disk.Clear();
            WaitFor(client, "aof_last_write_status", "ok");
            Assert.Equal("OK", Set(client, "after", "v").AsString);
            accepted.Add("after", "v");
            WaitFor(client, "aof_buffer_length", "0"); // Otherwise the last moments may be lost, as everysec says.
            PosixSignal.Send(server.ProcessId, 9);
            Assert.True(await server.WaitForExitAsync(Patience));
        }

        await using ServerProcess next = await ServerProcess.StartAsync(options.With("aof-load-truncated", "no"));
        using RespClient other = next.Connect();
        foreach ((string key, string value) in accepted)
        {
            Assert.Equal(value, other.Execute("GET", key).AsString);
        }

        Assert.InRange(other.Execute("DBSIZE").AsInteger, accepted.Count, accepted.Count + refused.Count);
        Assert.True(other.Execute("GET", "refused").IsNull);
    }

    private static bool TellsWhy(string log) =>
        log.Contains("No space left on device", StringComparison.Ordinal)
        || log.Contains("Short write", StringComparison.Ordinal);

    // The write that finds the disk full may be answered before or after that is known; the next ones are refused. With
    // always, its connection is closed instead of an answer.
    private static void WriteUntilRefused(RespClient client, Dictionary<string, string> accepted, HashSet<string> refused)
    {
        long startedAt = Stopwatch.GetTimestamp();
        for (int i = 0; ; i++)
        {
            string key = "k" + i.ToString(CultureInfo.InvariantCulture);
            string value = key + new string('x', 5000);
            try
            {
                RespValue reply = Set(client, key, value);
                if (reply.IsError)
                {
                    Assert.StartsWith("MISCONF", reply.AsString);
                    refused.Add(key);
                    return;
                }
            }
            catch (EndOfStreamException)
            {
                refused.Add(key);
                return;
            }

            accepted.Add(key, value);
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, "Writes go on though the disk is full.");
        }
    }

    private static RespValue Set(RespClient client, string key, string value) => client.Execute("SET", key, value);

    private static void WaitFor(RespClient client, string field, string value)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (Dataset.Info(client, field) != value)
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, $"{field} does not become {value}");
        }
    }
}
