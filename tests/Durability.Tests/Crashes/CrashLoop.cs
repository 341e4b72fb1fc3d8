using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using KvServer.Durability.Tests.Checking;
using KvServer.Durability.Tests.Traffic;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Crashes;

/// <summary>Rounds of start, traffic, a save or rewrite, kill -9, restart and check, all on one folder.</summary>
internal sealed partial class CrashLoop : IAsyncDisposable
{
    private const int ClientCount = 3;
    private const int KillSignal = 9;

    // Every so many rounds of everysec one lasts long enough that something must have been forced to disk.
    private const int LongRoundEvery = 10;
    private static readonly TimeSpan LongRound = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EverySecondMayLose = TimeSpan.FromSeconds(2.1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CrashMode _mode;
    private readonly int _seed;
    private readonly string _folder = TestPaths.CreateTempFolder("crash");
    private readonly WriteGenerator[] _generators;
    private IReadOnlyDictionary<KeyId, ModelValue> _data = new Dictionary<KeyId, ModelValue>();
    private ServerProcess? _server;
    private bool _endedByItself;

    /// <summary>Makes a loop on an empty folder.</summary>
    public CrashLoop(CrashMode mode, int seed)
    {
        _mode = mode;
        _seed = seed;
        _generators = [.. Enumerable.Range(0, ClientCount)
            .Select(i => new WriteGenerator(i, new Random(HashCode.Combine(seed, i)), TimeProvider.System))];
    }

    /// <summary>Rounds in which a kill met a save or rewrite that had not ended.</summary>
    public int KillsDuringSaves { get; private set; }

    /// <summary>Writes sent so far.</summary>
    public long WriteCount { get; private set; }

    /// <summary>Starts the server.</summary>
    public async Task StartAsync() => _server = await ServerProcess.StartAsync(Options());

    /// <summary>Whether the server that was started keeps an append-only file.</summary>
    public bool IsAppendOnly()
    {
        using RespClient client = _server!.Connect();
        return Dataset.Info(client, "aof_enabled") == "1";
    }

    /// <summary>Runs a round; afterwards the server is up again.</summary>
    /// <returns>What is wrong, or null.</returns>
    public async Task<string?> RunRoundAsync(int round)
    {
        Random random = new(Mix(_seed, round));
        bool isLong = _mode == CrashMode.EverySecond && round % LongRoundEvery == LongRoundEvery - 1;
        EventClock events = new();
        using ManualResetEventSlim stop = new();
        TrafficClient[] clients = StartTraffic(random, events, stop, isLong);
        Operator actions = new(_server!.Port, events);
        await Task.Delay(isLong ? LongRound : TimeSpan.FromMilliseconds(random.Next(5, 50)));
        int actionSeed = random.Next();
        Task acting = Task.Run(() => actions.Run(_mode, new Random(actionSeed)));
        if (random.Next(4) == 0)
        {
            await acting;
        }

        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(80) : random.Next(15)));
        long killedAt = Stopwatch.GetTimestamp();
        await KillAsync();
        await acting;
        foreach (TrafficClient client in clients)
        {
            client.Join();
            WriteCount += client.Writes.Count;
        }

        NoteLeftovers();
        string title = $"{_mode}, seed {_seed}, round {round} [{actions.Script}]: ";
        string? fault = actions.Fault ?? Array.Find(clients, client => client.Fault is not null)?.Fault;
        try
        {
            fault ??= await RestartAndCheckAsync(clients, actions, killedAt);
        }
        catch (ServerStartException e)
        {
            fault = e.Message;
        }

