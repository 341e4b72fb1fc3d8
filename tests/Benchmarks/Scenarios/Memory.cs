using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What a key costs: resident growth of the process over the number of keys.</summary>
internal static class Memory
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        int keys = options.Quick ? 500_000 : 5_000_000;
        Table table = new("server", "keys", "resident before MB", "resident after MB", "bytes per key",
            "used_memory per key", "bytes per key while the table moved");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                using RespClient client = server.Server.Connect();
                long before = server.ResidentBytes;
                long usedBefore = Used(client);
                using (KeyFiller filler = new(server.Server.Port, "key:", digits: 7, valueBytes: 64, batch: 128))
                {
                    filler.Fill(0, keys);
                }

                if (client.Execute("DBSIZE").AsInteger != keys)
                {
                    throw new InvalidOperationException($"{server.Name} does not hold {keys} keys.");
                }

                long moving = server.ResidentBytes;
                await WaitForRehashAsync(client);
                long after = server.ResidentBytes;
                table.Add(
                    server.Name, keys, before / 1e6, after / 1e6, (double)(after - before) / keys,
                    (double)(Used(client) - usedBefore) / keys, (double)(moving - before) / keys);
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        table.Print("Keys of 11 bytes with values of 64 bytes");
    }

    // Both servers go on moving the table in the background; the figure is that of a keyspace at rest.
    private static async Task WaitForRehashAsync(RespClient client)
    {
        for (int tries = 0; tries < 90; tries++)
        {
            if (!client.Execute("DEBUG", "HTSTATS", "0").AsString!.Contains("rehashing target", StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        throw new TimeoutException("The rehash did not end in 90 s.");
    }

    private static long Used(RespClient client) => InfoFields.Read(client, "memory").Integer("used_memory");
}
