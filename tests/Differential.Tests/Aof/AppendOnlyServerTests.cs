using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.Differential.Tests.Running;
using KvServer.Differential.Tests.Streams;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>The append-only file of a running server: what it holds, who can read it, what a damaged one does.</summary>
public sealed partial class AppendOnlyServerTests : AppendOnlyFolder
{
    [Theory]
    [InlineData(true, "yes", 1)]
    [InlineData(true, "no", 2)]
    [InlineData(false, "yes", 3)]
    [InlineData(false, "no", 4)]
    public async Task Files_of_one_server_are_the_same_data_in_the_other(bool oursWrites, string preamble, int seed)
    {
        ServerPair.RequireReference();
        string digest;
        await using (ServerProcess writer = await StartAsync(oursWrites, ("aof-use-rdb-preamble", preamble)))
        {
            using RespClient client = writer.Connect();
            CommandStream stream = new(seed);
            SendAll(client, stream, 4000);
            client.Execute("BGREWRITEAOF");
            SendAll(client, stream, 4000);
            Wait(() => Info(client, "aof_rewrite_in_progress") == "0");
            Assert.Equal("ok", Info(client, "aof_last_bgrewrite_status"));
            SendAll(client, stream, 2000);
            digest = Digest(client);
        }

        await using ServerProcess reader = await StartAsync(!oursWrites);
        using RespClient other = reader.Connect();
        Assert.Equal(digest, Digest(other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_base_of_commands_begins_with_the_time_of_the_rewrite(bool ours)
    {
        ServerPair.RequireReference();
        await using ServerProcess server = await StartAsync(
            ours, ("aof-use-rdb-preamble", "no"), ("aof-timestamp-enabled", "yes"));
        using RespClient client = server.Connect();
        client.Execute("SET", "a", "1");
        client.Execute("BGREWRITEAOF");
        Wait(() => Info(client, "aof_rewrite_in_progress") == "0" && Info(client, "aof_rewrite_scheduled") == "0");

        // The base from before the rewrite may not have been deleted yet.
        string path = Directory.GetFiles(Root, "*.base.aof", SearchOption.AllDirectories).Max(StringComparer.Ordinal)!;
        string text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.Matches("^#TS:[0-9]{10}\r\n\\*2\r\n\\$6\r\nSELECT\r\n", text);
    }

    [Fact]
    public async Task The_same_commands_leave_the_same_text_as_in_the_reference()
    {
        ServerPair.RequireReference();
        string[] script =
        [
            "SET a 1", "SET a 2 EX 100", "SET b 1 PX 100000 NX", "SET b 2 XX GET", "SET b 3 KEEPTTL", "SETEX c 50 v",
            "PSETEX c 50000 v", "SETNX c w", "SETNX d w", "GETSET d x", "GETEX d EX 10", "GETEX d PERSIST", "GETEX d",
            "GETDEL d", "INCR n", "DECRBY n 5", "INCRBYFLOAT n 0.1", "APPEND a x", "SETRANGE a 3 yy", "MSET e 1 f 2",
            "MSETNX e 1 g 2", "MSETNX h 1 i 2", "SETBIT bits 7 1", "BITOP NOT nots bits", "BITFIELD bits SET u8 0 3",
            "BITFIELD bits GET u8 0", "EXPIRE e 100", "EXPIRE e 50 GT", "PEXPIRE e 500000", "EXPIREAT e 4000000000",
            "PEXPIREAT e 4000000000000", "PERSIST e", "EXPIRE e -1", "EXPIREAT f 1", "SADD s a b c 1 2", "SREM s a zz",
            "SMOVE s t b", "SPOP s 10", "SADD u 1", "SPOP u", "SUNIONSTORE v t w", "SINTERSTORE w t nosuch",
            "SDIFFSTORE x t nosuch", "SELECT 3", "SET z 1", "MOVE z 4", "SET z 2", "COPY z y DB 5", "RENAME z zz",
            "RENAMENX zz z", "SELECT 0", "SWAPDB 3 4", "DEL a nosuch", "UNLINK b", "DEL nosuch", "FLUSHDB", "SET a 1",
            "FLUSHALL", "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", "BZPOPMIN nosuch z 0", "BZPOPMAX z 0", "BZMPOP 0 1 z MIN COUNT 2",
            "BZMPOP 0 2 nosuch z MAX COUNT 9", "BZPOPMIN z 0.001", "GEOADD g 13.361389 38.115556 p 15.087269 37.502669 c",
            "GEOADD g NX CH 1 2 p 3 4 q", "GEOADD g XX 1 2 nosuch", "GEORADIUS g 15 37 200 km STORE r COUNT 1",
            "GEORADIUS g 15 37 200 km", "GEORADIUSBYMEMBER g p 1 m STOREDIST r", "GEOSEARCHSTORE r g FROMMEMBER q BYBOX 9 9 km",
            "GEOSEARCHSTORE r nosuch FROMMEMBER q BYBOX 9 9 km", "GEOSEARCHSTORE r nosuch FROMMEMBER q BYRADIUS 9 km",
            "FLUSHALL", "SET a 1", "GET a", "TOUCH a", "SET a 1 PX 1",
        ];
        List<List<string>> texts = [];
        foreach (bool ours in new[] { true, false })
        {
            await using ServerProcess server = await StartAsync(ours);
            using RespClient client = server.Connect();
            foreach (string line in script)
            {
                client.ExecuteLine(line);
            }

            Wait(() => client.Execute("GET", "a").IsNull);
            client.Execute("SET", "last", "1");
            client.Execute("CONFIG", "SET", "appendonly", "no");
            texts.Add([.. AofRequests.ReadLast(Root).Select(request => Instant.Replace(request, "<instant>"))]);
            Directory.Delete(Path.Combine(Root, "appendonlydir"), recursive: true);
        }

        Assert.Equal(texts[1], texts[0], StringComparer.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("always")]
    [InlineData("everysec")]
    [InlineData("no")]
    public async Task A_server_that_is_told_to_end_has_everything_at_its_next_start(string policy)
    {
        string digest;
        await using (ServerProcess server = await StartAsync(ours: true, ("appendfsync", policy)))
        {
            using RespClient client = server.Connect();
            SendAll(client, new CommandStream(5), 2000);
            digest = Digest(client);
            Assert.Equal(0, await server.StopAsync());
        }

        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal(digest, Digest(other));
    }

    [Fact]
    public async Task With_always_everything_answered_survives_a_kill()
    {
        await using ServerProcess server = await StartAsync(ours: true, ("appendfsync", "always"));
        using RespClient client = server.Connect();
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal("OK", client.Execute("SET", "k", i.ToString(CultureInfo.InvariantCulture)).AsString);
        }

        client.SendRaw(string.Concat(Enumerable.Repeat("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n", 500)));
        for (int i = 1; i <= 500; i++)
        {
            Assert.Equal(i, client.ReadReply().AsInteger);
        }

        await KillAsync(server);
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal("199", other.Execute("GET", "k").AsString);
        Assert.Equal("500", other.Execute("GET", "n").AsString);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task With_always_replies_arrive_in_order_and_before_the_connection_is_closed(string eventLoop)
    {
        await using ServerProcess server = await StartAsync(
            ours: true, ("appendfsync", "always"), ("event-loop", eventLoop));
        using RespClient quitting = server.Connect();
        quitting.SendRaw("SET a 1\r\nGET a\r\nINCR a\r\nQUIT\r\nINCR a\r\n");
        Assert.Equal("+OK\r\n$1\r\n1\r\n:2\r\n+OK\r\n", ReadToEnd(quitting));

        using RespClient halfClosed = server.Connect();
        halfClosed.SendRaw("SET b 1\r\nINCR b\r\n");
        halfClosed.ShutdownSend();
        Assert.Equal("+OK\r\n:2\r\n", ReadToEnd(halfClosed));

        using RespClient malformed = server.Connect();
        malformed.SendRaw("SET c 1\r\n*1\r\nx\r\n");
        Assert.Equal("+OK\r\n-ERR Protocol error: expected '$', got 'x'\r\n", ReadToEnd(malformed));

        using RespClient subscriber = server.Connect();
        subscriber.Execute("SUBSCRIBE", "news");
        using RespClient client = server.Connect();
        client.SendRaw("SET d 1\r\nPUBLISH news x\r\nGET d\r\n");
        Assert.Equal("OK", client.ReadReply().AsString);
        Assert.Equal(1, client.ReadReply().AsInteger);
        Assert.Equal("1", client.ReadReply().AsString);
        Assert.Equal(["message", "news", "x"], subscriber.ReadReply().AsStrings);
    }

    [Theory]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$100\r\nabc")]
    [InlineData("*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0")]
    public async Task A_file_whose_end_is_missing_is_cut_with_a_warning_unless_that_is_not_wanted(string tail)
    {
        string path = await WriteFilesAsync();
        long length = new FileInfo(path).Length;
        await File.AppendAllTextAsync(path, tail, TestContext.Current.CancellationToken);

        string log = await FailToStartAsync(("aof-load-truncated", "no"));
        Assert.Contains("Unexpected end of file", log, StringComparison.Ordinal);
        Assert.Contains("offset " + length.ToString(CultureInfo.InvariantCulture), log, StringComparison.Ordinal);
        Assert.Equal(length + tail.Length, new FileInfo(path).Length);

        await using ServerProcess server = await StartAsync(ours: true);
        using RespClient client = server.Connect();
        Assert.Contains("is cut to", server.Log, StringComparison.Ordinal);
        Assert.Equal(length, new FileInfo(path).Length);
        Assert.True(client.Execute("GET", "x").IsNull);
        Assert.Equal("100", client.Execute("GET", "n").AsString);
        client.Execute("INCR", "n");
        Assert.Equal(0, await server.StopAsync());
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal("101", other.Execute("GET", "n").AsString);
    }

    [Fact]
    public async Task Damage_in_the_middle_refuses_the_start_and_changes_nothing()
    {
        string path = await WriteFilesAsync();
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        int middle = bytes.Length / 2;
        int length = middle + bytes.AsSpan(middle).IndexOf("$4\r\nINCR"u8);
        foreach (byte[] damaged in new byte[][]
        {
            [.. bytes[..middle], (byte)(bytes[middle] ^ 0xFF), .. bytes[(middle + 1)..]],
            [(byte)'+', .. bytes[1..]],
            [.. bytes[..middle], .. new byte[20], .. bytes[(middle + 20)..]],
            [.. bytes[..length], .. "$4444"u8, .. bytes[(length + 2)..]],
        })
        {
            await File.WriteAllBytesAsync(path, damaged, TestContext.Current.CancellationToken);
            string log = await FailToStartAsync();
            Assert.True(damaged.Length == bytes.Length || log.Contains("others begin inside it", StringComparison.Ordinal), log);
            Assert.Contains("offset ", log, StringComparison.Ordinal);
            Assert.Equal(damaged, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        }

        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        string manifest = Path.Combine(Root, "appendonlydir", "appendonly.aof.manifest");
        string text = await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(manifest, text.Replace("type b", "type q", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Contains("manifest", await FailToStartAsync(), StringComparison.OrdinalIgnoreCase);
        await File.WriteAllTextAsync(manifest, text, TestContext.Current.CancellationToken);
        File.Move(path, path + ".away");
        Assert.Contains("No such file or directory", await FailToStartAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_nobody_knows_refuse_the_start()
    {
        string path = await WriteFilesAsync();
        await File.AppendAllTextAsync(path, "*1\r\n$9\r\nNOSUCHCMD\r\n", TestContext.Current.CancellationToken);
        Assert.Contains("Unknown command 'NOSUCHCMD'", await FailToStartAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Switched_on_at_run_time_it_holds_everything_and_switched_off_nothing_more()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            ServerOptions.ForTests().With("dir", Root));
        using (RespClient client = server.Connect())
        {
            client.Execute("SET", "before", "1");
            Assert.Equal("OK", client.Execute("CONFIG", "SET", "appendonly", "yes").AsString);
            client.Execute("SET", "meanwhile", "1");
            Wait(() => Info(client, "aof_rewrite_in_progress") == "0" && Info(client, "aof_rewrites") == "1");
            client.Execute("SET", "after", "1");
            Assert.Equal(1, client.Execute("WAITAOF", "1", "0", "5000").Items[0].AsInteger);
            client.Execute("CONFIG", "SET", "appendonly", "no");
            client.Execute("SET", "later", "1");
            Assert.StartsWith("ERR WAITAOF", client.Execute("WAITAOF", "1", "0", "0").AsString, StringComparison.Ordinal);
        }

        await server.StopAsync();
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal(3, other.Execute("EXISTS", "before", "meanwhile", "after", "later").AsInteger);
        Assert.True(other.Execute("GET", "later").IsNull);
    }

    [Fact]
    public async Task A_snapshot_is_loaded_when_there_is_no_append_only_file_yet()
    {
        await using (ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests().With("dir", Root)))
        {
            using RespClient client = server.Connect();
            client.Execute("SET", "a", "1");
            client.Execute("SAVE");
        }

        await using (ServerProcess server = await StartAsync(ours: true))
        {
            using RespClient client = server.Connect();
            Assert.Equal("2", client.Execute("INCR", "a").AsString);
        }

        File.Delete(Path.Combine(Root, "dump.rdb"));
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal("2", other.Execute("GET", "a").AsString);
    }

    [Fact]
    public async Task A_single_file_of_an_older_server_becomes_the_base()
    {
        const string Old = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n";
        await File.WriteAllTextAsync(Path.Combine(Root, "appendonly.aof"), Old, TestContext.Current.CancellationToken);
        await using (ServerProcess server = await StartAsync(ours: true))
        {
            using RespClient client = server.Connect();
            Assert.Equal("3", client.Execute("INCR", "a").AsString);
        }

        Assert.False(File.Exists(Path.Combine(Root, "appendonly.aof")));
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal("3", other.Execute("GET", "a").AsString);
    }

    [Fact]
    public async Task It_is_rewritten_by_itself_when_it_has_grown()
    {
        await using ServerProcess server = await StartAsync(
            ours: true, ("auto-aof-rewrite-min-size", "20000"), ("auto-aof-rewrite-percentage", "100"));
        using RespClient client = server.Connect();
        for (int i = 0; i < 3000; i++)
        {
            client.Execute("SET", "k", "some value or other");
        }

        Wait(() => Info(client, "aof_rewrites") != "0");
        client.Execute("CONFIG", "SET", "auto-aof-rewrite-percentage", "0"); // What came meanwhile may have it begin once more.
        Wait(() => Info(client, "aof_rewrite_in_progress") == "0");
        Assert.True(long.Parse(Info(client, "aof_current_size"), CultureInfo.InvariantCulture) < 200_000);
        Assert.Equal("OK", client.Execute("DEBUG", "LOADAOF").AsString);
        Assert.Equal("some value or other", client.Execute("GET", "k").AsString);
    }

    [Fact]
    public async Task Without_a_file_there_is_nothing_to_load_again()
    {
        await using ServerProcess server = await StartAsync(ours: true, ("appendonly", "no"));
        using RespClient client = server.Connect();
        client.Execute("SET", "k", "1");
        RespValue reply = client.Execute("DEBUG", "LOADAOF");
        Assert.True(reply.IsError);
        Assert.Equal("1", client.Execute("GET", "k").AsString);
    }

    [Fact]
    public async Task Saves_and_rewrites_wait_for_each_other()
    {
        await using ServerProcess server = await StartAsync(ours: true);
        using RespClient client = server.Connect();
        client.Execute("DEBUG", "POPULATE", "400000", "p", "100");
        client.SendRaw("BGREWRITEAOF\r\nBGREWRITEAOF\r\nBGSAVE\r\nBGSAVE SCHEDULE\r\n");
        Assert.Equal("Background append only file rewriting started", client.ReadReply().AsString);
        Assert.Equal("ERR Background append only file rewriting already in progress", client.ReadReply().AsString);
        Assert.StartsWith("ERR Another child process is active (AOF?)", client.ReadReply().AsString, StringComparison.Ordinal);
        Assert.Equal("Background saving scheduled", client.ReadReply().AsString);
        Wait(() => Info(client, "rdb_saves") == "1" && Info(client, "aof_rewrites") == "1");
        client.SendRaw("BGSAVE\r\nBGREWRITEAOF\r\n");
        Assert.Equal("Background saving started", client.ReadReply().AsString);
        Assert.Equal("Background append only file rewriting scheduled", client.ReadReply().AsString);
        Wait(() => Info(client, "rdb_saves") == "2" && Info(client, "aof_rewrites") == "2");
        Assert.Equal("OK", client.Execute("FLUSHALL").AsString);
        client.SendRaw("BGREWRITEAOF\r\nSAVE\r\n");
        Assert.StartsWith("Background", client.ReadReply().AsString, StringComparison.Ordinal);
        Assert.Equal("OK", client.ReadReply().AsString);
    }

    [Fact]
    public async Task WAITAOF_tells_the_truth()
    {
        await using ServerProcess server = await StartAsync(ours: true, ("appendfsync", "no"));
        using RespClient client = server.Connect();
        client.Execute("SET", "a", "1");
        Assert.Equal(0, client.Execute("WAITAOF", "1", "0", "20").Items[0].AsInteger);
        client.Send("WAITAOF", "1", "0", "0");
        using RespClient other = server.Connect();
        Wait(() => other.Execute("INFO", "clients").AsString.Contains("blocked_clients:1", StringComparison.Ordinal));
        other.Execute("CONFIG", "SET", "appendfsync", "always");
        Assert.Equal("*2\r\n:1\r\n:0\r\n", Encoding.Latin1.GetString(client.ReadReply().Raw));
        Assert.Equal("*2\r\n:1\r\n:0\r\n", Encoding.Latin1.GetString(client.Execute("WAITAOF", "1", "2", "20").Raw));
        client.Send("WAITAOF", "1", "2", "0");
        string list = WaitFor(
            () => other.Execute("CLIENT", "LIST").AsString, list => list.Contains("cmd=waitaof", StringComparison.Ordinal));
        string line = list.Split('\n').Single(line => line.Contains("cmd=waitaof", StringComparison.Ordinal));
        string id = line.Split(' ')[0]["id=".Length..];
        Assert.Equal(1, other.Execute("CLIENT", "UNBLOCK", id, "ERROR").AsInteger);
        Assert.Equal("UNBLOCKED client unblocked via CLIENT UNBLOCK", client.ReadReply().AsString);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Counters_of_streams_that_passed_63_bits_lose_no_group(bool rewrites)
    {
        await using (ServerProcess server = await StartAsync(ours: true, ("aof-use-rdb-preamble", "no")))
        {
            using RespClient client = server.Connect();
            client.ExecuteLine("XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD 9223372036854775807");
            client.ExecuteLine("XADD s 1-1 a b");
            client.ExecuteLine("XSETID s 1-1 ENTRIESADDED 9223372036854775807");
            client.ExecuteLine("XADD s 2-1 a b");
            client.ExecuteLine("XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >");
            client.ExecuteLine("XREADGROUP GROUP g c STREAMS s >");
            client.ExecuteLine("XCLAIM s g c 0 2-1 RETRYCOUNT 9223372036854775807 JUSTID");
            client.ExecuteLine("XCLAIM s g c 0 2-1");
            if (rewrites)
            {
                client.ExecuteLine("BGREWRITEAOF");
                Wait(() => Info(client, "aof_rewrites") == "1");
            }

            Assert.Equal(0, await server.StopAsync());
        }

        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Contains("2-1", other.ExecuteLine("XINFO GROUPS s").ToString(), StringComparison.Ordinal);
        Assert.Equal(1, other.ExecuteLine("XPENDING s g").Items[0].AsInteger);
        Assert.Equal(2, other.ExecuteLine("XLEN s").AsInteger);
    }

    [GeneratedRegex(@"\b\d{13}\b", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Instant { get; }

    // A hundred INCRs after a rewrite.
    private async Task<string> WriteFilesAsync()
    {
        await using ServerProcess server = await StartAsync(ours: true);
        using RespClient client = server.Connect();
        for (int i = 0; i < 100; i++)
        {
            client.Execute("INCR", "n");
        }

        Assert.Equal(0, await server.StopAsync());
        return Path.Combine(Root, "appendonlydir", "appendonly.aof.1.incr.aof");
    }

    private static void SendAll(RespClient client, CommandStream stream, int count)
    {
        for (int sent = 0; sent < count; sent += 50)
        {
            using MemoryStream request = new();
            for (int i = 0; i < 50; i++)
            {
                CommandLine.AppendRequest(request, stream.Next().Arguments);
            }

            client.SendRaw(request.ToArray());
            for (int i = 0; i < 50; i++)
            {
                client.ReadReply();
            }
        }
    }

    private static string ReadToEnd(RespClient client) =>
        Encoding.Latin1.GetString(client.ReadUntilQuiet(quietMs: 5000).Bytes);
}
