using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The usual commands of each type of value, both servers side by side in alternating rounds.</summary>
internal static class DataTypes
{
    private const int KeySpace = 100_000;
    private const int LongList = 600;
    private const int SetMembers = 100;

    // RPOP takes what LPUSH has left; reads find what the writes in front of them have filled.
    private static readonly (string Name, string[] Command)[] Commands =
    [
        ("LPUSH", ["LPUSH", "mylist", "xxx"]),
        ("RPOP", ["RPOP", "mylist"]),
        ("HSET", ["HSET", "myhash", "element:__rand_int__", "xxx"]),
        ("HGET", ["HGET", "myhash", "element:__rand_int__"]),
        ("ZADD", ["ZADD", "myzset", "__rand_int__", "element:__rand_int__"]),
        ("ZRANGE (10)", ["ZRANGE", "myzset", "0", "9"]),
        ("ZRANK", ["ZRANK", "myzset", "element:__rand_int__"]),
        ("XADD", ["XADD", "mystream", "*", "myfield", "data"]),
        ("SINTER (100, 50)", ["SINTER", "set:a", "set:b"]),
    ];

    private static readonly int[] Ranges = [100, 300, 600];

    // One thread of the load generator takes longer to read such replies than either server to write them.
    private const string LoadThreads = "3";
    private const long ElementsPerRound = 200_000_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Contestant[] servers = await options.StartBothAsync();
        CommandComparison commands = new("command", options, KeySpace);
        CommandComparison ranges = new("range", options, KeySpace);
        try
        {
            foreach (Contestant server in servers)
            {
                await FillAsync(server.Server, options);
            }

            foreach ((string name, string[] command) in Commands.Where(command => options.Chooses(command.Name)))
            {
                await commands.AddAsync(servers, name, command, pipeline: 16, options.Quick ? 250_000 : 1_000_000);
            }

            foreach (int count in Ranges.Where(count => options.Chooses(RangeName(count))))
            {
                string last = (count - 1).ToString(CultureInfo.InvariantCulture);
                long requests = ElementsPerRound / count / (options.Quick ? 4 : 1);
                foreach (int pipeline in new[] { 1, 16 })
                {
                    await ranges.AddAsync(
                        servers, RangeName(count), ["LRANGE", "longlist", "0", last], pipeline, pipeline == 1 ? requests / 4 : requests,
                        _ => ["--threads", LoadThreads]);
                }
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        commands.Print("One key of each type, 100k different elements");
        ranges.Print($"A list of {LongList} elements of three bytes");
    }

    private static string RangeName(int count) => $"LRANGE_{count.ToString(CultureInfo.InvariantCulture)}";

    // Long enough for the runtime to have compiled the hot paths for good.
    private static async Task FillAsync(ServerProcess server, BenchmarkOptions options)
    {
        using (RespClient client = server.Connect())
        {
            client.Execute(["RPUSH", "longlist", .. Enumerable.Repeat("xxx", LongList)]);
            client.Execute(["SADD", "set:a", .. Enumerable.Range(0, SetMembers).Select(i => $"member:{i}")]);
            client.Execute(["SADD", "set:b", .. Enumerable.Range(SetMembers / 2, SetMembers).Select(i => $"member:{i}")]);
        }

        foreach ((_, string[] command) in Commands)
        {
            await BenchmarkRun.RunAsync(server, options.Quick ? 200_000 : 500_000, 16, KeySpace, command);
        }

        await BenchmarkRun.RunAsync(server, 30_000, 16, KeySpace, ["LRANGE", "longlist", "0", "-1"]);
    }
}
