using KvServer.Differential.Tests.Rdb;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>Streams in a base file of commands: request for request what redis-server writes.</summary>
public sealed class AofStreamTests
{
    [Fact]
    public async Task A_base_file_of_commands_is_that_of_the_reference()
    {
        ServerPair.RequireReference();
        ServerOptions options = Options(ours: false);
        await using ServerProcess reference = await ServerProcess.StartAsync(options);
        using RespClient their = reference.Connect();
        List<string> keys = StreamDataset.Fill(their, new Random(9));
        string digest = their.Execute("DEBUG", "DIGEST").AsString;
        their.Execute("SAVE");
        Dictionary<string, List<string>> expected = Rewrite(reference, their, keys);

        options = Options(ours: true);
        options.SeedFiles.Add(Path.Combine(reference.Folder, "dump.rdb"));
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient our = server.Connect();
        Dictionary<string, List<string>> actual = Rewrite(server, our, keys);
        foreach (string key in keys.Where(key => key != "back"))
        {
            Assert.Equal(expected[key], actual[key]);
        }

        // redis-server writes a request here that it refuses itself.
        Assert.Equal("XSETID back 2-5 ENTRIESADDED 5 MAXDELETEDID 4-0", expected["back"][^1]);
        Assert.Equal(["XSETID back 4-0 ENTRIESADDED 5 MAXDELETEDID 4-0", "XSETID back 2-5"], actual["back"][^2..]);

        options = Options(ours: false).With("appendonly", "yes").With("dir", server.Folder);
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient back = reader.Connect();
        Assert.Equal(digest, back.Execute("DEBUG", "DIGEST").AsString);
        RespValue info = back.Execute("XINFO", "STREAM", "back");
        Assert.Equal("2-5", info["last-generated-id"]!.AsString);
        Assert.Equal("4-0", info["max-deleted-entry-id"]!.AsString);
        Assert.Equal("5", info["entries-added"]!.AsString);
    }

    private static ServerOptions Options(bool ours) =>
        ServerOptions.ForTests(ours ? null : ReferenceServer.Binary).With("aof-use-rdb-preamble", "no");

    // The requests of a base file that is written now, by keys.
    private static Dictionary<string, List<string>> Rewrite(ServerProcess server, RespClient client, List<string> keys)
    {
        client.Execute("CONFIG", "SET", "appendonly", "yes");
        long end = Environment.TickCount64 + 20_000;
        string info;
        do
        {
            Assert.True(Environment.TickCount64 < end, "The base file is not written.");
            info = client.Execute("INFO", "persistence").AsString;
        }
        while (!info.Contains("aof_rewrites:1\r", StringComparison.Ordinal)
            || !info.Contains("aof_rewrite_in_progress:0\r", StringComparison.Ordinal)
            || !info.Contains("aof_rewrite_scheduled:0\r", StringComparison.Ordinal));
        string path = Directory.GetFiles(Path.Combine(server.Folder, "appendonlydir"), "*.base.aof").Single();
        Dictionary<string, List<string>> requests = keys.ToDictionary(key => key, _ => new List<string>());
        foreach (string request in AofRequests.Read(path, out _))
        {
            string[] words = request.Split(' ');
            if (words[0] != "SELECT")
            {
                requests[words[words[0] == "XGROUP" ? 2 : 1]].Add(request);
            }
        }

        return requests;
    }
}
