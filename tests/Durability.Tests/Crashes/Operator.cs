using System.Diagnostics;
using System.Net.Sockets;
using KvServer.Durability.Tests.Checking;
using KvServer.Durability.Tests.Traffic;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Crashes;

/// <summary>Asks for saves and rewrites while clients write, and notes what must hold afterwards.</summary>
internal sealed class Operator(int port, EventClock events)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly string[][] SnapshotScripts =
    [
        [],
        ["BGSAVE"], ["BGSAVE"], ["BGSAVE"],
        ["SAVE"],
        ["BGSAVE", "#saved", "BGSAVE"],
        ["SAVE", "BGSAVE", "#saved", "BGSAVE"],
        ["SHUTDOWN SAVE"], ["BGSAVE", "SHUTDOWN SAVE"],
    ];

    private static readonly string[][] AppendOnlyScripts =
    [
        [],
        ["BGREWRITEAOF"], ["BGREWRITEAOF"], ["BGREWRITEAOF"],
        ["BGREWRITEAOF", "#rewritten", "BGREWRITEAOF"],
        ["BGSAVE"],
        ["BGSAVE", "BGREWRITEAOF"],
        ["SAVE", "BGREWRITEAOF"],
        ["CONFIG SET appendonly no"],
        ["CONFIG SET appendonly no", "CONFIG SET appendonly yes"],
        ["CONFIG SET appendonly no", "CONFIG SET appendonly yes", "#rewritten", "BGREWRITEAOF"],
    ];

    private readonly List<SaveAttempt> _saves = [];

    /// <summary>What was asked for, in order.</summary>
    public string Script { get; private set; } = "";

    /// <summary>The saves in order.</summary>
    public IReadOnlyList<SaveAttempt> Saves => _saves;

    /// <summary>The event since which the append-only file may be behind, because it was switched off; or null.</summary>
    public long? StoppedAppendingAt { get; private set; }

    /// <summary>An answer that should not have come; null if there was none.</summary>
    public string? Fault { get; private set; }

    /// <summary>Runs one of the scripts of a mode until its end, or until the server is gone.</summary>
    public void Run(CrashMode mode, Random random)
    {
        string[][] scripts = mode == CrashMode.Snapshot ? SnapshotScripts : AppendOnlyScripts;
        string[] script = scripts[random.Next(scripts.Length)];
        Script = string.Join(", ", script);
        try
        {
            using RespClient client = new(port);
            foreach (string step in script)
            {
                RunStep(client, step);
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // The server was killed.
        }
    }

    private void RunStep(RespClient client, string step)
    {
        switch (step)
        {
            case "SAVE" or "BGSAVE":
                Save(client, step);
                break;
            case "SHUTDOWN SAVE":
                _saves.Add(new SaveAttempt { SentAt = events.Next() });
                Fault = $"{step} was answered with {client.ExecuteLine(step)}"; // Unless the connection ends instead.
                break;
            case "#saved":
                WaitFor(client, "rdb_bgsave_in_progress", "0");
                Expect(client, "rdb_last_bgsave_status", "ok");
                _saves[^1].IsDone = Fault is null;
                break;
            case "#rewritten":
                WaitFor(client, "aof_rewrite_in_progress", "0");
                WaitFor(client, "aof_rewrite_scheduled", "0");
                WaitFor(client, "aof_rewrite_in_progress", "0"); // The one that was scheduled.
                Expect(client, "aof_last_bgrewrite_status", "ok");
                StoppedAppendingAt = null;
                break;
            default:
                if (step == "CONFIG SET appendonly no")
                {
                    StoppedAppendingAt = events.Next();
                }

                RespValue reply = client.ExecuteLine(step);
                if (reply.IsError && !reply.AsString.Contains("already in progress", StringComparison.Ordinal))
                {
                    Fault = $"{step} was answered with {reply}";
                }

                break;
        }
    }

    private void Save(RespClient client, string command)
    {
        SaveAttempt attempt = new() { SentAt = events.Next() };
        _saves.Add(attempt);
        RespValue reply = client.Execute(command);
        attempt.AnsweredAt = events.Next();
        attempt.IsDone = command == "SAVE" && !reply.IsError;
        if (reply.IsError)
        {
            Fault = $"{command} was answered with {reply}";
        }
    }

    private void WaitFor(RespClient client, string field, string value)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (Dataset.Info(client, field) != value && Fault is null)
        {
            if (Stopwatch.GetElapsedTime(startedAt) > Patience)
            {
                Fault = $"{field} does not become {value}";
            }
        }
    }

    private void Expect(RespClient client, string field, string value)
    {
        string? actual = Dataset.Info(client, field);
        if (actual != value)
        {
            Fault = $"{field} is {actual}";
        }
    }
}
