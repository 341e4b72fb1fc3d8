using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Benchmarks;

/// <summary>The command line of the scenarios, and the two servers they measure.</summary>
internal sealed class BenchmarkOptions
{
    private readonly List<(string Name, string Value)> _own = [];

    /// <summary>What tables call the two servers.</summary>
    public static IReadOnlyList<string> Names { get; } = ["ours", "redis-server"];

    /// <summary>Work less, for a first look.</summary>
    public bool Quick { get; private set; }

    /// <summary>Only tests whose name holds this text.</summary>
    public string Only { get; private set; } = "";

    /// <summary>How many keys the scenarios of persistence work on; 0 for what each has by default.</summary>
    public int Keys { get; private set; }

    /// <summary>The executable to measure.</summary>
    public string OurBinary { get; private set; } = "";

    /// <summary>The executable to compare with.</summary>
    public string ReferenceBinary { get; private set; } = "";

    /// <summary>Whether a test is to be run.</summary>
    public bool Chooses(string name) => name.Contains(Only, StringComparison.OrdinalIgnoreCase);

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
                case "--keys" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int keys) && keys > 0:
                    parsed.Keys = keys;
                    break;
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

        string target = Path.Combine(TestPaths.RepositoryRoot, "artifacts", "benchmarks", "kvserver");
        ToolRun run = await PublishAsync(target);
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"dotnet publish failed:\n{run.All}");
        }

        OurBinary = Path.Combine(target, "kvserver");
    }

    /// <summary>Publishes our server.</summary>
    /// <param name="target">The folder to publish to.</param>
    /// <param name="arguments">More arguments for <c>dotnet publish</c>.</param>
    public static Task<ToolRun> PublishAsync(string target, params string[] arguments)
    {
        string project = Path.Combine(TestPaths.RepositoryRoot, "src", "Server");
        return ToolRun.RunAsync(
            "dotnet", ["publish", project, "-c", "Release", "-o", target, "-v", "quiet", .. arguments], timeoutSeconds: 900);
    }

    /// <summary>Starts our server with options for a measurement.</summary>
    /// <param name="adjust">Changes these options before the start.</param>
    public Task<ServerProcess> StartOursAsync(Action<ServerOptions>? adjust = null)
    {
        ServerOptions options = Measured(OurBinary);
        foreach ((string name, string value) in _own)
        {
            options.WithOwn(name, value);
        }

        adjust?.Invoke(options);
        return ServerProcess.StartAsync(options);
    }

    /// <summary>Starts the reference server with the same options.</summary>
    /// <param name="adjust">Changes these options before the start.</param>
    public Task<ServerProcess> StartReferenceAsync(Action<ServerOptions>? adjust = null)
    {
        ServerOptions options = Measured(ReferenceBinary);
        adjust?.Invoke(options);
        return ServerProcess.StartAsync(options);
    }

    /// <summary>Starts both, ours first.</summary>
    /// <param name="adjust">Changes the options of each before its start.</param>
    public async Task<Contestant[]> StartBothAsync(Action<ServerOptions>? adjust = null) =>
        [await StartAsync(0, adjust), await StartAsync(1, adjust)];

    /// <summary>Starts one.</summary>
    /// <param name="index">0 for ours, 1 for the reference.</param>
    /// <param name="adjust">Changes its options before the start.</param>
    public async Task<Contestant> StartAsync(int index, Action<ServerOptions>? adjust = null) =>
        new(Names[index], index == 0 ? await StartOursAsync(adjust) : await StartReferenceAsync(adjust));

    private static ServerOptions Measured(string binary) =>
        ServerOptions.ForTests(binary).With("maxclients", "20000");
}
