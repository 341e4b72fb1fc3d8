using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Server.Commands;
using KvServer.Server.Persistence;
using KvServer.Storage;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Files of one server are loaded by the other with the same data.</summary>
public sealed class RdbFileTests : RdbTest, IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("rdb");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Theory]
    [InlineData("yes", "yes", "noeviction")]
    [InlineData("no", "no", "allkeys-lru")]
    [InlineData("yes", "no", "allkeys-lfu")]
    public async Task A_file_of_the_reference_loads_with_the_same_digest(string compression, string checksum, string policy)
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", _folder)
                .With("rdbcompression", compression).With("rdbchecksum", checksum).With("maxmemory-policy", policy));
        using RespClient client = reference.Connect();
        Fill(client, seed: 2);
        string digest = client.Execute("DEBUG", "DIGEST").AsString;
        Assert.Equal("OK", client.Execute("SAVE").AsString);
        string path = Path.Combine(_folder, "dump.rdb");
        using Keyspace store = Load(path);
        Assert.Equal(digest, DigestOf(store));
        Assert.Contains("RDB looks OK", Check(path), StringComparison.Ordinal);
        await using FileStream file = File.OpenRead(path);
        Assert.True(RdbChecksum.Matches(file));
    }

    [Theory]
    [InlineData(true, true, AccessHintKind.None)]
    [InlineData(false, true, AccessHintKind.IdleSeconds)]
    [InlineData(true, false, AccessHintKind.Frequency)]
    public async Task Our_file_loads_on_the_reference_with_the_same_digest(
        bool compresses, bool hasChecksum, AccessHintKind hints)
    {
        ServerPair.RequireReference();
        using Keyspace store = new() { NowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() };
        Fill(store, seed: 3);
        string path = Path.Combine(_folder, "dump.rdb");
        Save(store, path, new RdbWriterOptions(compresses, hints), hasChecksum);
        using (Keyspace copy = Load(path))
        {
            Assert.Equal(DigestOf(store), DigestOf(copy));
        }

        await using ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", _folder));
        using RespClient client = reference.Connect();
        Assert.Equal(DigestOf(store), client.Execute("DEBUG", "DIGEST").AsString);
        if (TestPaths.FindOnPath("redis-check-rdb") is { } tool)
        {
            ToolRun check = await ToolRun.RunAsync(tool, [path]);
            Assert.True(check.ExitCode == 0, check.All);
        }
    }

    [Fact]
    public async Task A_file_with_functions_is_loaded_without_them()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", _folder));
        using RespClient client = reference.Connect();
        client.Execute("SET", "string", "value");
        client.Execute("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)");
        client.Execute("SAVE");
        string path = Path.Combine(_folder, "dump.rdb");
        string report = Check(path);
        Assert.Contains("RDB looks OK", report, StringComparison.Ordinal);
        Assert.Contains("1 libraries of functions", report, StringComparison.Ordinal);
        using Keyspace store = Load(path);
        Assert.Equal(1, store[0].Count);
    }

    private static string Check(string path)
    {
        using StringWriter report = new();
        RdbCheck.Run(path, report, TimeProvider.System);
        return report.ToString();
    }

    private static string DigestOf(Keyspace store) =>
        Encoding.ASCII.GetString(DatasetDigest.OfKeyspace(store).ToHexString());

    private static void Fill(Keyspace store, int seed)
    {
        int index = 0;
        foreach ((string name, byte[][] value, bool isSet) in Draw(seed))
        {
            Database database = store[index % 3];
            Key key = store.KeyOf(Encoding.UTF8.GetBytes(name));
            long expireAtMs = index++ % 3 == 1 ? 33_177_117_420_000 : Database.NoExpiry;
            if (!isSet)
            {
                database.SetString(key, value[0], expireAtMs);
                continue;
            }

            SetValue set = SetValue.Create(store, SetLimits.Default, SetMember.OfBytes(value[0]), value.Length);
            foreach (byte[] member in value)
            {
                set.Add(member);
            }

            set.StoreAs(database, key, lazily: false, expireAtMs);
        }

        foreach ((string name, byte[][] pairs) in DrawHashes(seed))
        {
            HashValue hash = HashValue.Create(store, HashLimits.Default);
            for (int i = 0; i < pairs.Length; i += 2)
            {
                hash.Set(pairs[i], pairs[i + 1]);
            }

            hash.StoreAs(store[0], store.KeyOf(Encoding.UTF8.GetBytes(name)), lazily: false);
        }
    }

    private static void Save(Keyspace store, string path, RdbWriterOptions options, bool hasChecksum)
    {
        using FileStream file = File.Create(path);
        RdbWriter writer = new(new RdbOutput(file, hasChecksum), options);
        writer.WriteHeader(new RdbFileInfo(store.NowMs / 1000, store.Heap.UsedBytes, IsAofBase: false));
        for (int i = 0; i < store.DatabaseCount; i++)
        {
            writer.SelectDatabase(i, store[i].Count, store[i].ExpireCount);
            Saver saver = new(writer, store[i]);
            store[i].ForEach(ref saver);
        }

        writer.WriteEnd();
    }

    private readonly struct Saver(RdbWriter writer, Database database) : IEntryVisitor
    {
        public void Visit(in Entry entry) => writer.WriteEntry(database, entry);
    }
}
