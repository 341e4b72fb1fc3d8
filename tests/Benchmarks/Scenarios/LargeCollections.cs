using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What 50 connections notice while another makes, reads and deletes collections of a million elements.</summary>
internal static class LargeCollections
{
    private const int Connections = 50;
    private const int Keys = 100_000;
    private const int SetPercent = 10;
    private const int ElementsPerCommand = 100;
    private const string Key = "large";

    private static readonly (string Name, string Command, Func<int, string[]> Element, string[] Scan, string[] ReadAll)[] Types =
    [
        ("list", "RPUSH", i => [Text(i)], [], ["LRANGE", Key, "0", "-1"]),
        ("hash", "HSET", i => [$"field:{Text(i)}", Text(i)], ["HSCAN", Key], ["HGETALL", Key]),
        ("set", "SADD", i => [$"member:{Text(i)}"], ["SSCAN", Key], ["SMEMBERS", Key]),
        ("sorted set", "ZADD", i => [Text(i), $"member:{Text(i)}"], ["ZSCAN", Key], ["ZRANGE", Key, "0", "-1"]),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        int elements = options.Quick ? 100_000 : 1_000_000;
        Table table = new("what", "server", "seconds", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                PersistentData.FillKeys(server.Server, Keys);
                await MeasureAsync(server, elements, options, table);
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        table.Print($"Latencies of {Connections} connections beside one that works on a collection of {elements:#,0} elements");
    }

    private static async Task MeasureAsync(Contestant server, int elements, BenchmarkOptions options, Table table)
    {
        using ConnectionLoad load = new(
            server, Enumerable.Range(0, Connections).Select(seed => new KeyRequests(Keys, SetPercent, seed)));
        await AddAsync("nothing", () => Task.Delay(TimeSpan.FromSeconds(2)));
        foreach ((string name, string command, Func<int, string[]> element, string[] scan, string[] readAll) in
            Types.Where(type => options.Chooses(type.Name)))
        {
            await AddAsync($"{name}: {command} of {ElementsPerCommand}", () => Task.Run(() => Fill(server, command, elements, element)));
            await AddAsync($"{name}: read in parts", () => Task.Run(() => ReadParts(server, scan, elements)));
            await AddAsync($"{name}: {readAll[0]} of all", () => Task.Run(() => Execute(server, readAll)));
            await AddAsync($"{name}: DEL", () => Task.Run(() => Execute(server, ["DEL", Key])));
        }

        async Task AddAsync(string what, Func<Task> during)
        {
            // What is freed in the background belongs to it.
            LoadPhase phase = await load.MeasureAsync(async () =>
            {
                await during();
                await Task.Delay(TimeSpan.FromMilliseconds(500));
            });
            BenchmarkRun run = phase.ToRun(phase.Latencies.Keys.Single());
            table.Add(
                what, server.Name, phase.Seconds, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs);
        }
    }

    private static void Fill(Contestant server, string command, int elements, Func<int, string[]> element)
    {
        using CommandFiller filler = new(server.Server);
        for (int first = 0; first < elements; first += ElementsPerCommand)
        {
            filler.Add([command, Key, .. Enumerable.Range(first, ElementsPerCommand).SelectMany(element)]);
            filler.Flush(); // One at a time: what a pipeline costs others is another question.
        }
    }

    private static void ReadParts(Contestant server, string[] scan, int elements)
    {
        using RespClient client = server.Server.Connect();
        if (scan.Length > 0)
        {
            string cursor = "0";
            do
            {
                cursor = client.Execute([scan[0], scan[1], cursor, "COUNT", "1000"]).Items[0].AsString;
            }
            while (cursor != "0");
            return;
        }

        for (int first = 0; first < elements; first += 1000)
        {
            client.Execute("LRANGE", Key, Text(first), Text(first + 999));
        }
    }

    private static void Execute(Contestant server, string[] command)
    {
        using RespClient client = server.Server.Connect();
        client.Execute(command);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
