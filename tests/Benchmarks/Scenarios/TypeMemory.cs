using System.Globalization;
using KvServer.Benchmarks.Load;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What collections cost: resident growth of the process, each kind in a server of its own.</summary>
internal static class TypeMemory
{
    private const int ElementsPerCommand = 100;

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
                long[] growth = [.. servers.Select(server => Fill(server, command, count, length, element))];
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

    private static long Fill(Contestant server, string command, int keys, int length, Func<int, int, string[]> element)
    {
        long before = server.ResidentBytes;
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
        return server.ResidentBytes - before;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
