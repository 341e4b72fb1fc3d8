using System.Diagnostics;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>How long it takes to save everything and to load it, each server with its own file and the other's.</summary>
/// <remarks>Files are read from the system's cache: they have just been written.</remarks>
internal static class SaveLoad
{
    private const int PatienceMs = 600_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Machine.RequireDisk();
        int keys = PersistentData.Keys(options);
        int rounds = options.Quick ? 2 : 5;
        string[] folders = [TestPaths.CreateTempFolder("saveload"), TestPaths.CreateTempFolder("saveload")];
        try
        {
            long count = await SaveAsync(options, folders, keys, rounds);
            await LoadAsync(options, folders, count, rounds);
        }
        finally
        {
            Array.ForEach(folders, TestPaths.DeleteFolder);
        }
    }

    private static async Task<long> SaveAsync(BenchmarkOptions options, string[] folders, int keys, int rounds)
    {
        List<(double Seconds, double CpuSeconds)>[] results;
        long count = 0;
        List<Contestant> servers = [];
        try
        {
            for (int i = 0; i < folders.Length; i++)
            {
                servers.Add(await StartAsync(options, i, folders[i]));
                PersistentData.FillKeys(servers[i].Server, keys);
                PersistentData.FillSets(servers[i].Server, keys);
                using RespClient client = servers[i].Server.Connect();
                count = client.Execute("DBSIZE").AsInteger;
            }

            results = await AlternatingRounds.RunAsync(rounds, i => Task.FromResult(Time(servers[i], "SAVE")));
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        Table table = new("server", "keys", "file MB", "SAVE s", "MB/s", "keys/s", "CPU s");
        for (int i = 0; i < results.Length; i++)
        {
            double megabytes = FileBytes(folders[i]) / 1e6;
            double seconds = Statistics.Median(results[i].Select(result => result.Seconds));
            table.Add(
                BenchmarkOptions.Names[i], count, megabytes, seconds, megabytes / seconds, count / seconds,
                Statistics.Median(results[i].Select(result => result.CpuSeconds)));
        }

        table.Print("SAVE, values of 64 bytes that do not compress and some sets; medians of interleaved rounds");
        return count;
    }

    private static async Task LoadAsync(BenchmarkOptions options, string[] folders, long count, int rounds)
    {
        Table table = new("file of", "loaded by", "start s", "MB/s", "keys/s", "CPU s of the start", "DEBUG RELOAD s", "CPU s of it");
        for (int file = 0; file < folders.Length; file++)
        {
            string folder = folders[file];
            List<(double Start, double StartCpu, double Reload, double ReloadCpu)>[] results =
                await AlternatingRounds.RunAsync(rounds, i => LoadOnceAsync(options, i, folder, count));
            double megabytes = FileBytes(folder) / 1e6;
            for (int i = 0; i < results.Length; i++)
            {
                double start = Statistics.Median(results[i].Select(result => result.Start));
                table.Add(
                    BenchmarkOptions.Names[file], BenchmarkOptions.Names[i], start, megabytes / start, count / start,
                    Statistics.Median(results[i].Select(result => result.StartCpu)),
                    Statistics.Median(results[i].Select(result => result.Reload)),
                    Statistics.Median(results[i].Select(result => result.ReloadCpu)));
            }
        }

        table.Print("From the start of the process to the first PONG with all keys there, and DEBUG RELOAD NOSAVE after it");
    }

    private static async Task<(double Start, double StartCpu, double Reload, double ReloadCpu)> LoadOnceAsync(
        BenchmarkOptions options, int index, string folder, long count)
    {
        await using Contestant server = await StartAsync(options, index, folder);
        double startCpu = server.WholeCpuTime.TotalSeconds;
        using RespClient client = server.Server.Connect();
        RespValue pong = client.Execute("PING");
        if (pong.AsString != "PONG" || client.Execute("DBSIZE").AsInteger != count)
        {
            throw new InvalidOperationException($"{server.Name} was ready without its {count} keys: {pong.AsString}");
        }

        (double reload, double reloadCpu) = Time(server, "DEBUG", "RELOAD", "NOSAVE");
        return (server.Server.StartDuration.TotalSeconds, startCpu, reload, reloadCpu);
    }

    private static Task<Contestant> StartAsync(BenchmarkOptions options, int index, string folder) =>
        options.StartAsync(index, server =>
        {
            server.With("dir", folder);
            server.StartTimeout = TimeSpan.FromMilliseconds(PatienceMs);
        });

    private static (double Seconds, double CpuSeconds) Time(Contestant server, params string[] command)
    {
        using RespClient client = new(server.Server.Port, PatienceMs);
        TimeSpan cpu = server.WholeCpuTime;
        long sentAt = Stopwatch.GetTimestamp();
        RespValue reply = client.Execute(command);
        double seconds = Stopwatch.GetElapsedTime(sentAt).TotalSeconds;
        return reply.AsString == "OK"
            ? (seconds, (server.WholeCpuTime - cpu).TotalSeconds)
            : throw new InvalidOperationException($"{server.Name} answered {string.Join(' ', command)}: {reply.AsString}");
    }

    private static long FileBytes(string folder) => new FileInfo(Path.Combine(folder, "dump.rdb")).Length;
}
