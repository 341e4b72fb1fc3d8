using System.Globalization;
using KvServer.Fuzz;

// dotnet run -c Release --project tests/Fuzz -- requests [--seconds 20] [--seed N]
if (args.Length == 0 || args[0] != "requests")
{
    Console.Error.WriteLine("usage: requests [--seconds N] [--seed N]");
    return 2;
}

int seconds = Option("--seconds", 20);
int seed = Option("--seed", Environment.TickCount);
Console.WriteLine($"fuzzing the request reader for {seconds} s, seed {seed}");
try
{
    long count = new RequestFuzz(RequestFuzz.StoredSeeds(), seed).Run(TimeSpan.FromSeconds(seconds));
    Console.WriteLine($"{count} inputs, no finding");
    return 0;
}
catch (FuzzFailureException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

int Option(string name, int fallback)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length
        && int.TryParse(args[at + 1], CultureInfo.InvariantCulture, out int value) ? value : fallback;
}
