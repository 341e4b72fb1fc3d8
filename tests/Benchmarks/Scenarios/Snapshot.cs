using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What 50 connections notice of a BGSAVE, also when a large set changes while it is saved.</summary>
internal static class Snapshot
{
    private const int Connections = 50;
    private const int SetPercent = 10;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Machine.RequireDisk();
        int keys = PersistentData.Keys(options);
        int members = keys / 5;
        Contestant[] servers = await options.StartBothAsync();
        try
        {
            foreach (Contestant server in servers)
            {
                PersistentData.FillKeys(server.Server, keys);
            }

            SaveUnderLoad measurement = new(options, servers, BackgroundSave.Snapshot);
            if (options.Chooses("keys"))
            {
                await measurement.RunAsync($"{keys:#,0} keys, {Connections} connections", () => Clients(keys, Connections));
            }

            if (!options.Chooses("set"))
            {
                return;
            }

            foreach (Contestant server in servers)
            {
                using RespClient client = server.Server.Connect();
                SetRequests.Fill(client, "large-set", members);
            }

            await measurement.RunAsync(
                $"{keys:#,0} keys and a set of {members:#,0} members that one of {Connections} connections changes",
                () => Clients(keys, Connections - 1).Append(new SetRequests("large-set", members, seed: Connections)));
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }
    }

    private static IEnumerable<IRequestSource> Clients(int keys, int count) =>
        Enumerable.Range(0, count).Select(seed => new KeyRequests(keys, SetPercent, seed));
}
