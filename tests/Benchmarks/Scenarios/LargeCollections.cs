using System.Globalization;
using System.Net;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What 50 connections notice while another makes, reads and deletes collections of a million elements.</summary>
/// <remarks>The other is a process of its own: the garbage of a million replies would halt the threads that measure.</remarks>
internal static class LargeCollections
{
    /// <summary>The first argument of the process that works on the collections.</summary>
    public const string Worker = "large-worker";

    private const int Connections = 50;
    private const int Keys = 100_000;
    private const int SetPercent = 10;
    private const int PacedRequestsPerSecond = 20_000;
    private const int ElementsPerCommand = 100;
    private const string Key = "large";

    private static readonly (string Name, string Command, Func<int, string[]> Element, string[] Scan, string[] ReadAll)[] Types =
    [
        ("list", "RPUSH", i => [Text(i)], [], ["LRANGE", Key, "0", "-1"]),
        ("hash", "HSET", i => [$"field:{Text(i)}", Text(i)], ["HSCAN", Key], ["HGETALL", Key]),
        ("set", "SADD", i => [$"member:{Text(i)}"], ["SSCAN", Key], ["SMEMBERS", Key]),
        ("sorted set", "ZADD", i => [Text(i), $"member:{Text(i)}"], ["ZSCAN", Key], ["ZRANGE", Key, "0", "-1"]),
    ];

    // What is freed in the background, and the end of the worker, belong to a step.
    private static readonly TimeSpan Aftermath = TimeSpan.FromMilliseconds(500);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        int elements = options.Quick ? 100_000 : 1_000_000;
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            Array.ForEach(servers, server => PersistentData.FillKeys(server.Server, Keys));

            // As many requests as are answered keep every processor busy: what one waits for a processor is in its time.
            await CompareAsync(servers, elements, options, requestsPerSecond: 0);
            await CompareAsync(servers, elements, options, PacedRequestsPerSecond);
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }
    }

    /// <summary>Does one step, as a process of its own.</summary>
    /// <param name="args">Port, type, step and number of elements.</param>
    public static void Work(string[] args)
    {
        using RespClient client = new(
            new IPEndPoint(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture)), receiveTimeoutMs: 60_000);
        (_, string command, Func<int, string[]> element, string[] scan, string[] readAll) =
            Types.Single(type => type.Name == args[1]);
        int elements = int.Parse(args[3], CultureInfo.InvariantCulture);
        switch (args[2])
        {
            case "fill":
                for (int first = 0; first < elements; first += ElementsPerCommand)
                {
                    client.Execute([command, Key, .. Enumerable.Range(first, ElementsPerCommand).SelectMany(element)]);
                }

                break;
            case "scan":
                ReadParts(client, scan, elements);
                break;
            case "all":
                client.Send(readAll);
                client.SkipBulkStrings(); // Collecting garbage would take the processors from those who are measured.
                break;
            default:
                client.Execute("DEL", Key);
                break;
        }
    }

    private static async Task CompareAsync(Contestant[] servers, int elements, BenchmarkOptions options, int requestsPerSecond)
    {
        Table table = new("what", "server", "seconds", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "longest turn ms");
        foreach (Contestant server in servers)
        {
            await MeasureAsync(server, elements, options, requestsPerSecond, table);
        }

        string rate = requestsPerSecond == 0 ? "as fast as answered" : $"{requestsPerSecond:#,0} requests/s";
        table.Print($"{Connections} connections ({rate}) beside one that works on a collection of {elements:#,0} elements");
    }

    private static async Task MeasureAsync(
        Contestant server, int elements, BenchmarkOptions options, int requestsPerSecond, Table table)
    {
        using RespClient control = server.Server.Connect();
        using ConnectionLoad load = new(
            server,
            Enumerable.Range(0, Connections).Select(seed => new KeyRequests(Keys, SetPercent, seed)),
            requestsPerSecond: requestsPerSecond);
        await AddAsync("nothing", () => Task.Delay(TimeSpan.FromSeconds(2)));
        await AddAsync("a process that starts", () => WorkAsync("list", "delete"));
        foreach ((string name, string command, _, string[] scan, string[] readAll) in Types.Where(type => options.Chooses(type.Name)))
        {
            await AddAsync($"{name}: {command} of {ElementsPerCommand}", () => WorkAsync(name, "fill"));
            await AddAsync($"{name}: {(scan.Length > 0 ? scan[0] : "LRANGE")} of 1000", () => WorkAsync(name, "scan"));
            await AddAsync($"{name}: {readAll[0]} of all", () => WorkAsync(name, "all"));
            await AddAsync($"{name}: DEL", () => WorkAsync(name, "delete"));
        }

        Task WorkAsync(string type, string step) => ToolRun.RunAsync(
            Environment.ProcessPath!,
            [Worker, server.Port, type, step, elements.ToString(CultureInfo.InvariantCulture)],
            timeoutSeconds: 300);

        async Task AddAsync(string what, Func<Task> during)
        {
            LoadPhase phase = await load.MeasureAsync(async () =>
            {
                await during();
                await Task.Delay(Aftermath);
            }, control);
            BenchmarkRun run = phase.ToRun(phase.Latencies.Keys.Single());
            table.Add(
                what, server.Name, phase.Seconds, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.P999Ms, run.MaxMs,
                phase.LongestTurnMs);
        }
    }

    private static void ReadParts(RespClient client, string[] scan, int elements)
    {
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
