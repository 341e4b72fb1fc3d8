using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What a connection costs that has said PING once and then stays silent.</summary>
internal static class Idle
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        int wanted = options.Quick ? 1_000 : 10_000;
        long limit = FileLimit.Raise(wanted + 1_000);
        int count = (int)Math.Min(wanted, limit - 200);
        Table table = new("server", "connections", "resident before MB", "resident after MB", "bytes per connection");
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                // A first round brings code and pools to where they stay; it is closed again.
                Open(server, 500).ForEach(client => client.Dispose());
                using RespClient observer = server.Server.Connect();
                WaitForClients(observer, 1);
                long before = server.ResidentBytes;
                List<RespClient> clients = Open(server, count);
                long after = server.ResidentBytes;
                WaitForClients(observer, count + 1);
                table.Add(server.Name, count, before / 1e6, after / 1e6, (double)(after - before) / count);
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

    private static void WaitForClients(RespClient observer, int expected)
    {
        long startedAt = Environment.TickCount64;
        long connected;
        do
        {
            connected = InfoFields.Read(observer, "clients").Integer("connected_clients");
        }
        while (connected != expected && Environment.TickCount64 - startedAt < 10_000);
        if (connected != expected)
        {
            throw new InvalidOperationException($"connected_clients is {connected}, expected {expected}.");
        }
    }
}
