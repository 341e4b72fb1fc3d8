using BenchmarkDotNet.Running;
using KvServer.Benchmarks.Scenarios;

namespace KvServer.Benchmarks;

/// <summary>Chooses what to measure by the first argument.</summary>
internal static class BenchmarkProgram
{
    private static readonly (string Name, string Help, Func<BenchmarkOptions, Task> Run)[] Scenarios =
    [
        ("compare", "GET SET SADD SISMEMBER with redis-benchmark: throughput, latency, CPU per request", Compare.RunAsync),
        ("types", "commands of lists, hashes, sorted sets, streams and sets at -P 16, LRANGE of 100 to 600", DataTypes.RunAsync),
        ("typememory", "resident bytes of a million small collections of each type, and of a large one", TypeMemory.RunAsync),
        ("large", "what 50 connections notice of a million elements made, read and deleted", LargeCollections.RunAsync),
        ("pubsub", "PUBLISH to 1, 100 and 5,000 subscribers: CPU per delivery, latency", Publishing.RunAsync),
        ("multi", "MULTI, ten SETs and EXEC at -P 1: CPU per transaction", Transactions.RunAsync),
        ("memory", "resident bytes per key, 5M keys of 11 bytes with 64-byte values", Memory.RunAsync),
        ("largeget", "CPU per random GET at -P 32 over 5M keys", LargeGet.RunAsync),
        ("growth", "latency while one keyspace grows from 0 to 20M keys; writes docs/growth.svg (artifacts/ with --quick)", Growth.RunAsync),
        ("evict", "at the memory limit: hit ratio on a Zipf load, CPU per SET and GET, resident bytes while sizes change", Evict.RunAsync),
        ("observing", "latency tracking, slow log and key statistics on and off: CPU per SET and GET", Observing.RunAsync),
        ("secured", "a user with 50 rules against none (acl); SET and GET over TLS (tls)", Secured.RunAsync),
        ("attacks", "latency of ten clients and memory while others send huge lengths, single bytes, half handshakes", Attacks.RunAsync),
        ("startup", "from the start of the process to the first reply", Startup.RunAsync),
        ("builds", "JIT, ReadyToRun and native AOT: size, start, memory, CPU per request", Builds.RunAsync),
        ("fairness", "p99 of 50 connections with and without one that streams a pipeline", Fairness.RunAsync),
        ("idle", "resident bytes and CPU time of 10,000 idle and 10,000 blocked connections", Idle.RunAsync),
        ("gc", "managed bytes and collections during 10M commands", Collections.RunAsync),
        ("snapshot", "latency, CPU and memory of 50 connections without a save and during BGSAVE, 5M keys", Snapshot.RunAsync),
        ("saveload", "SAVE, start with a file and DEBUG RELOAD, 5M keys and some sets; each loads both files", SaveLoad.RunAsync),
        ("aof", "SET without an append-only file, with everysec, no fsync and always; SET during BGREWRITEAOF, 5M keys", AppendOnly.RunAsync),
    ];

    /// <summary>Runs one scenario, all of them, or BenchmarkDotNet.</summary>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        string name = args.FirstOrDefault() ?? "help";
        if (name == "bdn")
        {
            BenchmarkSwitcher.FromAssembly(typeof(BenchmarkProgram).Assembly).Run(args[1..]);
            return 0;
        }

        if (name == LargeCollections.Worker)
        {
            LargeCollections.Work(args[1..]);
            return 0;
        }

        List<Func<BenchmarkOptions, Task>> chosen =
            [.. Scenarios.Where(scenario => name == "all" || scenario.Name == name).Select(scenario => scenario.Run)];
        if (chosen.Count == 0 || !BenchmarkOptions.TryParse(args[1..], out BenchmarkOptions? options))
        {
            PrintHelp();
            return name == "help" ? 0 : 1;
        }

        await options.PrepareAsync();
        Console.WriteLine(Machine.Describe(options));
        foreach (Func<BenchmarkOptions, Task> run in chosen)
        {
            await run(options);
        }

        return 0;
    }

    private static void PrintHelp()
    {
        Console.WriteLine("dotnet run -c Release --project tests/Benchmarks -- SCENARIO [options]");
        foreach ((string name, string help, _) in Scenarios)
        {
            Console.WriteLine($"  {name,-10} {help}");
        }

        Console.WriteLine("  all        every scenario above");
        Console.WriteLine("  bdn ...    BenchmarkDotNet with its own arguments, e.g. bdn --filter '*'");
        Console.WriteLine("Options: --quick (a tenth of the work), --only TEXT (tests whose name holds it),");
        Console.WriteLine("  --keys N (for snapshot, saveload and aof),");
        Console.WriteLine("  --binary PATH (the server to measure instead of a fresh publish), --own \"OPTION VALUE\" (for our server)");
    }
}
