using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>From the start of the process to the reply to the first PING, and what it holds then.</summary>
internal static class Startup
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        int rounds = options.Quick ? 5 : 20;
        Table table = new("server", "starts", "median ms", "longest ms", "resident MB");
        List<double>[] times = [[], []];
        List<double>[] resident = [[], []];
        for (int round = 0; round < rounds; round++)
        {
            foreach (int i in new[] { 0, 1 })
            {
                await using ServerProcess server = i == 0 ? await options.StartOursAsync() : await options.StartReferenceAsync();
                times[i].Add(server.StartDuration.TotalMilliseconds);
                resident[i].Add(ProcessCounters.ResidentBytes(server.ProcessId) / 1e6);
            }
        }

        foreach ((int i, string name) in new[] { (0, "ours"), (1, "redis-server") })
        {
            table.Add(name, rounds, Statistics.Median(times[i]), times[i].Max(), Statistics.Median(resident[i]));
        }

        table.Print("Start to first reply");
    }
}
