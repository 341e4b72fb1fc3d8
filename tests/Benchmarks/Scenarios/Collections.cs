using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What the hot path costs the garbage collector, as our server counts it in INFO.</summary>
internal static class Collections
{
    private static readonly string[][] Commands =
    [
        ["SET", "key:__rand_int__", "xxx"],
        ["GET", "key:__rand_int__"],
        ["SADD", "myset", "element:__rand_int__"],
        ["SISMEMBER", "myset", "element:__rand_int__"],
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        long requests = options.Quick ? 250_000 : 2_500_000;
        await using ServerProcess server = await options.StartOursAsync();
        using RespClient observer = server.Connect();
        if (InfoFields.Read(observer, "everything").Text("gc_allocated_bytes") is null)
        {
            Console.WriteLine("The server does not tell of a garbage collector.");
            return;
        }

        Table table = new("command", "requests", "gen 0", "gen 1", "gen 2", "bytes allocated", "bytes per command");
        foreach (int pipeline in new[] { 16, 1 })
        {
            foreach (string[] command in Commands)
            {
                await BenchmarkRun.RunAsync(server, 300_000, pipeline, 100_000, command);
            }
        }

        foreach (string[] command in Commands)
        {
            InfoFields before = InfoFields.Read(observer, "everything");
            await BenchmarkRun.RunAsync(server, requests, 16, 100_000, command);
            InfoFields after = InfoFields.Read(observer, "everything");
            long bytes = Delta("gc_allocated_bytes");
            table.Add(
                command[0], requests, Delta("gc_collections_gen0"), Delta("gc_collections_gen1"),
                Delta("gc_collections_gen2"), bytes, (double)bytes / requests);

            long Delta(string field) => after.Integer(field) - before.Integer(field);
        }

        table.Print("Garbage collection in steady state (connections of redis-benchmark and INFO included)");
    }
}
