using System.Globalization;
using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Server.Commands;
using KvServer.Storage;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Lists of every size in payloads and files, from each server to the other.</summary>
public sealed class RdbListTests(EpollPair pair) : RdbTest, IClassFixture<EpollPair>, IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("rdb");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Theory]
    [InlineData("-2", "0")]
    [InlineData("4", "1")]
    [InlineData("-5", "0")]
    public async Task Payloads_of_each_server_restore_on_both_with_the_same_digest(string nodeSize, string compressDepth)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using RespClient ours = pair.Ours.Connect();
        using RespClient reference = pair.Reference.Connect();
        foreach (RespClient client in new[] { ours, reference })
        {
            client.Execute("CONFIG", "SET", "list-max-listpack-size", nodeSize);
            client.Execute("CONFIG", "SET", "list-compress-depth", compressDepth);
            FillLists(client);
        }

        foreach (string key in Names())
        {
            byte[] name = Encoding.ASCII.GetBytes(key);
            byte[] ourDump = Send(ours, ["DUMP"u8.ToArray(), name]).Text;
            byte[] theirDump = Send(reference, ["DUMP"u8.ToArray(), name]).Text;
            string expected = DigestOf(reference, key);
            Assert.Equal(expected, DigestOf(ours, key));
            foreach (RespClient client in new[] { ours, reference })
            {
                foreach (byte[] dump in new[] { ourDump, theirDump })
                {
                    Send(client, ["RESTORE"u8.ToArray(), "k"u8.ToArray(), "0"u8.ToArray(), dump, "REPLACE"u8.ToArray()]);
                    Assert.Equal(expected, DigestOf(client, "k"));
                }
            }
        }

        foreach (RespClient client in new[] { ours, reference })
        {
            client.Execute("CONFIG", "SET", "list-max-listpack-size", "-2");
            client.Execute("CONFIG", "SET", "list-compress-depth", "0");
        }
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("no")]
    public async Task Files_of_each_server_load_on_the_other_with_the_same_digest(string compression)
    {
        ServerPair.RequireReference();
        string theirs = Path.Combine(_folder, "theirs");
        string own = Path.Combine(_folder, "own");
        Directory.CreateDirectory(theirs);
        Directory.CreateDirectory(own);
        string expected = await SaveAsync(ReferenceServer.Binary, theirs, compression);
        Assert.Equal(expected, await SaveAsync(null, own, compression));
        using (Keyspace store = Load(Path.Combine(theirs, "dump.rdb")))
        {
            Assert.Equal(expected, Encoding.ASCII.GetString(DatasetDigest.OfKeyspace(store).ToHexString()));
        }

        await using ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", own));
        using RespClient client = reference.Connect();
        Assert.Equal(expected, client.Execute("DEBUG", "DIGEST").AsString);
        if (TestPaths.FindOnPath("redis-check-rdb") is { } tool)
        {
            ToolRun check = await ToolRun.RunAsync(tool, [Path.Combine(own, "dump.rdb")]);
            Assert.True(check.ExitCode == 0, check.All);
        }
    }

    private static async Task<string> SaveAsync(string? binary, string folder, string compression)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            ServerOptions.ForTests(binary)
                .With("dir", folder).With("rdbcompression", compression));
        using RespClient client = server.Connect();
        FillLists(client);
        string digest = client.Execute("DEBUG", "DIGEST").AsString;
        Assert.Equal("OK", client.Execute("SAVE").AsString);
        return digest;
    }

    private static IEnumerable<string> Names()
    {
        foreach (int count in new[] { 1, 2, 30, 128, 600, 5000 })
        {
            foreach (int length in new[] { 4, 64, 5000, 70_000 })
            {
                if (count * length <= 500_000)
                {
                    yield return string.Create(CultureInfo.InvariantCulture, $"list:{count}:{length}");
                }
            }
        }
    }

    private static void FillLists(RespClient client)
    {
        foreach (string name in Names())
        {
            string[] parts = name.Split(':');
            int count = int.Parse(parts[1], CultureInfo.InvariantCulture);
            int length = int.Parse(parts[2], CultureInfo.InvariantCulture);
            var random = new Random(count + length);
            List<byte[]> command = ["RPUSH"u8.ToArray(), Encoding.ASCII.GetBytes(name)];
            for (int i = 0; i < count; i++)
            {
                command.Add(random.Next(3) == 0
                    ? Encoding.ASCII.GetBytes(random.NextInt64().ToString(CultureInfo.InvariantCulture)[..random.Next(1, 15)])
                    : Text(random, random.Next(length + 1)));
            }

            Send(client, [.. command]);
            client.Execute("LPUSH", name, "head", "-7", "");
            client.Execute("LREM", name, "1", "head");
        }
    }

    private static byte[] Text(Random random, int length)
    {
        byte[] text = new byte[length];
        int letters = random.Next(2) == 0 ? 3 : 256;
        for (int i = 0; i < length; i++)
        {
            text[i] = (byte)random.Next(letters);
        }

        return text;
    }

    private static string DigestOf(RespClient client, string key) =>
        client.Execute("DEBUG", "DIGEST-VALUE", key).Items[0].AsString;
}
