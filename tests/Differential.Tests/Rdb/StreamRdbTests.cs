using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Storage;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Streams go from the reference server to ours and back, in files and payloads, and lose nothing.</summary>
public sealed class StreamRdbTests
{
    [Theory]
    [InlineData("4096", "100", "yes")]
    [InlineData("0", "1", "no")]
    [InlineData("100", "0", "yes")]
    public async Task Files_and_payloads_go_both_ways(string nodeBytes, string nodeEntries, string compression)
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(Options(ours: false, compression)
            .With("stream-node-max-bytes", nodeBytes).With("stream-node-max-entries", nodeEntries));
        using RespClient their = reference.Connect();
        List<string> keys = StreamDataset.Fill(their, new Random(5));
        string digest = their.Execute("DEBUG", "DIGEST").AsString;
        string before = StreamDataset.Describe(their, keys);
        string withoutHollow = StreamDataset.Describe(their, keys, isCounted: false);
        Assert.Equal("OK", their.Execute("SAVE").AsString);

        ServerOptions options = Options(ours: true, compression);
        options.SeedFiles.Add(Path.Combine(reference.Folder, "dump.rdb"));
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient our = server.Connect();
        Assert.Equal(digest, our.Execute("DEBUG", "DIGEST").AsString);
        foreach (string key in keys)
        {
            Assert.Equal("stream", our.Execute("OBJECT", "ENCODING", key).AsString);
            Assert.Equal("stream", our.Execute("TYPE", key).AsString);
            Assert.Equal(their.Execute("DEBUG", "DIGEST-VALUE", key).ToString(), our.Execute("DEBUG", "DIGEST-VALUE", key).ToString());
            Assert.True(our.Execute("MEMORY", "USAGE", key, "SAMPLES", "0").AsInteger > 100, key);
            CheckDumps(their, our, key, compression == "no" && key is not ("hollow" or "back"));
            Copy(from: their, to: our, key, key);
            Copy(from: our, to: their, key, key);
            Assert.Equal("1", our.Execute("COPY", key, "copy").AsString);
            Copy(from: our, to: their, "copy", key);
            our.Execute("DEL", "copy");
            if (key == "set")
            {
                our.Execute("PEXPIREAT", key, "33177117420000");
                their.Execute("PEXPIREAT", key, "33177117420000");
            }
        }

        Assert.Equal(digest, our.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal(digest, their.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal(withoutHollow, StreamDataset.Describe(their, keys, isCounted: false));
        Assert.Equal("OK", our.Execute("DEBUG", "RELOAD").AsString);
        Assert.Equal(digest, our.Execute("DEBUG", "DIGEST").AsString);

        options = Options(ours: false, compression);
        options.SeedFiles.Add(Path.Combine(server.Folder, "dump.rdb"));
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient back = reader.Connect();
        Assert.Equal(digest, back.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal(withoutHollow, StreamDataset.Describe(back, keys, isCounted: false));
        Assert.NotEqual(before, withoutHollow); // There is such a stream.
    }

    [Fact]
    public async Task The_first_form_means_the_same_on_both()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(Options(ours: false, "no"));
        await using ServerProcess server = await ServerProcess.StartAsync(Options(ours: true, "no"));
        using RespClient their = reference.Connect();
        using RespClient our = server.Connect();
        foreach (string id in (string[])["0-0", "1-0", "2-0", "3-0", "4-0", "5-0"])
        {
            byte last = (byte)(id[0] - '0');
            byte[] payload = FirstForm(last);
            Restore(their, id, payload);
            Restore(our, id, payload);
            Copy(from: our, to: their, id, "back" + id);
            Assert.Equal(
                their.Execute("XINFO", "GROUPS", id).ToString(), their.Execute("XINFO", "GROUPS", "back" + id).ToString());
        }
    }

    [Fact]
    public async Task A_background_save_while_streams_are_replaced_holds_the_data_of_its_start()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(Options(ours: false, "yes"));
        using RespClient their = reference.Connect();
        List<string> keys = StreamDataset.Fill(their, new Random(6));
        their.Execute("XGROUP", "CREATE", "big", "g", "0", "MKSTREAM");
        for (int i = 0; i < 30_000; i++)
        {
            their.Send("XADD", "big", "*", "field", FormattableString.Invariant($"value {i}"));
        }

        for (int i = 0; i < 30_000; i++)
        {
            their.ReadReply();
        }

        their.Execute("XREADGROUP", "GROUP", "g", "c", "COUNT", "20000", "STREAMS", "big", ">");
        keys.Add("big");
        string digest = their.Execute("DEBUG", "DIGEST").AsString;
        string expected = StreamDataset.Describe(their, keys, isCounted: false);
        Assert.Equal("OK", their.Execute("SAVE").AsString);

        ServerOptions options = Options(ours: true, "yes");
        options.SeedFiles.Add(Path.Combine(reference.Folder, "dump.rdb"));
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient our = server.Connect();
        Assert.Equal("Background saving started", our.Execute("BGSAVE").AsString);
        our.Execute("COPY", "big", "s1", "REPLACE");
        our.Execute("DEL", "big");
        Random random = new(3);
        do
        {
            string from = keys[random.Next(keys.Count)];
            our.Execute("COPY", from, keys[random.Next(keys.Count)], "REPLACE");
            our.Execute("RENAME", keys[random.Next(keys.Count)], "renamed");
        }
        while (our.Execute("INFO", "persistence").AsString.Contains("rdb_bgsave_in_progress:1", StringComparison.Ordinal));

        options = Options(ours: false, "yes");
        options.SeedFiles.Add(Path.Combine(server.Folder, "dump.rdb"));
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient back = reader.Connect();
        Assert.Equal(digest, back.Execute("DEBUG", "DIGEST").AsString);
        Assert.Equal(expected, StreamDataset.Describe(back, keys, isCounted: false));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task What_we_accept_of_damaged_payloads_the_reference_accepts_too(int seed)
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await ServerProcess.StartAsync(
            Options(ours: false, "no").With("sanitize-dump-payload", "yes"));
        await using ServerProcess server = await ServerProcess.StartAsync(Options(ours: true, "no"));
        using RespClient their = reference.Connect();
        using RespClient our = server.Connect();
        StreamDataset.Fill(their, new Random(seed));
        byte[][] seeds = [.. new[] { "s1", "s2", "s99", "trimmed", "made", "set" }.Select(key => Dump(their, key))];
        Random random = new(seed);
        int accepted = 0;
        for (int round = 0; round < 3000; round++)
        {
            byte[] payload = [.. seeds[random.Next(seeds.Length)]];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                int at = random.Next(1, payload.Length - RdbFormat.PayloadFooterBytes);
                payload[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)(payload[at] + random.Next(-2, 3)),
                    _ => payload[random.Next(1, payload.Length)],
                };
            }

