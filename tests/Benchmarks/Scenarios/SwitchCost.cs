using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What something costs that one server can do with or without: rounds of both kinds in turn on the same process.</summary>
/// <param name="title">Above the table.</param>
/// <param name="without">What the rounds without it are called.</param>
/// <param name="with">What the rounds with it are called.</param>
/// <param name="options">How many rounds.</param>
internal sealed class SwitchCost(string title, string without, string with, BenchmarkOptions options)
{
    private const int KeySpace = 100_000;

    private static readonly (string Name, string[] Command)[] Commands =
    [
        ("SET", ["SET", "key:__rand_int__", "xxx"]),
        ("GET", ["GET", "key:__rand_int__"]),
    ];

    private readonly Table _table = new(
        "test, -P 16", "server", $"CPU us/request, {without}", with, "ratio", "lowest of all rounds", with, "ratio");

    /// <summary>Measures SET and GET on both servers and prints the figures.</summary>
    /// <param name="prepare">Makes a server ready, over a connection that stays open meanwhile. What it returns is called before
    /// each round with whether it is one with it, and returns more options for redis-benchmark.</param>
    public async Task RunAsync(Func<Contestant, RespClient, Func<bool, string[]>> prepare)
    {
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                using RespClient control = server.Server.Connect();
                await AddAsync(server, prepare(server, control));
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        _table.Print(title);
    }

    private async Task AddAsync(Contestant server, Func<bool, string[]> turn)
    {
        long requests = options.Quick ? 300_000 : 1_000_000;
        foreach ((string name, string[] command) in Commands)
        {
            for (int i = 0; i < 2; i++)
            {
                await BenchmarkRun.RunAsync(server.Server, requests, 16, KeySpace, command, more: turn(i == 1));
            }

            List<BenchmarkRun>[] runs = await AlternatingRounds.RunAsync(options.Quick ? 3 : 11, i => BenchmarkRun.RunAsync(
                server.Server, requests, 16, KeySpace, command, more: turn(i == 1)));
            double[] medians = [.. runs.Select(of => BenchmarkRun.Median(of).CpuMicroseconds)];
            double[] lowest = [.. runs.Select(of => of.Min(run => run.CpuMicroseconds))];
            _table.Add(
                name, server.Name, medians[0], medians[1], medians[1] / medians[0], lowest[0], lowest[1], lowest[1] / lowest[0]);
        }
    }
}
