using System.Diagnostics;
using System.Globalization;
using KvServer.Server.Config;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Tests.Persistence;

/// <summary>Space ahead of a file's end: the disk knows of it, nobody else.</summary>
public sealed class SpaceAheadTests : IDisposable
{
    private const int Step = 256 * 1024;

    private readonly string _path = Path.GetTempFileName();
    private readonly SafeFileHandle _file;

    public SpaceAheadTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there a file can have space beyond its end.");
        _file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        Assert.SkipUnless(DiskSync.TryAllot(_file, 0, 1), "This file system cannot.");
        RandomAccess.SetLength(_file, 0);
    }

    public void Dispose()
    {
        _file?.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void Space_is_allotted_in_steps_and_freed_and_the_length_stays()
    {
        SpaceAhead space = new();
        RandomAccess.Write(_file, new byte[10], 0);
        space.Reserve(_file, 10);
        long allotted = AllottedBytes();
        Assert.InRange(allotted, Step, Step + 8192);
        space.Reserve(_file, Step); // Inside.
        Assert.Equal(allotted, AllottedBytes());
        space.Reserve(_file, Step + 11);
        Assert.InRange(AllottedBytes(), 2 * Step, (2 * Step) + 65_536);
        Assert.Equal(10, RandomAccess.GetLength(_file));
        space.Free(_file, 10);
        Assert.Equal(10, RandomAccess.GetLength(_file));
        Assert.InRange(AllottedBytes(), 0, 8192);
        space.Reserve(_file, 10);
        Assert.InRange(AllottedBytes(), Step, Step + 8192);
    }

    [Fact]
    public void A_file_that_cannot_have_any_is_asked_back_what_it_may_have_got()
    {
        using SafeFileHandle file = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        SpaceAhead space = new();
        space.Reserve(file, 10);
        space.Reserve(file, 100);
        Assert.Throws<IOException>(() => space.Free(file, 100)); // A full disk may have given a part: it is asked back.
        space.Free(file, 100);
    }

    [Theory]
    [InlineData(AppendFsync.Always, true)]
    [InlineData(AppendFsync.EverySecond, false)]
    public void The_log_has_space_ahead_while_each_write_is_forced(AppendFsync policy, bool hasSpace)
    {
        using Keyspace keyspace = new();
        PropagationLog log = new(keyspace);
        log.Start();
        using (AofWriter writer = new(policy, end: 0))
        {
            writer.Post(() => Assert.Null(writer.TrySwitch(
                () => (File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite), null))));
            log.BeginUnit();
            log.Begin(keyspace[0], 1);
            log.Argument("FLUSHDB"u8);
            log.EndUnit();
            writer.Append(log);
            Assert.Null(writer.Drain());
            Assert.Equal(writer.AppendedEnd, new FileInfo(_path).Length);
            Assert.Equal(hasSpace, AllottedBytes() >= Step);
        }

        Assert.InRange(AllottedBytes(), 1, 8192);
    }

    private long AllottedBytes()
    {
        using Process stat = Process.Start(
            new ProcessStartInfo("stat", ["-c", "%b %B", _path]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        long[] numbers = [.. stat.StandardOutput.ReadToEnd().Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
        stat.WaitForExit();
        return numbers[0] * numbers[1];
    }
}
