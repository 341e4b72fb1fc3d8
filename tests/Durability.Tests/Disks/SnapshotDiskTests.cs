using System.Diagnostics;
using System.Globalization;
using KvServer.Durability.Tests.Checking;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Disks;

/// <summary>Snapshots on a disk that is full or read-only, and afterwards.</summary>
public sealed class SnapshotDiskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_background_save_that_fails_refuses_writes_until_one_succeeds(bool isFull)
    {
        using TemporaryDisk disk = TemporaryDisk.Mount(megabytes: 4);
        await using ServerProcess server = await StartAsync(disk);
        using RespClient client = server.Connect();
        byte[] before = await SaveFirstAsync(disk, client);
        Spoil(disk, isFull);
        Assert.Equal("Background saving started", client.Execute("BGSAVE").AsString);
        WaitFor(client, "rdb_last_bgsave_status", "err");
        AssertFailed(server, disk, before, isFull);
        Assert.StartsWith("MISCONF", client.Execute("SET", "more", "v").AsString);
        Assert.StartsWith("v", client.Execute("GET", "k1").AsString);

        // As configured.
        client.Execute("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
        Assert.Equal("OK", client.Execute("SET", "more", "1").AsString);
        client.Execute("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
        Assert.StartsWith("MISCONF", client.Execute("SET", "more", "2").AsString);

        Repair(disk, isFull);
        client.Execute("BGSAVE");
        WaitFor(client, "rdb_last_bgsave_status", "ok");
        Assert.Equal("OK", client.Execute("SET", "more", "3").AsString);
        Assert.Equal("OK", client.Execute("DEBUG", "RELOAD", "NOSAVE").AsString);
        Assert.Equal("1", client.Execute("GET", "more").AsString);
        Assert.Equal(["dump.rdb"], disk.FileNames());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_save_that_fails_leaves_the_old_file_and_the_next_one_works(bool isFull)
    {
        using TemporaryDisk disk = TemporaryDisk.Mount(megabytes: 4);
        await using ServerProcess server = await StartAsync(disk);
        using RespClient client = server.Connect();
        byte[] before = await SaveFirstAsync(disk, client);
        Spoil(disk, isFull);
        Assert.True(client.Execute("SAVE").IsError);
        AssertFailed(server, disk, before, isFull);
        Assert.Equal("OK", client.Execute("SET", "more", "1").AsString); // Who waited for SAVE has been told.
        Repair(disk, isFull);
        Assert.Equal("OK", client.Execute("SAVE").AsString);
        Assert.Equal("OK", client.Execute("DEBUG", "RELOAD", "NOSAVE").AsString);
        Assert.Equal("1", client.Execute("GET", "more").AsString);
        Assert.Equal(["dump.rdb"], disk.FileNames());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shutdown_that_cannot_save_is_refused_and_goes_on_serving(bool isFull)
    {
        using TemporaryDisk disk = TemporaryDisk.Mount(megabytes: 4);
        await using ServerProcess server = await StartAsync(disk);
        byte[] before;
        using (RespClient client = server.Connect())
        {
            before = await SaveFirstAsync(disk, client);
            Spoil(disk, isFull);
            Assert.Equal("ERR Errors trying to SHUTDOWN. Check logs.", client.Execute("SHUTDOWN").AsString);
            AssertFailed(server, disk, before, isFull);
            Assert.StartsWith("v", client.Execute("GET", "k1").AsString);
            Repair(disk, isFull);
            client.Send("SHUTDOWN");
            Assert.Throws<EndOfStreamException>(() => client.ReadReply());
        }

        Assert.True(await server.WaitForExitAsync(Patience));
        Assert.Equal(0, server.ExitCode);
        await using ServerProcess next = await StartAsync(disk);
        using RespClient other = next.Connect();
        Assert.Equal(201, other.Execute("DBSIZE").AsInteger);
        Assert.Equal(["dump.rdb"], disk.FileNames());
    }

    private static Task<ServerProcess> StartAsync(TemporaryDisk disk) =>
        ServerProcess.StartAsync(ServerOptions.ForTests().With("dir", disk.Folder).With("save", "3600 1"));

    // Leaves a small file, and in memory enough that the next one is larger.
    private static async Task<byte[]> SaveFirstAsync(TemporaryDisk disk, RespClient client)
    {
        client.Execute("SET", "old", "file");
        Assert.Equal("OK", client.Execute("SAVE").AsString);
        Random random = new(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] noise = new byte[3000];
            random.NextBytes(noise);
            client.Execute("SET", "k" + i.ToString(CultureInfo.InvariantCulture), "v" + Convert.ToBase64String(noise));
        }

        return await File.ReadAllBytesAsync(Path.Combine(disk.Folder, "dump.rdb"));
    }

    private static void Spoil(TemporaryDisk disk, bool isFull)
    {
        if (isFull)
        {
            disk.Fill();
        }
        else
        {
            disk.SetReadOnly(true);
        }
    }

    private static void Repair(TemporaryDisk disk, bool isFull)
    {
        if (isFull)
        {
            disk.Clear();
        }
        else
        {
            disk.SetReadOnly(false);
        }
    }

    private static void AssertFailed(ServerProcess server, TemporaryDisk disk, byte[] before, bool isFull)
    {
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(disk.Folder, "dump.rdb")));
        Assert.Equal(["dump.rdb"], disk.FileNames());
        string reason = isFull ? "No space left on device" : "Read-only file system";
        Assert.True(
            SpinWait.SpinUntil(() => server.Log.Contains(reason, StringComparison.Ordinal), Patience), server.Log);
    }

    private static void WaitFor(RespClient client, string field, string value)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (Dataset.Info(client, field) != value)
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, $"{field} does not become {value}");
        }
    }
}
