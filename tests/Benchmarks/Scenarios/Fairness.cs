using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>How much 50 connections notice of one that streams a pipeline without end.</summary>
internal static class Fairness
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        long requests = options.Quick ? 50_000 : 300_000;
        int rounds = options.Quick ? 2 : 4;
        const long StreamBytes = 1L << 30;
        Table table = new("server", "stream", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "streamed MB");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                List<BenchmarkRun> alone = [];
                List<BenchmarkRun> beside = [];
                long streamed = 0;
                await RunOnceAsync(server, requests / 2);
                for (int round = 0; round < rounds; round++)
                {
                    alone.Add(await RunOnceAsync(server, requests));
                    using PipelineStream stream = new(server.Server.Port);
                    do
                    {
                        beside.Add(await RunOnceAsync(server, requests));
                    }
                    while (!options.Quick && stream.SentBytes < StreamBytes);
                    streamed += stream.SentBytes;
                }

                BenchmarkRun without = BenchmarkRun.Median(alone);
                BenchmarkRun with = BenchmarkRun.Median(beside);
                table.Add(server.Name, "no", without.RequestsPerSecond, without.P50Ms, without.P99Ms, without.P999Ms, without.MaxMs, 0.0);
                table.Add(server.Name, "yes", with.RequestsPerSecond, with.P50Ms, with.P99Ms, with.P999Ms, with.MaxMs, streamed / 1e6);
                table.Add(
                    server.Name, "ratio", with.RequestsPerSecond / without.RequestsPerSecond, with.P50Ms / without.P50Ms,
                    with.P99Ms / without.P99Ms, with.P999Ms / without.P999Ms, with.MaxMs / without.MaxMs, "");
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        table.Print("50 connections with GET at -P 1, without and beside a streamed pipeline of SETs");
    }

    private static Task<BenchmarkRun> RunOnceAsync(Contestant server, long requests) =>
        BenchmarkRun.RunAsync(server.Server, requests, pipeline: 1, keySpace: 100_000, ["GET", "key:__rand_int__"]);
}
