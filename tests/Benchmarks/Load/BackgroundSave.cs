using System.Diagnostics;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>A command that has the server write a file in the background, and how to see that it is done.</summary>
/// <param name="Command">BGSAVE or BGREWRITEAOF.</param>
/// <param name="InProgress">The field of INFO that is 0 again afterwards.</param>
/// <param name="LastStatus">The field of INFO that says how it went.</param>
internal sealed record BackgroundSave(string Command, string InProgress, string LastStatus)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    /// <summary>A snapshot.</summary>
    public static BackgroundSave Snapshot { get; } = new("BGSAVE", "rdb_bgsave_in_progress", "rdb_last_bgsave_status");

    /// <summary>A rewrite of the append-only file.</summary>
    public static BackgroundSave Rewrite { get; } = new("BGREWRITEAOF", "aof_rewrite_in_progress", "aof_last_bgrewrite_status");

    /// <summary>Asks as often as during a save for some time, so that what the asking costs is in both figures.</summary>
    public static async Task AskAsync(RespClient client, TimeSpan duration)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < duration)
        {
            InfoFields.Read(client, "persistence");
            await Task.Delay(Period);
        }
    }

    /// <summary>Sends the command and asks until it is done.</summary>
    /// <returns>Milliseconds until its reply came, and seconds from there to the end.</returns>
    /// <remarks>redis-server notices the end of its child ten times a second, so its seconds are up to 0.1 too long.</remarks>
    public async Task<(double ReplyMs, double Seconds)> RunAsync(RespClient client)
    {
        long sentAt = Stopwatch.GetTimestamp();
        RespValue reply = client.Execute(Command);
        double replyMs = Stopwatch.GetElapsedTime(sentAt).TotalMilliseconds;
        if (!reply.AsString.EndsWith("started", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{Command} did not start: {reply.AsString}");
        }

        long startedAt = Stopwatch.GetTimestamp();
        InfoFields info = InfoFields.Read(client, "persistence");
        while (info.Integer(InProgress) != 0)
        {
            if (Stopwatch.GetElapsedTime(startedAt) > Longest)
            {
                throw new TimeoutException($"{Command} did not end in {Longest}.");
            }

            await Task.Delay(Period);
            info = InfoFields.Read(client, "persistence");
        }

        double seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        return info.Text(LastStatus) == "ok" ? (replyMs, seconds) : throw new InvalidOperationException($"{Command} failed.");
    }
}
