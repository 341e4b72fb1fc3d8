using System.Diagnostics.CodeAnalysis;
using KvServer.TestSupport;

namespace KvServer.Benchmarks;

/// <summary>The command line of the scenarios, and the two servers they measure.</summary>
internal sealed class BenchmarkOptions
{
    private readonly List<(string Name, string Value)> _own = [];

    /// <summary>Work less, for a first look.</summary>
    public bool Quick { get; private set; }

    /// <summary>Only tests whose name holds this text.</summary>
    public string Only { get; private set; } = "";

    /// <summary>The executable to measure.</summary>
    public string OurBinary { get; private set; } = "";

    /// <summary>The executable to compare with.</summary>
    public string ReferenceBinary { get; private set; } = "";

    /// <summary>Reads the arguments after the scenario's name.</summary>
    public static bool TryParse(string[] args, [NotNullWhen(true)] out BenchmarkOptions? options)
    {
        BenchmarkOptions parsed = new();
        options = null;
        for (int i = 0; i < args.Length; i++)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--quick": parsed.Quick = true; continue;
                case "--only" when value is not null: parsed.Only = value; break;
                case "--binary" when value is not null: parsed.OurBinary = value; break;
                case "--own" when value is not null:
                    string[] words = value.Split(' ', 2);
                    parsed._own.Add((words[0], words.Length > 1 ? words[1] : ""));
                    break;
                default: return false;
            }

            i++;
        }

        options = parsed;
        return true;
    }

    /// <summary>Publishes our server unless an executable was named, and finds the reference.</summary>
    public async Task PrepareAsync()
    {
        ReferenceBinary = ReferenceServer.Binary ?? throw new InvalidOperationException(ReferenceServer.MissingReason);
        if (OurBinary.Length == 0)
        {
            OurBinary = Environment.GetEnvironmentVariable(TestPaths.TestBinaryVariable) ?? "";
        }

        if (OurBinary.Length > 0)
        {
            OurBinary = TestPaths.FindOnPath(OurBinary) ?? Path.GetFullPath(OurBinary);
            return;
        }

        string root = TestPaths.RepositoryRoot;
        string target = Path.Combine(root, "artifacts", "benchmarks", "kvserver");
        string[] publish = ["publish", Path.Combine(root, "src", "Server"), "-c", "Release", "-o", target, "-v", "quiet"];
        ToolRun run = await ToolRun.RunAsync("dotnet", publish, timeoutSeconds: 600);
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"dotnet publish failed:\n{run.All}");
        }

        OurBinary = Path.Combine(target, "kvserver");
    }

    /// <summary>Starts our server with options for a measurement.</summary>
    public Task<ServerProcess> StartOursAsync()
    {
        ServerOptions options = Measured(OurBinary);
        foreach ((string name, string value) in _own)
        {
            options.WithOwn(name, value);
        }

        return ServerProcess.StartAsync(options);
    }

    /// <summary>Starts the reference server with the same options.</summary>
    public Task<ServerProcess> StartReferenceAsync() => ServerProcess.StartAsync(Measured(ReferenceBinary));

    /// <summary>Starts both, ours first.</summary>
    public async Task<Contestant[]> StartBothAsync() =>
        [new("ours", await StartOursAsync()), new("redis-server", await StartReferenceAsync())];

    private static ServerOptions Measured(string binary) =>
        ServerOptions.ForTests(binary).With("maxclients", "20000");
}