            BitConverter.GetBytes(Crc64.Append(0, payload.AsSpan(0, payload.Length - 8))).CopyTo(payload, payload.Length - 8);
            RespValue reply = Restore(our, "k", payload);
            if (reply.IsError)
            {
                Assert.Equal("ERR Bad data format", reply.AsString);
                continue;
            }

            accepted++;
            RespValue theirs = Restore(their, "k", payload);
            Assert.False(theirs.IsError, Convert.ToHexString(payload));
            Assert.Equal(their.Execute("DEBUG", "DIGEST-VALUE", "k").ToString(), our.Execute("DEBUG", "DIGEST-VALUE", "k").ToString());
        }

        Assert.True(accepted > 50, $"{accepted} accepted");
    }

    private static ServerOptions Options(bool ours, string compression) =>
        (ours ? ServerOptions.ForTests() : ServerOptions.ForTests(ReferenceServer.Binary)).With("rdbcompression", compression);

    // Where nothing is compressed the payloads are the same to the byte.
    private static void CheckDumps(RespClient their, RespClient our, string key, bool isSame)
    {
        if (isSame)
        {
            Assert.Equal(Convert.ToHexString(Dump(their, key)), Convert.ToHexString(Dump(our, key)));
            Assert.Equal(LengthOf(their, key), LengthOf(our, key));
        }
    }

    private static string LengthOf(RespClient client, string key) =>
        client.Execute("DEBUG", "OBJECT", key).AsString.Split(' ').Single(word => word.StartsWith("serializedlength", StringComparison.Ordinal));

    private static void Copy(RespClient from, RespClient to, string key, string newKey) =>
        Assert.Equal("OK", Restore(to, newKey, Dump(from, key)).AsString);

    private static byte[] Dump(RespClient client, string key) => client.Execute("DUMP", key).Text;

    private static RespValue Restore(RespClient client, string key, byte[] payload)
    {
        client.Send(["RESTORE"u8.ToArray(), Encoding.ASCII.GetBytes(key), "0"u8.ToArray(), payload, "REPLACE"u8.ToArray()]);
        return client.ReadReply();
    }

    // Entries 1-0 to 4-0 without the second, in the form of Redis 5 and 6, and a group that has come so far.
    private static byte[] FirstForm(byte last)
    {
        byte[] list = TestSupport.Rdb.RdbBytes.ListPack(
            3, 1, 1, "f", 0, 2, 0, 0, "v", 4, 3, 1, 0, "v", 4, 2, 2, 0, "v", 4, 2, 3, 0, "v", 4);
        byte[] bytes =
        [
            15, .. new TestSupport.Rdb.RdbBytes().Length(1).String([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).String(list)
                .Length(3).Length(4).Length(0)
                .Length(1).String("g").Length(last).Length(0).Length(0).Length(0).ToArray(),
            10, 0,
        ];
        return [.. bytes, .. BitConverter.GetBytes(Crc64.Append(0, bytes))];
    }
}
