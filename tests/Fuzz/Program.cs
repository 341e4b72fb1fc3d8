using System.Globalization;
using KvServer.Fuzz;

// dotnet run -c Release --project tests/Fuzz -- requests|rdb|aof|hll [--seconds 20] [--seed N]
if (args.Length == 0 || args[0] is not ("requests" or "rdb" or "aof" or "hll"))
{
    Console.Error.WriteLine("usage: requests|rdb|aof|hll [--seconds N] [--seed N]");
    return 2;
}

int seconds = Option("--seconds", 20);
int seed = Option("--seed", Environment.TickCount);
Console.WriteLine($"fuzzing {args[0]} for {seconds} s, seed {seed}");
try
{
    long count = Run(args[0], TimeSpan.FromSeconds(seconds));
    Console.WriteLine($"{count} inputs, no finding");
    return 0;
}
catch (FuzzFailureException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

long Run(string target, TimeSpan duration)
{
    if (target == "requests")
    {
        return new RequestFuzz(RequestFuzz.StoredSeeds(), seed).Run(duration);
    }

    if (target == "aof")
    {
        return AofFuzz.FromStoredSeeds(seed).Run(duration);
    }

    if (target == "hll")
    {
        return new HyperLogLogFuzz(HyperLogLogFuzz.StoredSeeds(), seed).Run(duration);
    }

    using RdbFuzz fuzz = new(RdbFuzz.StoredSeeds(), seed);
    return fuzz.Run(duration);
}

int Option(string name, int fallback)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length
        && int.TryParse(args[at + 1], CultureInfo.InvariantCulture, out int value) ? value : fallback;
}
