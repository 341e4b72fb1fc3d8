using System.Globalization;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Sorted sets go from one server to the other and back, in files and payloads, with the same digest.</summary>
public sealed class SortedSetRdbTests
{
    private static readonly string[] Scores =
        ["0", "1", "-1", "1.5", "0.1", "-0.30000000000000004", "inf", "-inf", "1e300", "5e-324", "123456789012", "1e17", "-4097"];

    [Theory]
    [InlineData("128")]
    [InlineData("0")]
    [InlineData("1000")]
    public async Task Files_and_payloads_go_both_ways_with_the_same_digest(string packedEntries)
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(Options(ours: false, packedEntries));
        using RespClient their = reference.Connect();
        List<string> keys = Fill(their, new Random(5));
        string digest = their.Execute("DEBUG", "DIGEST").AsString;
        Assert.Equal("OK", their.Execute("SAVE").AsString);

        ServerOptions options = Options(ours: true, packedEntries);
        options.SeedFiles.Add(Path.Combine(reference.Folder, "dump.rdb"));
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient our = server.Connect();
        Assert.Equal(digest, our.Execute("DEBUG", "DIGEST").AsString);
        foreach (string key in keys)
        {
            Assert.Equal(their.Execute("OBJECT", "ENCODING", key).AsString, our.Execute("OBJECT", "ENCODING", key).AsString);
            Copy(from: their, to: our, key);
            Copy(from: our, to: their, key);
        }

        Assert.Equal(digest, our.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal(digest, their.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal("OK", our.Execute("SAVE").AsString);

        options = Options(ours: false, packedEntries);
        options.SeedFiles.Add(Path.Combine(server.Folder, "dump.rdb"));
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient back = reader.Connect();
        Assert.Equal(digest, back.Execute("DEBUG", "DIGEST").AsString);
    }

    [Fact]
    public async Task A_background_save_under_changes_of_scores_holds_the_data_of_its_start()
    {
        ServerPair.RequireReference();
        await using ServerProcess server = await ServerProcess.StartAsync(Options(ours: true, "128"));
        using RespClient client = server.Connect();
        Fill(client, new Random(6));
        for (int i = 0; i < 300; i++)
        {
            client.Execute(["ZADD", "large", .. Pairs(i * 500, 500)]);
        }

        string digest = client.Execute("DEBUG", "DIGEST").AsString;
        Assert.Equal("Background saving started", client.Execute("BGSAVE").AsString);
        Random random = new(3);
        do
        {
            string member = "member:" + Number(random.Next(150_000));
            client.Execute("ZINCRBY", "large", Number(random.Next(-1000, 1000)), member);
            client.Execute("ZREM", "large", "member:" + Number(random.Next(150_000)));
            client.Execute("ZADD", "large", "5", "new:" + Number(random.Next()));
            client.Execute("ZPOPMIN", "large");
            client.Execute("ZREMRANGEBYRANK", "z3", "0", "0");
        }
        while (client.Execute("INFO", "persistence").AsString.Contains("rdb_bgsave_in_progress:1", StringComparison.Ordinal));

        ServerOptions options = Options(ours: false, "128");
        options.SeedFiles.Add(Path.Combine(server.Folder, "dump.rdb"));
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient other = reader.Connect();
        Assert.Equal(digest, other.Execute("DEBUG", "DIGEST").AsString);
    }

    private static ServerOptions Options(bool ours, string packedEntries) =>
        (ours ? ServerOptions.ForTests() : ServerOptions.ForTests(ReferenceServer.Binary))
            .With("zset-max-listpack-entries", packedEntries);

    private static List<string> Fill(RespClient client, Random random)
    {
        List<string> keys = [];
        foreach (int size in (int[])[1, 2, 20, 127, 128, 129, 700])
        {
            string key = "z" + Number(keys.Count);
            keys.Add(key);
            for (int i = 0; i < size; i++)
            {
                string score = random.Next(2) == 0
                    ? Scores[random.Next(Scores.Length)]
                    : (random.Next(1_000_000) / 8.0).ToString(CultureInfo.InvariantCulture);
                string member = random.Next(3) == 0 ? Number(random.NextInt64()) : "m" + Number(i) + new string('x', random.Next(50));
                client.Execute("ZADD", key, score, member);
            }
        }

        client.Execute("ZADD", "long", "1.25", new string('y', 70_000), "2", "");
        keys.Add("long");
        return keys;
    }

    private static void Copy(RespClient from, RespClient to, string key)
    {
        byte[] dump = from.Execute("DUMP", key).Text;
        to.Send(["RESTORE"u8.ToArray(), System.Text.Encoding.ASCII.GetBytes(key), "0"u8.ToArray(), dump, "REPLACE"u8.ToArray()]);
        Assert.Equal("OK", to.ReadReply().AsString);
    }

    private static string[] Pairs(int first, int count) =>
    [
        .. Enumerable.Range(first, count).SelectMany(i => (string[])[Number(i * 37 % 1009), "member:" + Number(i)]),
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