        return fault is null ? null : title + fault;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        TestPaths.DeleteFolder(_folder);
    }

    [GeneratedRegex(@"started by pid (?<pid>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ChildPattern { get; }

    private static int Mix(int seed, int round) => unchecked((seed * 31) + (round * 7919));

    private ServerOptions Options()
    {
        ServerOptions options = ServerOptions.ForTests().With("dir", _folder);
        if (_mode != CrashMode.Snapshot)
        {
            options.With("appendonly", "yes")
                .With("appendfsync", _mode == CrashMode.Always ? "always" : "everysec")
                .With("auto-aof-rewrite-percentage", "0");
        }

        return options;
    }

    private TrafficClient[] StartTraffic(Random random, EventClock events, ManualResetEventSlim stop, bool isLong)
    {
        TimeSpan pause = isLong ? TimeSpan.FromMilliseconds(2) : TimeSpan.Zero;
        TrafficClient[] clients = [.. Enumerable.Range(0, ClientCount).Select(i => new TrafficClient(
            i, _server!.Port, DataOf(i), _generators[i], new Random(random.Next()), events, stop, pause))];
        foreach (TrafficClient client in clients)
        {
            client.Start();
        }

        return clients;
    }

    private Dictionary<KeyId, ModelValue> DataOf(int client) => _data
        .Where(pair => pair.Key.Name.StartsWith(WriteGenerator.PrefixOf(client), StringComparison.Ordinal))
        .ToDictionary();

    private async Task KillAsync()
    {
        ServerProcess server = _server!;
        _server = null;
        if (!server.HasExited)
        {
            PosixSignal.Send(server.ProcessId, KillSignal);
        }

        if (!await server.WaitForExitAsync(Patience))
        {
            throw new InvalidOperationException("The server does not end when it is killed.");
        }

        _endedByItself = server.ExitCode == 0;

        // redis-server saves in a child, which would outlive it and put its file in place later. Ours has none.
        if (server.Options.IsReference)
        {
            foreach (Match match in ChildPattern.Matches(server.Log))
            {
                PosixSignal.Send(int.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture), KillSignal);
            }
        }

        await server.DisposeAsync();
    }

    // What a killed save leaves is a file with a temporary name, which nobody reads.
    private void NoteLeftovers()
    {
        string[] leftovers = Directory.GetFiles(_folder, "temp-*", SearchOption.AllDirectories);
        KillsDuringSaves += leftovers.Length > 0 ? 1 : 0;
        foreach (string leftover in leftovers)
        {
            File.Delete(leftover);
        }
    }

    private async Task<string?> RestartAndCheckAsync(TrafficClient[] clients, Operator actions, long killedAt)
    {
        await StartAsync();
        using RespClient client = _server!.Connect();
        Dictionary<KeyId, ModelValue> found = Dataset.Read(client);
        List<ClientHistory> histories = [.. clients.Select(c => new ClientHistory(c.Number, c.Initial, c.Writes))];
        string? fault = DurabilityChecker.FindFault(histories, found, AllowedInstants(clients, actions, killedAt));
        _data = found;
        return fault;
    }

    private List<InstantRange> AllowedInstants(TrafficClient[] clients, Operator actions, long killedAt)
    {
        if (_mode == CrashMode.Snapshot)
        {
            // A shutdown that went through has saved all that was answered.
            return _endedByItself
                ? [new InstantRange(clients.Max(client => client.LastAnswerBefore(long.MaxValue)), EventClock.Never)]
                : CutsOf(actions.Saves);
        }

        long mayLoseTicks = _mode == CrashMode.Always ? 0 : (long)(EverySecondMayLose.TotalSeconds * Stopwatch.Frequency);
        long survives = clients.Max(client => client.LastAnswerBefore(killedAt - mayLoseTicks));
        return [new InstantRange(Math.Min(survives, actions.StoppedAppendingAt ?? survives), EventClock.Never)];
    }

    // The file is that of the last save that is known to have ended, or of a later one.
    private static List<InstantRange> CutsOf(IReadOnlyList<SaveAttempt> saves)
    {
        int lastDone = -1;
        for (int i = 0; i < saves.Count; i++)
        {
            lastDone = saves[i].IsDone ? i : lastDone;
        }

        List<InstantRange> cuts = [.. saves
            .Skip(Math.Max(lastDone, 0))
            .Select(save => new InstantRange(save.SentAt, save.AnsweredAt))];
        if (lastDone < 0)
        {
            cuts.Add(new InstantRange(0, 1)); // The state of the start.
        }

        return cuts;
    }
}
