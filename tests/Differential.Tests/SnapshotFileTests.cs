using System.Globalization;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Snapshot files between runs of our server, and between our server and the reference.</summary>
public sealed class SnapshotFileTests
{
    private const string LoadingError = "LOADING Redis is loading the dataset in memory";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // The last one has the load go on.
    private static readonly string[] WhileLoading =
    [
        "PING", "CONFIG SET dir .", "CONFIG SET appendonly yes", "CONFIG SET repl-diskless-load swapdb",
        "CONFIG SET maxmemory-samples 7 dir .", "INFO persistence", "CONFIG GET maxmemory-samples",
        "CONFIG SET key-load-delay 0",
    ];

    [Theory]
    [InlineData(true, "yes", "yes")]
    [InlineData(true, "no", "no")]
    [InlineData(false, "yes", "yes")]
    [InlineData(false, "no", "no")]
    public async Task A_file_of_one_server_is_the_same_data_in_the_other(
        bool oursWrites, string compression, string checksum)
    {
        ServerPair.RequireReference();
        await using ServerProcess writer = await ServerProcess.StartAsync(Options(oursWrites)
            .With("rdbcompression", compression).With("rdbchecksum", checksum));
        using RespClient client = writer.Connect();
        Fill(client, new Random(7));
        client.Execute("SAVE");
        string digest = Digest(client);

        ServerOptions options = Options(!oursWrites);
        options.SeedFiles.Add(Path.Combine(writer.Folder, "dump.rdb"));
        await using ServerProcess reader = await ServerProcess.StartAsync(options);
        using RespClient other = reader.Connect();
        Assert.Equal(digest, Digest(other));
        Assert.Equal(client.Execute("DBSIZE").AsInteger, other.Execute("DBSIZE").AsInteger);
    }

    [Theory]
    [InlineData("abcdefgh", 20_000)]
    [InlineData("x", 5_000_000)]
    public async Task A_long_string_takes_about_as_much_room_as_in_the_reference_file(string part, int count)
    {
        ServerPair.RequireReference();
        List<long> lengths = [];
        foreach (bool ours in new[] { true, false })
        {
            await using ServerProcess server = await ServerProcess.StartAsync(Options(ours));
            using RespClient client = server.Connect();
            client.Execute("SET", "long", string.Concat(Enumerable.Repeat(part, count)));
            client.Execute("SAVE");
            lengths.Add(new FileInfo(Path.Combine(server.Folder, "dump.rdb")).Length);
        }

        Assert.InRange(lengths[0], lengths[1] * 0.9, lengths[1] * 1.1);
    }

    [Fact]
    public async Task A_background_save_under_writes_holds_the_data_of_its_start()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        Fill(client, new Random(11));
        client.Execute("DEBUG", "POPULATE", "200000", "p", "100");
        string digest = Digest(client);
        Assert.Equal("Background saving started", client.Execute("BGSAVE").AsString);
        Assert.Equal("ERR Background save already in progress", client.Execute("BGSAVE").AsString);
        Assert.Equal("ERR Background save already in progress", client.Execute("SAVE").AsString);
        Random random = new(3);
        int writes = 0;
        while (Info(client, "rdb_bgsave_in_progress") == "1")
        {
            for (int i = 0; i < 50; i++, writes++)
            {
                string key = "p:" + random.Next(200_000).ToString(CultureInfo.InvariantCulture);
                client.Execute(random.Next(3) == 0 ? ["DEL", key] : ["APPEND", key, "x"]);
                client.Execute("SPOP", "members");
            }
        }

