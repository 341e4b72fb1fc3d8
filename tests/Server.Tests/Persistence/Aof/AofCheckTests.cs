using System.Text;
using KvServer.Server.Persistence.Aof;
using KvServer.TestSupport;
using KvServer.TestSupport.Rdb;

namespace KvServer.Server.Tests.Persistence.Aof;

public sealed class AofCheckTests : IDisposable
{
    private static readonly byte[] Set = AofText.Request("SET", "k", "v");
    private static readonly byte[] Multi = AofText.Request("MULTI");
    private static readonly byte[] Exec = AofText.Request("exec");
    private static readonly byte[] Rdb = new RdbBytes().Header(10).Raw(0xFE, 0).Key(0, "k").String("v").End().ToArray();

    private readonly string _folder = TestPaths.CreateTempFolder("check");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Fact]
    public void A_good_file_is_measured()
    {
        Write("a.aof", [.. AofText.Line("#TS:1"), .. Set, .. Multi, .. Set, .. Exec]);
        (bool isGood, string report) = Check("a.aof");
        Assert.True(isGood, report);
        Assert.Equal(
            $"""
            Start checking Old-Style AOF
            AOF analyzed: filename=a.aof, size=90, ok_up_to=90, ok_up_to_line=21, diff=0
            AOF a.aof is valid

            """,
            report);
        Write("a.aof", []);
        Assert.Equal((true, "Start checking Old-Style AOF\nAOF a.aof is empty\n"), Check("a.aof"));
    }

    [Theory]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\n", 54, 54, "The file ends inside the request that begins here")]
    [InlineData("*1\r\n$3\r\nSET\nx", 54, 65, "Expected \\r\\n")]
    [InlineData("SET k v\r\n", 54, 54, "Expected a request, got: S")]
    [InlineData("*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nmulti\r\n", 54, 69, "Unexpected MULTI in AOF a.aof")]
    [InlineData("*1\r\n$4\r\nEXEC\r\n", 54, 54, "Unexpected EXEC in AOF a.aof")]
    [InlineData("*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n", 54, 54, "Reached EOF before reading EXEC for MULTI in AOF a.aof")]
    [InlineData("*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPI", 54, 69, "The file ends inside the request that begins here")]
    [InlineData("*1\r\n$5\r\nMULTI\r\nx", 54, 69, "Expected a request, got: x")]
    [InlineData("\0\0\0", 54, 54, "Only zero bytes follow the requests")]
    public void A_bad_end_is_reported_and_cut_off_only_when_that_is_confirmed(string tail, int good, int place, string reason)
    {
        byte[] file = [.. Set, .. Set, .. Encoding.Latin1.GetBytes(tail)];
        Write("a.aof", file);
        string analyzed =
            $"Start checking Old-Style AOF\n0x{place,16:x}: {reason}\n"
            + $"AOF analyzed: filename=a.aof, size={file.Length}, ok_up_to={good}, ok_up_to_line=15, diff={file.Length - good}\n";
        Assert.Equal((false, analyzed + "AOF a.aof is not valid. Use the --fix option to try fixing it.\n"), Check("a.aof"));

        string question =
            $"This will shrink the AOF a.aof from {file.Length} bytes, with {file.Length - good} bytes, to {good} bytes\nContinue? [y/N]: ";
        foreach (string no in new[] { "", "\n", "n\n", "no y\n" })
        {
            Assert.Equal((false, analyzed + question + "Aborting...\n"), Check("a.aof", fixes: true, input: no));
        }

        Assert.Equal(file, Read("a.aof"));
        Assert.Equal((true, analyzed + question + "Successfully truncated AOF a.aof\n"), Check("a.aof", fixes: true, input: "Yes\n"));
        Assert.Equal(file[..good], Read("a.aof"));
        Assert.True(Check("a.aof", fixes: true).IsGood);
    }

    [Fact]
    public void A_snapshot_may_come_first()
    {
        Write("a.aof", [.. Rdb, .. Set, .. Set[..4]]);
        (bool isGood, string report) = Check("a.aof");
        Assert.False(isGood);
        Assert.Contains("[offset 0] Checking RDB file a.aof\n", report, StringComparison.Ordinal);
        Assert.Contains("RDB preamble is OK, proceeding with AOF tail...\n", report, StringComparison.Ordinal);
        Assert.Contains($"ok_up_to={Rdb.Length + Set.Length}, ok_up_to_line=8, diff=4\n", report, StringComparison.Ordinal);

        Write("a.aof", Rdb[..12]);
        (isGood, report) = Check("a.aof", fixes: true, input: "y\n");
        Assert.False(isGood);
        Assert.EndsWith("RDB preamble of AOF file is not sane, aborting.\n", report, StringComparison.Ordinal);
        Assert.Equal(Rdb[..12], Read("a.aof"));
    }

    [Fact]
    public void The_files_of_a_manifest_are_checked_in_order()
    {
        WriteParts(Rdb, Set, [.. Set, .. Set]);
        foreach (string path in new[] { "a.manifest", "." })
        {
            (bool isGood, string report) = Check(path);
            Assert.True(isGood, report);
            Assert.StartsWith(
                "Start checking Multi Part AOF\nStart to check BASE AOF (RDB format).\n[offset 0] Checking RDB file base\n",
                report,
                StringComparison.Ordinal);
            Assert.EndsWith(
                $"""
                BASE AOF base is valid
                Start to check INCR files.
                AOF analyzed: filename=one, size=27, ok_up_to=27, ok_up_to_line=8, diff=0
                INCR AOF one is valid
                AOF analyzed: filename=two, size=54, ok_up_to=54, ok_up_to_line=22, diff=0
                INCR AOF two is valid
                All AOF files and manifest are valid

                """,
                report,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Only_the_last_file_is_cut()
    {
        WriteParts(Set, [.. Set, (byte)'*'], [.. Set, (byte)'*']);
        (bool isGood, string report) = Check("a.manifest", fixes: true, input: "y\n");
        Assert.False(isGood);
        Assert.Contains("Start to check BASE AOF (RESP format).\n", report, StringComparison.Ordinal);
        Assert.EndsWith("Failed to truncate AOF one because it is not the last file\n", report, StringComparison.Ordinal);
        Assert.Equal(Set.Length + 1, Read("one").Length);

        Write("one", []);
        (isGood, report) = Check("a.manifest", fixes: true, input: "y\n");
        Assert.True(isGood, report);
        Assert.Contains("INCR AOF one is empty\n", report, StringComparison.Ordinal);
        Assert.EndsWith("Successfully truncated AOF two\nAll AOF files and manifest are valid\n", report, StringComparison.Ordinal);
        Assert.Equal(Set, Read("two"));
    }

    [Fact]
    public void A_file_goes_back_to_a_time()
    {
        byte[] early = [.. AofText.Line("#TS:100"), .. Set];
        byte[] late = [.. early, .. AofText.Line("#TS:300"), .. Set];
        WriteParts(Rdb, early, late);
        (bool isGood, string report) = Check("a.manifest", timestamp: 250);
        Assert.True(isGood, report);
        Assert.Contains("Truncate nothing in AOF base to timestamp 250\nBASE AOF base is valid\n", report, StringComparison.Ordinal);
        Assert.EndsWith(
            "Successfully truncated AOF two to timestamp 250\nAll AOF files and manifest are valid\n", report, StringComparison.Ordinal);
        Assert.Equal(early, Read("two"));

        (isGood, report) = Check("two", timestamp: 50);
        Assert.False(isGood);
        Assert.EndsWith("AOF two has nothing before timestamp 50, aborting...\n", report, StringComparison.Ordinal);

        WriteParts(Rdb, late, late);
        (isGood, report) = Check("a.manifest", timestamp: 250);
        Assert.False(isGood);
        Assert.Contains("to timestamp 250 to offset 36 because it is not the last file.\n", report, StringComparison.Ordinal);
        Assert.Equal(late, Read("one"));

        Write("two", [.. AofText.Line("#TS:x"), .. Set]);
        Assert.Contains("Invalid timestamp annotation\n", Check("two", timestamp: 250).Report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_faulty_manifest_and_missing_files_are_faults()
    {
        Write("a.manifest", Encoding.Latin1.GetBytes("file x seq 1 type b\nfile y seq 2 type b\n"));
        Assert.Equal(
            (false, "Start checking Multi Part AOF\n*** FATAL AOF MANIFEST FILE ERROR ***\n"
                + "Reading the manifest file, at line 2\n>>> 'file y seq 2 type b'\nFound duplicate base file information\n"),
            Check("a.manifest"));
        Write("a.manifest", Encoding.Latin1.GetBytes("# c\nfile x seq 1 type i\n"));
        string missing = Path.Combine(_folder, "x");
        Assert.Equal(
            (false, $"Start checking Multi Part AOF\nStart to check INCR files.\nCannot open file {missing}: No such file or directory, aborting...\n"),
            Check("a.manifest"));
        File.Move(Path.Combine(_folder, "a.manifest"), Path.Combine(_folder, "renamed"));
        Assert.StartsWith("Start checking Multi Part AOF\n", Check("renamed").Report, StringComparison.Ordinal);
        Assert.Contains("There is no manifest in the folder ", Check(".").Report, StringComparison.Ordinal);
        Assert.Contains(": No such file or directory\n", Check("none").Report, StringComparison.Ordinal);
        Write("temp-a.manifest", []);
        Write("a.manifest", []);
        Assert.Contains("Found an empty AOF manifest\n", Check(".").Report, StringComparison.Ordinal);
        Write("b.manifest", []);
        Assert.Contains("several manifests", Check(".").Report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_executable_checks_files_and_asks_on_standard_input()
    {
        Assert.True(AofCheck.TryRun(["--check-aof"], out int exitCode));
        Assert.Equal(1, exitCode);
        Assert.False(AofCheck.TryRun(["--port", "1"], out _));
        string path = Write("a.aof", [.. Set, .. Set[..9]]);
        ToolRun bad = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--check-aof", path]);
        Assert.Equal(1, bad.ExitCode);
        ToolRun mended = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--check-aof", "--fix", path], input: "y\n"u8.ToArray());
        Assert.True(mended.ExitCode == 0, mended.All);
        Assert.Equal(Set, Read("a.aof"));
        ToolRun wrong = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--check-aof", "--mend", path]);
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("Usage: kvserver --check-aof ", wrong.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("99999999999999999999")]
    public void A_timestamp_is_a_whole_number(string timestamp)
    {
        Assert.False(AofCheckOptions.TryParse(["--truncate-to-timestamp", timestamp, "f"], out _, out string error));
        Assert.Equal("Invalid timestamp, aborting...", error);
        Assert.True(AofCheckOptions.TryParse(["--truncate-to-timestamp", "0", "f"], out AofCheckOptions? options, out _));
        Assert.False(options.CutsAtTimestamp || options.MayCut);
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private void WriteParts(byte[] first, byte[] second, byte[] third)
    {
        Write("base", first);
        Write("one", second);
        Write("two", third);
        Write("a.manifest", "file base seq 1 type b\nfile one seq 1 type i\nfile two seq 2 type i\n"u8.ToArray());
    }

    private byte[] Read(string name) => File.ReadAllBytes(Path.Combine(_folder, name));

    // A report names files as they were given; what is tested is not the name of the folder.
    private (bool IsGood, string Report) Check(
        string name, bool fixes = false, long timestamp = long.MaxValue, string input = "")
    {
        using StringWriter report = new() { NewLine = "\n" };
        using StringReader answers = new(input);
        string path = name == "." ? _folder : Path.Combine(_folder, name);
        bool isGood = AofCheck.Run(new AofCheckOptions(path, fixes, timestamp), report, answers, TimeProvider.System);
        return (isGood, report.ToString().Replace(path, name, StringComparison.Ordinal));
    }
}
