using KvServer.Server.Persistence;
using KvServer.TestSupport;
using KvServer.TestSupport.Rdb;

namespace KvServer.Server.Tests.Persistence;

public sealed class RdbCheckTests : IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("check");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Fact]
    public void A_good_file_is_counted()
    {
        RdbBytes file = new RdbBytes().Header(12).Raw(0xFA).String("redis-ver").String("7.4.0").Raw(0xFE, 0)
            .Raw(0xFC).Int64(1).Key(0, "over").String("v")
            .Raw(0xFC).Int64(long.MaxValue).Key(0, "later").String("v");
        foreach (RdbSamples sample in RdbSamples.All)
        {
            file.Key(sample.Type, sample.Name).Raw(sample.Value);
        }

        file.Key(7, "module").Length(ulong.MaxValue).Length(0);

        (bool isGood, string report) = Check(file.End().ToArray());
        Assert.True(isGood, report);
        Assert.Contains("AUX FIELD redis-ver = '7.4.0'\n", report, StringComparison.Ordinal);
        Assert.Contains("] Selecting DB ID 0\n", report, StringComparison.Ordinal);
        Assert.Contains("RDB looks OK!", report, StringComparison.Ordinal);
        Assert.Contains($"[info] {RdbSamples.All.Count + 3} keys read\n[info] 2 expires\n[info] 1 already expired\n", report, StringComparison.Ordinal);
        Assert.Contains("[info] 1 keys of type module-value, which this server cannot load\n", report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_is_reported_with_place_and_key()
    {
        byte[] file = new RdbBytes().Header(10).Raw(0xFE, 0).Key(0, "good").String("v")
            .Key(11, "bad\x1b[2J").String(RdbBytes.IntSet(2, 2, 1)).End().ToArray();
        (bool isGood, string report) = Check(file);
        Assert.False(isGood);
        Assert.Contains("--- RDB ERROR DETECTED ---\n[offset 41] The set-intset is damaged\n", report, StringComparison.Ordinal);
        Assert.Contains("[additional info] While doing: read-object-value\n", report, StringComparison.Ordinal);
        Assert.Contains("[additional info] Reading key 'bad.[2J'\n", report, StringComparison.Ordinal);
        Assert.Contains("[additional info] Reading type 11 (set-intset)\n", report, StringComparison.Ordinal);
        Assert.Contains("[info] 2 keys read\n", report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_short_says_so()
    {
        byte[] file = new RdbBytes().Header(10).Raw(0xFE, 0).Key(0, "k").String("value").ToArray();
        Assert.Contains("Unexpected EOF", Check(file).Report, StringComparison.Ordinal);
        Assert.Contains("Unexpected EOF", Check([]).Report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_a_wrong_command_line_are_faults()
    {
        using StringWriter report = new();
        Assert.False(RdbCheck.Run(Path.Combine(_folder, "none"), report, TimeProvider.System));
        Assert.Contains("Cannot read the file", report.ToString(), StringComparison.Ordinal);
        Assert.True(RdbCheck.TryRun(["--check-rdb"], out int exitCode));
        Assert.Equal(1, exitCode);
        Assert.False(RdbCheck.TryRun(["--port", "1"], out _));
    }

    [Fact]
    public async Task The_executable_checks_files()
    {
        string path = Path.Combine(_folder, "dump.rdb");
        await File.WriteAllBytesAsync(path, new RdbBytes().Header(10).End().ToArray(), TestContext.Current.CancellationToken);
        ToolRun good = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--check-rdb", path]);
        Assert.Equal(0, good.ExitCode);
        await File.WriteAllBytesAsync(path, [1, 2, 3], TestContext.Current.CancellationToken);
        ToolRun bad = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--check-rdb", path]);
        Assert.Equal(1, bad.ExitCode);
    }

    private (bool IsGood, string Report) Check(byte[] file)
    {
        string path = Path.Combine(_folder, "file.rdb");
        File.WriteAllBytes(path, file);
        using StringWriter report = new() { NewLine = "\n" };
        bool isGood = RdbCheck.Run(path, report, TimeProvider.System);
        return (isGood, report.ToString());
    }
}