        Assert.True(writes > 0);
        Assert.NotEqual("0", Info(client, "snapshot_handed_over"));
        Assert.Equal("ok", Info(client, "rdb_last_bgsave_status"));
        client.Execute("DEBUG", "RELOAD", "NOSAVE");
        Assert.Equal(digest, Digest(client));
    }

    [Fact]
    public async Task A_server_killed_while_it_saves_leaves_the_old_file()
    {
        ServerOptions options = ServerOptions.ForTests();
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        string path = Path.Combine(server.Folder, "dump.rdb");
        using RespClient client = server.Connect();
        client.Execute("SET", "old", "file");
        client.Execute("SAVE");
        byte[] before = await File.ReadAllBytesAsync(path);
        client.Execute("DEBUG", "POPULATE", "500000", "p", "200");
        client.Execute("BGSAVE");
        PosixSignal.Send(server.ProcessId, 9);
        Assert.True(await server.WaitForExitAsync(Patience));
        Assert.Equal(before, await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task SIGTERM_saves_when_save_points_are_set_and_the_next_start_has_the_data()
    {
        await using ServerProcess first =
            await ServerProcess.StartAsync(ServerOptions.ForTests().With("save", "3600 1"));
        string digest;
        using (RespClient client = first.Connect())
        {
            Fill(client, new Random(5));
            digest = Digest(client);
        }

        Assert.Equal(0, await first.StopAsync());
        ServerOptions options = ServerOptions.ForTests();
        options.SeedFiles.Add(Path.Combine(first.Folder, "dump.rdb"));
        await using ServerProcess second = await ServerProcess.StartAsync(options);
        using RespClient other = second.Connect();
        Assert.Equal(digest, Digest(other));
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_save_point_saves_by_itself()
    {
        await using ServerProcess server =
            await ServerProcess.StartAsync(ServerOptions.ForTests().With("save", "1 3"));
        using RespClient client = server.Connect();
        client.Execute("MSET", "a", "1", "b", "2", "c", "3");
        Wait(() => Info(client, "rdb_saves") == "1");
        Assert.Equal("0", Info(client, "rdb_changes_since_last_save"));
        Assert.True(File.Exists(Path.Combine(server.Folder, "dump.rdb")));
    }

    [Fact]
    public async Task A_failed_save_is_told_and_writes_are_refused_until_one_succeeds()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            ServerOptions.ForTests().With("save", "3600 1").With("enable-protected-configs", "yes"));
        using RespClient client = server.Connect();
        client.Execute("SET", "k", "v");
        string folder = Path.Combine(server.Folder, "dump.rdb"); // A folder cannot be replaced by a file.
        Directory.CreateDirectory(Path.Combine(folder, "x"));
        Assert.Equal("ERR", client.Execute("SAVE").AsString);
        Assert.Equal("OK", client.Execute("SET", "k", "v").AsString);
        client.Execute("BGSAVE");
        Wait(() => Info(client, "rdb_last_bgsave_status") == "err");
        Assert.StartsWith("MISCONF Redis is configured to save RDB", client.Execute("SET", "k", "w").AsString);
        Assert.StartsWith("MISCONF", client.Execute("PING").AsString);
        Assert.Equal("v", client.Execute("GET", "k").AsString);
        Assert.Equal("ERR Errors trying to SHUTDOWN. Check logs.", client.Execute("SHUTDOWN").AsString);
        Assert.Empty(Directory.GetFiles(server.Folder, "temp-*"));
        client.Execute("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
        Assert.Equal("OK", client.Execute("SET", "k", "w").AsString);
        client.Execute("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
        Assert.StartsWith("MISCONF", client.Execute("SET", "k", "x").AsString);
        Directory.Delete(folder, recursive: true);
        Assert.Equal("OK", client.Execute("SAVE").AsString);
        Assert.Equal("OK", client.Execute("SET", "k", "x").AsString);
    }

    [Theory]
    [InlineData(0.5, "offset")]
    [InlineData(0.97, "offset")]
    public async Task A_damaged_file_refuses_the_start_with_one_line(double place, string word)
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        Fill(client, new Random(9));
        client.Execute("SAVE");
        string path = Path.Combine(server.Folder, "dump.rdb");
        byte[] bytes = await File.ReadAllBytesAsync(path);
        foreach (bool cut in new[] { true, false })
        {
            int at = (int)(bytes.Length * place);
            byte[] damaged = cut ? bytes[..at] : [.. bytes];
            if (!cut)
            {
                damaged[at] ^= 0x10;
            }

            await File.WriteAllBytesAsync(path, damaged);
            ServerOptions options = ServerOptions.ForTests();
            options.SeedFiles.Add(path);
            ServerStartException e =
                await Assert.ThrowsAsync<ServerStartException>(() => ServerProcess.StartAsync(options));
            Assert.Contains("exit code 1", e.Message, StringComparison.Ordinal);
            Assert.Contains("Fatal error loading the DB", e.Message, StringComparison.Ordinal);
            Assert.Contains(word, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task While_it_loads_commands_are_told_so_and_the_delay_of_a_load_can_be_ended()
    {
        await using ServerProcess writer = await ServerProcess.StartAsync();
        using (RespClient client = writer.Connect())
        {
            client.Execute("DEBUG", "POPULATE", "1000", "p", "100");
            client.Execute("SAVE");
        }

        ServerOptions options = ServerOptions.ForTests();
        options.SeedFiles.Add(Path.Combine(writer.Folder, "dump.rdb"));
        options.Settings["enable-protected-configs"] = "yes";
        options.Settings["key-load-delay"] = "1000000"; // A quarter of an hour.
        options.Settings["port"] = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        Task<ServerProcess> starting = ServerProcess.StartAsync(options);
        List<RespValue> replies = [];
        while (!starting.IsCompleted)
        {
            try
            {
                using RespClient client = new(int.Parse(options.Settings["port"], CultureInfo.InvariantCulture));
                if (replies.Count == 0)
                {
                    replies = [.. WhileLoading.Select(line => client.ExecuteLine(line))];
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(5); // Not listening yet.
            }
        }

        await using ServerProcess server = await starting;
        Assert.Equal(Enumerable.Repeat(LoadingError, 5), replies[..5].Select(reply => reply.AsString));
        Assert.Contains("loading:1", replies[5].AsString, StringComparison.Ordinal);
        Assert.Contains("loading_eta_seconds:", replies[5].AsString, StringComparison.Ordinal);
        Assert.Equal("5", replies[6].AsStrings[1]);
        Assert.Equal("OK", replies[7].AsString);
        using RespClient last = server.Connect();
        Assert.Equal(1000, last.Execute("DBSIZE").AsInteger);
    }

    private static ServerOptions Options(bool ours) => ServerOptions.ForTests(ours ? null : ReferenceServer.Binary);

    private static string Digest(RespClient client) => client.Execute("DEBUG", "DIGEST").AsString;

    private static string? Info(RespClient client, string field) => client.Execute("INFO", "persistence").AsString
        .Split("\r\n")
        .Where(line => line.StartsWith(field + ":", StringComparison.Ordinal))
        .Select(line => line[(field.Length + 1)..])
        .FirstOrDefault();

    private static void Wait(Func<bool> condition)
    {
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < until, "It takes too long.");
        }
    }

    private static void Fill(RespClient client, Random random)
    {
        for (int i = 0; i < 500; i++)
        {
            string name = i.ToString(CultureInfo.InvariantCulture);
            client.Execute("SELECT", (i % 4).ToString(CultureInfo.InvariantCulture));
            client.Execute("SET", "s" + name, new string((char)('a' + (i % 26)), random.Next(300)));
            client.Execute("SET", "n" + name, random.NextInt64(long.MinValue, long.MaxValue)
                .ToString(CultureInfo.InvariantCulture));
            client.Execute("SET", "t" + name, name, "EX", "10000");
            client.Execute("SADD", "i" + name, name, "70000", "-9000000000");
            client.Execute("SADD", "l" + name, "a", "b" + name, name);
            client.Execute("HSET", "h" + name, "a", name, "b", new string('v', i % 80), name, "-70000");
            client.Execute("HSET", "hash", "f" + name, new string('v', random.Next(100)));
        }

        client.Execute("SELECT", "0");
        client.Execute("SET", "long", new string('x', 3_000_000));
        client.Execute("SET", "digits", string.Concat(Enumerable.Range(0, 100_000)));
        client.Execute("SETRANGE", "sparse", "200000", "end");
        for (int i = 0; i < 50; i++)
        {
            client.Execute(["SADD", "members", .. Enumerable.Range(i * 100, 100)
                .Select(m => "member" + m.ToString(CultureInfo.InvariantCulture))]);
        }
    }
}
