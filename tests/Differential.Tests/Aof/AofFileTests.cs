using System.Globalization;
using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Server.Persistence.Aof;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>Append-only files of the reference are read by us, and ours by its tools.</summary>
public sealed class AofFileTests : IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("aof");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Theory]
    [InlineData("yes", "appendonly.aof", "yes")]
    [InlineData("no", "\"é\".aof", "no")]
    public async Task The_folder_of_a_reference_server_is_read(string rdb, string name, string timestamps)
    {
        ServerPair.RequireReference();
        await using (ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", _folder).With("appendonly", "yes")
                .With("appendfilename", name).With("aof-use-rdb-preamble", rdb).With("aof-timestamp-enabled", timestamps)))
        {
            using RespClient client = reference.Connect();
            client.Execute("SET", "before", "1");
            client.Execute("BGREWRITEAOF");
            while (!client.Execute("INFO", "persistence").AsString.Contains("aof_rewrite_in_progress:0", StringComparison.Ordinal))
            {
                // The rewrite of one key takes a moment; each turn is a request to the server that does it.
            }

            // There is at most one annotation for a second.
            string second = SecondOf(client);
            while (timestamps == "yes" && SecondOf(client) == second)
            {
            }

            client.Execute("SET", "after", new string('x', 40_000));
            client.Execute("MULTI");
            client.Execute("SADD", "set", "a", "b");
            client.Execute("INCR", "before");
            client.Execute("EXEC");
        }

        AofFolder folder = new(Path.Combine(_folder, "appendonlydir"), name);
        Assert.True(folder.TryLoad(out AofManifest? manifest, out string error), error);
        Assert.NotNull(manifest?.Base);
        Assert.Equal(AofFileNames.Base(name, manifest.Base.Sequence, rdb == "yes"), manifest.Base.Name);
        Assert.Equal(AofFileNames.Increment(name, manifest.LastIncrement!.Sequence), manifest.LastIncrement.Name);
        Assert.Equal(await File.ReadAllBytesAsync(folder.ManifestPath, TestContext.Current.CancellationToken), manifest.Format());

        List<string> requests = AofRequests.Read(folder.PathOf(manifest.LastIncrement.Name), out long timestamp);
        Assert.Equal($"SELECT 0|SET after {new string('x', 40_000)}|MULTI|SADD set a b|INCR before|EXEC", string.Join('|', requests));
        Assert.Equal(timestamps == "yes", timestamp > 0);
        (bool isGood, string report) = Check(folder.ManifestPath);
        Assert.True(isGood, report);
        await CompareWithToolAsync(folder.ManifestPath, sameText: timestamps == "no");
    }

    [Fact]
    public async Task A_folder_of_ours_is_loaded_by_a_reference_server()
    {
        ServerPair.RequireReference();
        const string Name = "it's\"odd\"é.aof";
        AofFolder folder = new(Path.Combine(_folder, "appendonlydir"), Name);
        Assert.Null(folder.TryCreate());
        AofManifest manifest = AofManifest.Empty.WithNextIncrement(Name).WithNextIncrement(Name);
        long kept = manifest.LastIncrement!.Sequence;
        manifest = manifest.WithNextIncrement(Name).WithNewBase(Name, isRdb: false, kept);
        await WriteAsync(folder.PathOf(manifest.Base!.Name), "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
        await WriteAsync(folder.PathOf(manifest.History[0].Name), "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n7\r\n");
        await WriteAsync(folder.PathOf(manifest.Increments[0].Name), "#TS:1628217470\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n");
        await WriteAsync(folder.PathOf(manifest.Increments[1].Name), "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n");
        Assert.Null(folder.TrySave(manifest));
        await CompareWithToolAsync(folder.ManifestPath, sameText: false);

        await using ServerProcess reference = await ServerProcess.StartAsync(
            ServerOptions.ForTests(ReferenceServer.Binary).With("dir", _folder).With("appendonly", "yes").With("appendfilename", Name));
        using RespClient client = reference.Connect();
        Assert.Equal("3", client.Execute("GET", "a").AsString);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1")]
    [InlineData("*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n")]
    [InlineData("*1\r\n$4\r\nEXEC\r\n")]
    [InlineData("PING\r\n")]
    [InlineData("*1\r\n$4\r\nPINGxx")]
    [InlineData("*1\r\n$536870912\r\nabc")]
    [InlineData("*1\r\n:4\r\nPING\r\n")]
    [InlineData("\0\0\0\0\0\0")]
    public async Task Damage_is_found_and_mended_at_the_same_place(string tail)
    {
        string tool = RequireTool();
        const string Good = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
        string theirs = await WriteAsync(Path.Combine(_folder, "theirs.aof"), Good + Good + tail);
        string ours = await WriteAsync(Path.Combine(_folder, "ours.aof"), Good + Good + tail);
        ToolRun check = await ToolRun.RunAsync(tool, [theirs]);
        (bool isGood, string report) = Check(ours);
        Assert.Equal(check.ExitCode == 0, isGood);
        Assert.Equal(check.ExitCode == 0, tail.Length == 0);
        Assert.Equal(WithoutWords(check.Output), WithoutWords(report.Replace("ours.aof", "theirs.aof", StringComparison.Ordinal)));

        ToolRun mended = await ToolRun.RunAsync(tool, ["--fix", theirs], input: "y\n"u8.ToArray());
        using StringWriter words = new() { NewLine = "\n" };
        using StringReader answer = new("y\n");
        Assert.True(AofCheck.Run(new AofCheckOptions(ours, Fixes: true), words, answer, TimeProvider.System));
        Assert.Equal(0, mended.ExitCode);
        Assert.Equal(
            WithoutWords(mended.Output), WithoutWords(words.ToString().Replace("ours.aof", "theirs.aof", StringComparison.Ordinal)));
        Assert.Equal(
            await File.ReadAllBytesAsync(theirs, TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(ours, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("file a seq 1 type b")]
    [InlineData("file a seq 1 type x\n")]
    [InlineData("file a seq 1\n")]
    [InlineData("file a seq 1 type b\n\n")]
    [InlineData("file ../a seq 1 type b\n")]
    [InlineData("file a seq 0 type b\n")]
    [InlineData("file a 'seq 1 type b\n")]
    [InlineData("file a seq 1 type b\nfile b seq 2 type b\n")]
    [InlineData("file a seq 2 type i\nfile b seq 1 type i\n")]
    [InlineData("file a seq 2 type i\nfile b seq 2 type i\n")]
    [InlineData("file a seq 1 type history\n")]
    [InlineData("# c\nfile \"\\x61\" future x SEQ 1 type hat\n")]
    [InlineData("# c\nfile h seq 3 type h\nfile h seq 2 type h\n")]
    [InlineData(null)]
    public async Task Manifests_are_refused_for_the_same_reason(string? text)
    {
        string tool = RequireTool();
        string longest = $"file {new string('x', 1024 - "file  seq 1 type h\n".Length)} seq 1 type h\n";
        foreach (string manifest in text is null ? [longest, "# \n" + longest.Replace("file ", "file x", StringComparison.Ordinal)] : new[] { text })
        {
            // The tool takes a file for a manifest only when its first line that is no comment begins with "file".
            string path = await WriteAsync(Path.Combine(_folder, "a.manifest"), manifest);
            ToolRun check = await ToolRun.RunAsync(tool, [path]);
            (bool isGood, string report) = Check(path);
            Assert.Equal(check.ExitCode == 0, isGood);
            foreach (string line in report.Split('\n').Where(line => line.Length > 0))
            {
                bool isOurs = line.StartsWith("Reading the manifest", StringComparison.Ordinal) || line.StartsWith(">>>", StringComparison.Ordinal);
                bool isTold = check.All.Contains("Reading the manifest", StringComparison.Ordinal);
                Assert.True(check.All.Contains(line, StringComparison.Ordinal) || (isOurs && !isTold), line + check.All);
            }
        }
    }

    private async Task CompareWithToolAsync(string path, bool sameText)
    {
        if (TestPaths.FindOnPath("redis-check-aof") is { } tool)
        {
            ToolRun check = await ToolRun.RunAsync(tool, [path]);
            Assert.True(check.ExitCode == 0, check.All);
            Assert.True(!sameText || check.Output == Check(path).Report, check.Output + Check(path).Report);
        }
    }

    private static string SecondOf(RespClient client)
    {
        const string Field = "server_time_usec:";
        string info = client.Execute("INFO", "server").AsString;
        int start = info.IndexOf(Field, StringComparison.Ordinal) + Field.Length;
        return info[start..(info.IndexOf('\r', start) - "000000".Length)];
    }

    private static string RequireTool()
    {
        ServerPair.RequireReference();
        string? tool = TestPaths.FindOnPath("redis-check-aof");
        Assert.SkipWhen(tool is null, "redis-check-aof is not on PATH (Debian: apt-get install redis-tools)");
        return tool!;
    }

    // What is left is the same: the words for a fault are ours, and so is the line of a fault.
    private static string WithoutWords(string report) => string.Join('\n', report.Split('\n')
        .Where(line => !line.StartsWith("0x", StringComparison.Ordinal) && !line.EndsWith("format error", StringComparison.Ordinal))
        .Select(line => line.IndexOf("ok_up_to_line=", StringComparison.Ordinal) is > 0 and int at && !line.EndsWith("diff=0", StringComparison.Ordinal)
            ? line[..at] + line[line.IndexOf("diff=", StringComparison.Ordinal)..]
            : line));

    private static (bool IsGood, string Report) Check(string path)
    {
        using StringWriter report = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        bool isGood = AofCheck.Run(new AofCheckOptions(path), report, TextReader.Null, TimeProvider.System);
        return (isGood, report.ToString());
    }

    private static async Task<string> WriteAsync(string path, string text)
    {
        await File.WriteAllBytesAsync(path, Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
        return path;
    }
}
