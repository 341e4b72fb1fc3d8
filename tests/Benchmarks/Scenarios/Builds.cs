using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The ways to publish the server: size, start, memory, and CPU per request once warm.</summary>
/// <remarks>Native AOT needs clang; a build that fails is shown without figures, with the compiler's first complaint below.</remarks>
internal static class Builds
{
    private const int KeySpace = 100_000;

    private static readonly (string Name, string[] Arguments)[] Kinds =
    [
        ("JIT", ["-p:PublishReadyToRun=false", "--self-contained", "false"]),
        ("ReadyToRun", ["--self-contained", "false"]),
        ("ReadyToRun, self-contained", ["--self-contained", "true"]),
        ("ReadyToRun, composite", ["--self-contained", "true", "-p:PublishReadyToRunComposite=true"]),
        ("native AOT", ["-p:PublishAot=true", "--self-contained", "true", "-p:TreatWarningsAsErrors=false", "-p:SuppressTrimAnalysisWarnings=true"]),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Table table = new(
            "build", "published MB", "start ms", "resident MB at start", "and after the load",
            "SET us", "GET us", "SET us, first 100k", "p99 ms of these");
        List<string> complaints = [];
        foreach ((string name, string[] arguments) in Kinds.Where(kind => options.Chooses(kind.Name)))
        {
            string target = Path.Combine(TestPaths.RepositoryRoot, "artifacts", "builds", name.Replace(", ", "-").Replace(' ', '-'));
            if (Directory.Exists(target))
            {
                Directory.Delete(target, recursive: true);
            }

            ToolRun publish = await BenchmarkOptions.PublishAsync(target, arguments);
            if (publish.ExitCode != 0)
            {
                complaints.Add($"{name}: {publish.All.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))}");
                continue;
            }

            await MeasureAsync(table, name, target, options.Quick);
        }

        table.Print("Builds of the server; CPU time per request at -P 16");
        foreach (string complaint in complaints)
        {
            Console.WriteLine(complaint);
        }
    }

    private static async Task MeasureAsync(Table table, string name, string folder, bool isQuick)
    {
        string binary = Path.Combine(folder, "kvserver");
        long bytes = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension is not (".pdb" or ".dbg")).Sum(file => file.Length);
        List<double> starts = [];
        List<double> resident = [];
        for (int round = 0; round < (isQuick ? 5 : 15); round++)
        {
            await using ServerProcess started = await ServerProcess.StartAsync(ServerOptions.ForTests(binary));
            starts.Add(started.StartDuration.TotalMilliseconds);
            resident.Add(ProcessCounters.ResidentBytes(started.ProcessId) / 1e6);
        }

        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests(binary));
        string[] set = ["SET", "key:__rand_int__", "xxx"];
        string[] get = ["GET", "key:__rand_int__"];
        BenchmarkRun first = await BenchmarkRun.RunAsync(server, 100_000, 16, KeySpace, set);
        List<BenchmarkRun> sets = [];
        List<BenchmarkRun> gets = [];
        long requests = isQuick ? 500_000 : 2_000_000;
        for (int round = 0; round < 6; round++)
        {
            BenchmarkRun setRun = await BenchmarkRun.RunAsync(server, requests, 16, KeySpace, set);
            BenchmarkRun getRun = await BenchmarkRun.RunAsync(server, requests, 16, KeySpace, get);
            if (round > 0) // In the first one the hot paths are compiled for good.
            {
                sets.Add(setRun);
                gets.Add(getRun);
            }
        }

        table.Add(
            name, bytes / 1e6, Statistics.Median(starts), Statistics.Median(resident),
            ProcessCounters.ResidentBytes(server.ProcessId) / 1e6,
            BenchmarkRun.Median(sets).CpuMicroseconds, BenchmarkRun.Median(gets).CpuMicroseconds,
            first.CpuMicroseconds, first.P99Ms);
    }
}
