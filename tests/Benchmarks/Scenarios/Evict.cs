using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>Both servers at their memory limit: what a cache hits, what requests cost, and what is resident while the sizes
/// of values change.</summary>
internal static class Evict
{
    private const long Mb = 1024 * 1024;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        if (options.Chooses("hits"))
        {
            await RunHitsAsync(options);
        }

        if (options.Chooses("cpu"))
        {
            await RunCpuAsync(options);
        }

        if (options.Chooses("churn"))
        {
            await RunChurnAsync(options);
        }

        if (options.Chooses("tables"))
        {
            await RunCollectionsAsync(options, 256 * Mb, "hashes, sets and sorted sets", "HSET", "SADD", "ZADD");
        }

        if (options.Chooses("lists"))
        {
            await RunCollectionsAsync(options, 256 * Mb, "lists", "RPUSH");
        }

        if (options.Chooses("streams"))
        {
            await RunCollectionsAsync(options, 256 * Mb, "streams", "XADD");
        }

        if (options.Chooses("mixed"))
        {
            await RunCollectionsAsync(options, 1024 * Mb, "collections of all types", "HSET", "SADD", "ZADD", "RPUSH", "XADD");
        }
    }

    private static async Task RunHitsAsync(BenchmarkOptions options)
    {
        int keys = options.Quick ? 200_000 : 1_000_000;
        int requests = keys * 3;
        Table table = new("policy", "samples", "keys held, ours", "redis-server", "hit ratio, ours", "redis-server");
        foreach (string policy in new[] { "allkeys-lru", "allkeys-lfu" })
        {
            foreach (int samples in new[] { 5, 10 })
            {
                Contestant[] servers = await options.StartBothAsync();
                try
                {
                    List<(double Ratio, long Held)> results = [];
                    foreach (Contestant server in servers)
                    {
                        using RespClient control = server.Server.Connect();
                        using CacheLoad load = new(server.Server.Port, keys, skew: 0.99, valueBytes: 100, seed: 1);

                        // A fifth of all keys, as each server keeps them: this compares choices, not layouts.
                        long before = Used(control);
                        using (KeyFiller filler = new(server.Server.Port, "item:", digits: 8, valueBytes: 100, batch: 128))
                        {
                            filler.Fill(90_000_000, keys / 5);
                        }

                        long limit = Used(control);
                        control.Execute("FLUSHALL");
                        Configure(control, limit + ((limit - before) / 50), policy, samples);
                        load.Run(requests / 2);
                        load.ResetCounts();
                        load.Run(requests);
                        results.Add(((double)load.Counts.Hit / load.Counts.Asked, control.Execute("DBSIZE").AsInteger));
                    }

                    table.Add(policy, samples, results[0].Held, results[1].Held, Percent(results[0].Ratio), Percent(results[1].Ratio));
                }
                finally
                {
                    await Contestant.StopAsync(servers);
                }
            }
        }

        table.Print("A cache of a fifth of the keys, Zipf 0.99");
    }

    private static async Task RunCpuAsync(BenchmarkOptions options)
    {
        int keys = options.Quick ? 300_000 : 1_000_000;
        CommandComparison comparison = new("test", options, keys * 4);
        Table evictions = new("server", "keys");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                using RespClient control = server.Server.Connect();
                using KeyFiller filler = new(server.Server.Port, "key:", digits: 12, valueBytes: 64, batch: 128);
                filler.Fill(0, keys);
                Configure(control, Used(control), "allkeys-lru", 5);
                await BenchmarkRun.RunAsync(server.Server, keys, 16, keys * 4, ["SET", "key:__rand_int__", new string('v', 64)]);
                await BenchmarkRun.RunAsync(server.Server, keys, 16, keys * 4, ["GET", "key:__rand_int__"]);
            }

            long[] before = [.. servers.Select(Evicted)];
            await comparison.AddAsync(servers, "SET", ["SET", "key:__rand_int__", new string('v', 64)], 16, keys);
            long[] evicted = [.. servers.Select((server, i) => Evicted(server) - before[i])];
            for (int i = 0; i < servers.Length; i++)
            {
                evictions.Add(servers[i].Name, evicted[i]);
                if (evicted[i] == 0)
                {
                    throw new InvalidOperationException($"{servers[i].Name} was not at its limit: nothing was evicted.");
                }
            }

            await comparison.AddAsync(servers, "GET", ["GET", "key:__rand_int__"], 16, keys);
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        comparison.Print("at the memory limit, allkeys-lru");
        evictions.Print("Keys evicted during all rounds of SET");
    }

    private static async Task RunChurnAsync(BenchmarkOptions options)
    {
        long limit = (options.Quick ? 256 : 1024) * Mb;
        Table table = new("server", "value bytes", "keys", "resident MB", "most, over the limit", "CPU us/request");
        foreach (int index in new[] { 0, 1 })
        {
            await using Contestant server = await options.StartAsync(index);
            using RespClient control = server.Server.Connect();
            Configure(control, limit, "allkeys-lru", 5);
            int generation = 0;
            foreach (int bytes in new[] { 32, 400, 9000, 2000, 100_000, 32, 25_000, 1000, 100 })
            {
                // Enough to replace everything once, and then half of it.
                int sets = (int)(limit * 3 / 2 / (bytes + 100));
                long most = 0;
                TimeSpan cpu = server.WholeCpuTime;
                using KeyFiller filler = new(server.Server.Port, "key:", digits: 10, valueBytes: bytes, batch: 128);
                for (int done = 0; done < sets; done += sets / 50)
                {
                    // Numbers that come back in the next generation but one: some keys change their size.
                    filler.Fill((generation % 2 * 10_000_000L) + done, sets / 50);
                    most = Math.Max(most, server.ResidentBytes);
                }

                generation++;
                table.Add(
                    server.Name, bytes, control.Execute("DBSIZE").AsInteger, server.ResidentBytes / 1e6,
                    (double)most / limit, (server.WholeCpuTime - cpu).TotalMicroseconds / sets);
            }
        }

        table.Print(string.Create(CultureInfo.InvariantCulture, $"Sizes that change under a limit of {limit / Mb} MB, allkeys-lru"));
    }

    private static async Task RunCollectionsAsync(BenchmarkOptions options, long wholeLimit, string name, params string[] commands)
    {
        long limit = options.Quick ? wholeLimit / 2 : wholeLimit;
        Table table = new(
            "server", "element bytes", "keys", "held, over the limit", "resident", "most so far", "CPU us/touch of 40 elements");
        foreach (int index in new[] { 0, 1 })
        {
            await using Contestant server = await options.StartAsync(index);
            using RespClient control = server.Server.Connect();
            Configure(control, limit, "allkeys-lru", 5);
            using CollectionChurn churn = new(server.Server.Port, (int)(limit / Mb) * 12, commands);
            long most = 0;
            foreach (int bytes in new[] { 24, 150, 60, 400, 40, 220, 90, 500 })
            {
                TimeSpan cpu = server.WholeCpuTime;
                long touches = churn.Write(limit * 3 / 2, bytes, () => most = Math.Max(most, server.ResidentBytes));
                table.Add(
                    server.Name, bytes, control.Execute("DBSIZE").AsInteger, (double)Used(control) / limit,
                    (double)server.ResidentBytes / limit, (double)most / limit,
                    (server.WholeCpuTime - cpu).TotalMicroseconds / touches);
            }
        }

        table.Print(string.Create(
            CultureInfo.InvariantCulture, $"Elements of {name} that change their sizes under a limit of {limit / Mb} MB, allkeys-lru"));
    }

    private static long Evicted(Contestant server)
    {
        using RespClient control = server.Server.Connect();
        return InfoFields.Read(control, "stats").Integer("evicted_keys");
    }

    private static void Configure(RespClient client, long limit, string policy, int samples)
    {
        client.Execute("CONFIG", "SET", "maxmemory-policy", policy);
        client.Execute("CONFIG", "SET", "maxmemory-samples", samples.ToString(CultureInfo.InvariantCulture));
        client.Execute("CONFIG", "SET", "maxmemory", limit.ToString(CultureInfo.InvariantCulture));
    }

    private static long Used(RespClient client) => InfoFields.Read(client, "memory").Integer("used_memory");

    private static string Percent(double ratio) => (ratio * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %";
}
