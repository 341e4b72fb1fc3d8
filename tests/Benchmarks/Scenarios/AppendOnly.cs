using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What an append-only file costs SET, by how often it is forced to disk, and what its rewrite costs.</summary>
internal static class AppendOnly
{
    private const int KeySpace = 100_000;
    private const int Connections = 50;

    private static readonly string[] Set = ["SET", "key:__rand_int__", new string('x', KeyRequests.ValueBytes)];

    private static readonly (string Name, string AppendOnly, string Fsync)[] Modes =
    [
        ("off", "no", "everysec"),
        ("everysec", "yes", "everysec"),
        ("no fsync", "yes", "no"),
        ("always", "yes", "always"),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Machine.RequireDisk();
        CommandComparison comparison = new("append-only file", options, KeySpace);
        foreach ((string name, string appendOnly, string fsync) in Modes.Where(mode => options.Chooses(mode.Name)))
        {
            Contestant[] servers = await options.StartBothAsync(server => Append(server, appendOnly, fsync));
            try
            {
                foreach (int pipeline in new[] { 1, 16 })
                {
                    long requests = await ChooseCountAsync(options, servers, pipeline);
                    await comparison.AddAsync(servers, name, Set, pipeline, requests);
                }
            }
            finally
            {
                await Contestant.StopAsync(servers);
            }
        }

        comparison.Print("SET of 64-byte values, 100k keys");
        if (options.Chooses("rewrite"))
        {
            await RewriteAsync(options);
        }
    }

    // No rewrite begins by itself in the middle of a round.
    private static void Append(ServerOptions server, string appendOnly, string fsync) => server
        .With("appendonly", appendOnly).With("appendfsync", fsync).With("auto-aof-rewrite-percentage", "0");

    /// <summary>Warms both servers up and finds how many requests the slower one answers in a bearable time.</summary>
    /// <remarks>With a disk that takes 20 ms to force a write, the usual number would take minutes per round.</remarks>
    private static async Task<long> ChooseCountAsync(BenchmarkOptions options, Contestant[] servers, int pipeline)
    {
        const long First = 10_000;
        double seconds = options.Quick ? 1 : 5;
        long most = (options.Quick ? 50_000 : 200_000) * (pipeline == 1 ? 1 : 5);
        long count = most;
        foreach (Contestant server in servers)
        {
            BenchmarkRun slow = await BenchmarkRun.RunAsync(server.Server, First, pipeline, KeySpace, Set);
            long bearable = Math.Clamp((long)(slow.RequestsPerSecond * seconds), First, most);
            count = Math.Min(count, bearable);
            await BenchmarkRun.RunAsync(server.Server, bearable, pipeline, KeySpace, Set);
        }

        return count;
    }

    private static async Task RewriteAsync(BenchmarkOptions options)
    {
        int keys = PersistentData.Keys(options);
        Contestant[] servers = await options.StartBothAsync(server => Append(server, "yes", "everysec"));
        try
        {
            foreach (Contestant server in servers)
            {
                PersistentData.FillKeys(server.Server, keys);
            }

            await new SaveUnderLoad(options, servers, BackgroundSave.Rewrite).RunAsync(
                $"{keys:#,0} keys, {Connections} connections with SET, everysec",
                () => Enumerable.Range(0, Connections).Select(seed => new KeyRequests(keys, setPercent: 100, seed)));
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }
    }
}
