using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>Sorted sets in a base file of commands.</summary>
public sealed class AofSortedSetTests : IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("aofzset");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Fact]
    public async Task A_base_file_of_commands_holds_every_score_as_it_was()
    {
        ServerPair.RequireReference();
        string[] scores = ["0.1", "-0", "3", "inf", "-inf", "1e300", "5e-324", "4503599627370497.5", "9007199254740993", "-1.25e-7"];
        string digest;
        await using (ServerProcess writer = await StartAsync(ours: true))
        {
            using RespClient client = writer.Connect();
            foreach (string key in new[] { "packed", "skiplist" })
            {
                for (int i = 0; i < scores.Length; i++)
                {
                    client.Execute("ZADD", key, scores[i], "member" + scores[i]);
                }

                client.Execute("PEXPIREAT", key, "33177117420000");
            }

            // Two requests are needed for each.
            for (int i = 0; i < 100; i++)
            {
                client.Execute("ZADD", "packed", FormattableString.Invariant($"{i / 8.0}"), FormattableString.Invariant($"{i}"));
                client.Execute("ZADD", "skiplist", FormattableString.Invariant($"{i / 3.0}"), FormattableString.Invariant($"{i}"));
            }

            client.Execute("ZADD", "skiplist", "7", new string('x', 100_000));
            Assert.Equal("listpack", client.Execute("OBJECT", "ENCODING", "packed").AsString);
            Assert.Equal("skiplist", client.Execute("OBJECT", "ENCODING", "skiplist").AsString);
            digest = client.Execute("DEBUG", "DIGEST").AsString;
            client.Execute("CONFIG", "SET", "appendonly", "yes");
            long end = Environment.TickCount64 + 20_000;
            while (!client.Execute("INFO", "persistence").AsString.Contains("aof_rewrites:1\r", StringComparison.Ordinal))
            {
                Assert.True(Environment.TickCount64 < end, "The base file is not written.");
            }
        }

        string path = Directory.GetFiles(Path.Combine(_folder, "appendonlydir"), "*.base.aof").Single();
        List<string> requests = AofRequests.Read(path, out _);
        string packed = requests.First(request => request.StartsWith("ZADD packed ", StringComparison.Ordinal));
        Assert.StartsWith("ZADD packed -inf member-inf -1.25e-07 member-1.25e-7 0 ", packed, StringComparison.Ordinal);
        Assert.Contains(" 0.1 member0.1 ", packed, StringComparison.Ordinal);

        await using ServerProcess reader = await StartAsync(ours: false, ("appendonly", "yes"));
        using RespClient other = reader.Connect();
        Assert.Equal(digest, other.Execute("DEBUG", "DIGEST").AsString);
    }

    private Task<ServerProcess> StartAsync(bool ours, params (string Name, string Value)[] settings)
    {
        ServerOptions options = ServerOptions.ForTests(ours ? null : ReferenceServer.Binary)
            .With("dir", _folder).With("aof-use-rdb-preamble", "no");
        foreach ((string name, string value) in settings)
        {
            options.With(name, value);
        }

        return ServerProcess.StartAsync(options);
    }
}
