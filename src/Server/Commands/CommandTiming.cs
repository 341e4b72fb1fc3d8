using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Config;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>Times calls, for INFO commandstats, LATENCY HISTOGRAM, the slow log and the latency monitor.</summary>
/// <remarks>
/// <para>Reading the clock takes some 25 ns, a twentieth of what a GET in a pipeline costs, so it is not read for each
/// call. Short calls of one brief command that follow each other in a batch are one run: the clock is read where it ends,
/// and one comparison tells that none of its calls was slow. The sum of a run is exact; each call counts with the
/// mean.</para>
/// <para>A call that may take long for what it is given is never part of a longer run: commands that are not
/// <see cref="Command.IsBrief"/>, many arguments, and a long reply ends its run. What remains is slow for reasons outside
/// of it (a page fault, another process). If a run of several calls does reach a limit, its last call is noted with the
/// time of the run, and for ten seconds every call is timed by itself. So it is as long as a limit below a millisecond is
/// asked for.</para>
/// <para>Command loop only.</para>
/// </remarks>
internal sealed class CommandTiming
{
    private const int MaxRunArguments = 8;
    private const long MaxRunReplyBytes = 16 * 1024;
    private const long SingleBelowMicros = 1000;
    private const long SingleForMs = 10_000;
    private const long NanosPerMs = 1_000_000;
    private const long NanosPerSecond = 1_000_000_000;

    private readonly ServerState _server;
    private readonly TimeProvider _clock;
    private readonly long _nanosPerTick;
    private long _limitNanos = long.MaxValue;
    private long _singleUntilMs;

    public CommandTiming(ServerState server)
    {
        _server = server;
        _clock = server.Clock;
        _nanosPerTick = Math.Max(1, NanosPerSecond / _clock.TimestampFrequency);
    }

    /// <summary>A timestamp of the clock.</summary>
    public long Now => _clock.GetTimestamp();

    /// <summary>The time since a timestamp of the clock, in ns.</summary>
    public long NanosSince(long timestamp) => (Now - timestamp) * _nanosPerTick;

    /// <summary>Calls with more arguments are timed by themselves; 0 for all calls.</summary>
    public int RunArguments { get; private set; } = MaxRunArguments;

    /// <summary>Looks at the options. Called for each batch, and after commands that may have changed them.</summary>
    public void Refresh()
    {
        ServerConfig config = _server.Config;
        long slow = config.SlowlogLogSlowerThanMicros;
        long monitored = config.LatencyMonitorThresholdMs;
        long limitMicros = Math.Min(
            slow < 0 ? long.MaxValue : slow,
            monitored is 0 or > long.MaxValue / 1000 ? long.MaxValue : monitored * 1000);
        _limitNanos = limitMicros > long.MaxValue / 1000 ? long.MaxValue : limitMicros * 1000;
        RunArguments = limitMicros < SingleBelowMicros || _server.Keyspace.NowMs < _singleUntilMs ? 0 : MaxRunArguments;
    }

    /// <summary>Whether a call that has run ends its run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool EndsRun(Command command, int argumentCount, long replyBytes) =>
        argumentCount > RunArguments || replyBytes > MaxRunReplyBytes || !command.IsBrief;

    /// <summary>Ends a run, if it has any calls: books its time and notes it if it was slow. The next one begins where this
    /// one ends, so that one reading of the clock serves both.</summary>
    /// <param name="run">Is empty afterwards.</param>
    /// <param name="client">Who called.</param>
    /// <param name="batch">The requests that were called.</param>
    public void End(ref CallRun run, Client client, RequestBatch batch)
    {
        if (run.Calls > 0)
        {
            long now = Now;
            long nanos = (now - run.StartedAt) * _nanosPerTick;
            run.StartedAt = now;
            run.Command!.Calls += run.Calls;
            AddTime(run.Command, nanos);
            if (!run.Command.IsBrief)
            {
                Refresh(); // CONFIG SET may have changed the limit, for itself too.
            }

            if (client.Is(ClientFlags.Suspended) && client.Wait is KeyWait wait)
            {
                wait.ElapsedNanos = nanos; // The call goes on when its key is there.
            }
            else
            {
                Note(run.Command, run.Calls, nanos, client, batch, run.LastIndex);
            }
        }

        run.Command = null;
        run.Calls = 0;
    }

    /// <summary>Books the end of a call that waited for a key: its time is that of both parts, without the wait.</summary>
    /// <param name="wait">The call.</param>
    /// <param name="startedAt">When its second part began.</param>
    public void EndWait(KeyWait wait, long startedAt)
    {
        long nanos = NanosSince(startedAt);
        AddTime(wait.Command, nanos);
        long bothNanos = wait.ElapsedNanos + nanos;
        Track(wait.Command, calls: 1, bothNanos);
        if (bothNanos >= _limitNanos)
        {
            AddToSlowLog(wait.Command, bothNanos, wait.Client, wait.Batch.ArgumentsOf(wait.RequestIndex));
            _server.Latency.AddIfSlow("command-unblocking", nanos / NanosPerMs);
        }
    }

    /// <summary>Books time that a call took, without counting the call.</summary>
    public void AddTime(Command command, long nanos)
    {
        command.ElapsedNanos += nanos;
        if (!command.Is(CommandFlags.RunsQueue))
        {
            _server.Statistics.Loop.AddCommands(nanos); // The queued calls have been added each.
        }
    }

    private void Note(Command command, int calls, long nanos, Client client, RequestBatch batch, int lastIndex)
    {
        Track(command, calls, nanos);
        if (nanos >= _limitNanos)
        {
            NoteSlow(command, calls, nanos, client, batch.ArgumentsOf(lastIndex));
        }
    }

    private void Track(Command command, int calls, long nanos)
    {
        if (_server.Config.LatencyTracking)
        {
            LatencyHistogram latency = command.Latency ??= new LatencyHistogram();
            latency.Record(calls == 1 ? nanos : nanos / calls, calls);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NoteSlow(Command command, int calls, long nanos, Client client, Arguments args)
    {
        AddToSlowLog(command, nanos, client, args);
        _server.Latency.AddIfSlow(command.Is(CommandFlags.Fast) ? "fast-command" : "command", nanos / NanosPerMs);
        if (calls > 1)
        {
            _singleUntilMs = _server.Keyspace.NowMs + SingleForMs;
        }
    }

    private void AddToSlowLog(Command command, long nanos, Client client, Arguments args)
    {
        long slowMicros = _server.Config.SlowlogLogSlowerThanMicros;
        if (slowMicros >= 0 && nanos / 1000 >= slowMicros && !command.Is(CommandFlags.SkipSlowLog))
        {
            try
            {
                _server.SlowLog.Add(client, command, args, nanos / 1000);
            }
            catch (OutOfMemoryException)
            {
                // The log lacks an entry; the call has run and been answered.
            }
        }
    }
}
