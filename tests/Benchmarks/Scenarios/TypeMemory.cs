using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What collections cost: resident growth of the process at rest, each kind in a server of its own.</summary>
internal static class TypeMemory
{
    private const int ElementsPerCommand = 100;

    // What a server needs only while it is busy (code being compiled, free lists) is gone by then.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);

    private static readonly (string Name, int Keys, int Elements, Func<int, int, string[]> Element, string Command)[] Kinds =
    [
        ("hashes of 10 short fields", 1_000_000, 10, (key, i) => [$"field:{Text(i)}", Text(key + i)], "HSET"),
        ("sets of 20 integers", 1_000_000, 20, (key, i) => [Text(key + (i * 7))], "SADD"),
        ("sorted sets of 128 members", 100_000, 128, (key, i) => [Text(key + i), $"member:{Text(i)}"], "ZADD"),
        ("one sorted set", 1, 5_000_000, (_, i) => [Text(i * 37 % 5_000_000), $"member:{Text(i)}"], "ZADD"),
        ("lists of 10 elements", 1_000_000, 10, (key, i) => [$"element:{Text(key + i)}"], "RPUSH"),
    ];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Table table = new("what", "server", "keys", "elements", "resident growth MB", "bytes per element", "ours / theirs");
        foreach ((string name, int keys, int elements, Func<int, int, string[]> element, string command) in
            Kinds.Where(kind => options.Chooses(kind.Name)))
        {
            int scale = options.Quick ? 10 : 1;
            int count = keys == 1 ? 1 : keys / scale;
            int length = keys == 1 ? elements / scale : elements;
            Contestant[] servers = await options.StartBothAsync();
            try
            {
                // Code that is loaded or compiled for the first keys is no cost of a key.
                Array.ForEach(servers, server => Fill(server, command, Math.Max(1, count / 20), Math.Min(length, 1000), element));
                Array.ForEach(servers, Empty);
                await Task.Delay(Rest);
                long[] before = [.. servers.Select(server => server.ResidentBytes)];
                Array.ForEach(servers, server => Fill(server, command, count, length, element));
                await Task.Delay(Rest);
                long[] growth = [.. servers.Select((server, i) => server.ResidentBytes - before[i])];
                for (int i = 0; i < servers.Length; i++)
                {
                    table.Add(
                        name, servers[i].Name, count, length, growth[i] / 1e6, (double)growth[i] / count / length,
                        i == 0 ? (double)growth[0] / growth[1] : "");
                }
            }
            finally
            {
                await Contestant.StopAsync(servers);
            }
        }

        table.Print("Collections");
    }

    private static void Empty(Contestant server)
    {
        using RespClient client = server.Server.Connect();
        client.Execute("FLUSHALL");
        client.Execute("MEMORY", "PURGE");
    }

    private static void Fill(Contestant server, string command, int keys, int length, Func<int, int, string[]> element)
    {
        using CommandFiller filler = new(server.Server);
        for (int key = 0; key < keys; key++)
        {
            for (int first = 0; first < length; first += ElementsPerCommand)
            {
                filler.Add(
                [
                    command, $"key:{Text(key)}",
                    .. Enumerable.Range(first, Math.Min(ElementsPerCommand, length - first)).SelectMany(i => element(key, i)),
                ]);
            }
        }

        filler.Flush();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
