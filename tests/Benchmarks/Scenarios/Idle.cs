using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What a connection costs that has said PING once and then stays silent, or waits for a list.</summary>
internal static class Idle
{
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        int wanted = options.Quick ? 1_000 : 10_000;
        long limit = FileLimit.Raise(wanted + 1_000);
        int count = (int)Math.Min(wanted, limit - 200);
        Table table = new(
            "server", "connections", "they", "resident before MB", "resident after MB", "bytes per connection", "CPU ms per second");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                // A first round brings code and pools to where they stay; it is closed again.
                Open(server, 500).ForEach(client => client.Dispose());
                using RespClient observer = server.Server.Connect();
                WaitForClients(observer, "connected_clients", 1);
                long before = server.ResidentBytes;
                List<RespClient> clients = Open(server, count);
                WaitForClients(observer, "connected_clients", count + 1);
                await AddAsync("are silent");
                for (int i = 0; i < count; i++)
                {
                    clients[i].Send("BLPOP", $"nosuch:{i}", "0");
                }

                WaitForClients(observer, "blocked_clients", count);
                await AddAsync("wait for a list");

                async Task AddAsync(string state)
                {
                    long after = server.ResidentBytes;
                    TimeSpan cpu = server.WholeCpuTime;
                    await Task.Delay(Watched);
                    cpu = server.WholeCpuTime - cpu;
                    table.Add(
                        server.Name, count, state, before / 1e6, after / 1e6, (double)(after - before) / count,
                        cpu.TotalMilliseconds / Watched.TotalSeconds);
                }

                clients.ForEach(client => client.Dispose());
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        table.Print("Idle connections");
    }

    private static List<RespClient> Open(Contestant server, int count)
    {
        List<RespClient> clients = [];
        for (int i = 0; i < count; i++)
        {
            RespClient client = new(server.Server.Port, bufferBytes: 64);
            client.Execute("PING");
            clients.Add(client);
        }

        return clients;
    }

    private static void WaitForClients(RespClient observer, string field, int expected)
    {
        long startedAt = Environment.TickCount64;
        long connected;
        do
        {
            connected = InfoFields.Read(observer, "clients").Integer(field);
        }
        while (connected != expected && Environment.TickCount64 - startedAt < 10_000);
        if (connected != expected)
        {
            throw new InvalidOperationException($"{field} is {connected}, expected {expected}.");
        }
    }
}
