using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The commands of the hot path, both servers side by side in alternating rounds.</summary>
internal static class Compare
{
    private const int KeySpace = 100_000;

    private static readonly (string Name, string[] Command)[] Commands =
    [
        ("SET", ["SET", "key:__rand_int__", "xxx"]),
        ("GET", ["GET", "key:__rand_int__"]),
        ("SADD", ["SADD", "myset", "element:__rand_int__"]),
        ("SISMEMBER", ["SISMEMBER", "myset", "element:__rand_int__"]),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        CommandComparison comparison = new("test", options, KeySpace);
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            // Long enough for the runtime to have compiled the hot paths for good; also fills keys and set.
            foreach (Contestant server in servers)
            {
                foreach ((_, string[] command) in Commands)
                {
                    await BenchmarkRun.RunAsync(server.Server, options.Quick ? 300_000 : 1_000_000, 16, KeySpace, command);
                    await BenchmarkRun.RunAsync(server.Server, options.Quick ? 30_000 : 100_000, 1, KeySpace, command);
                }
            }

            foreach (int pipeline in new[] { 1, 16 })
            {
                long requests = (options.Quick ? 50_000 : 200_000) * (pipeline == 1 ? 1 : 5);
                foreach ((string name, string[] command) in Commands.Where(command => options.Chooses(command.Name)))
                {
                    await comparison.AddAsync(servers, name, command, pipeline, requests);
                }
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        comparison.Print("100k keys");
    }
}
