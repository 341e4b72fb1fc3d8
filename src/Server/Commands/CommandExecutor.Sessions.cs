using System.IO.Pipelines;
using System.Net.Sockets;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Net;
using KvServer.Server.Observability;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <content>Sessions come and go, time passes.</content>
internal sealed partial class CommandExecutor
{
    private const int CronSamplesEveryMs = 100;
    private long _cronDueAtMs;
    private long _sampleDueAtMs;
    private long _turnStartedAt;
    private long _commandsBeforeTurn;

    /// <summary>Counters of the server as a whole.</summary>
    public ServerStatistics Statistics => _server.Statistics;

    /// <summary>The certificates of TLS.</summary>
    public Net.Tls.TlsService Tls => _server.Tls;

    /// <summary>The time that all commands of the current entry see, in ms since the Unix epoch.</summary>
    public long NowMs => _server.Keyspace.NowMs;

    /// <summary>Whether whoever connects may do what the default user may. Any thread.</summary>
    public bool DefaultUserNeedsNoPassword => _server.Acl.Default.NeedsNoPassword;

    /// <summary>Reads the clock. Called once at the start of every entry, so that all its commands see one time.</summary>
    /// <remarks>While many keys are stale it also spends a moment on removing some.</remarks>
    public void BeginTurn()
    {
        _turnStartedAt = _timing.Now;
        _commandsBeforeTurn = _server.Statistics.CommandsProcessed;
        _server.Keyspace.NowMs = _server.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        _server.PubSub.BeginTurn();
        long startedAt = _server.Latency.Begin();
        _server.Keyspace.ExpireFast();
        _server.Latency.End("expire-cycle", startedAt);
        _server.ClientEviction.Enforce();
    }

    /// <summary>Passes on what the entry has changed, to subscribers, to clients that cache it and to the append-only file.
    /// Called once at the end of every entry, before its replies leave.</summary>
    public void EndTurn()
    {
        _server.PubSub.EndTurn();
        if (_server.Tracking.HasWork)
        {
            _server.Tracking.EndTurn();
        }

        if (_server.Propagation.LengthBytes == 0)
        {
            _server.Aof.EndTurn();
            return;
        }

        long startedAt = _timing.Now;
        _server.Aof.EndTurn();
        _server.Statistics.Loop.AddAof(_timing.NanosSince(startedAt));
    }

    /// <summary>Notes how long an entry has taken. Called once for each, when all of it is done.</summary>
    public void NoteTurn()
    {
        ServerStatistics statistics = _server.Statistics;
        statistics.Loop.AddEntry(
            _timing.NanosSince(_turnStartedAt), statistics.CommandsProcessed - _commandsBeforeTurn); // Or less, after a reset.
    }

    /// <summary>Notes what a client takes by now, while the memory of clients is limited.</summary>
    public void Account(Client client) => _server.ClientEviction.Account(client);

    /// <summary>Notes how large a client's buffers are. Called about once a second for each.</summary>
    public void NotePeaks(Client client) => _server.ClientPeaks.Note(
        _server.Keyspace.NowMs, client.Connection.PendingInputBytes, client.Connection.PendingOutputBytes);

    /// <summary>Whether the replies a client has just got have to wait for the disk; see
    /// <see cref="Persistence.Aof.AppendOnlyFile.HoldsReplyOf"/>.</summary>
    public bool HoldsReplyOf(Client client) => _server.Aof.HoldsReplyOf(client);

    /// <summary>Makes the session of a new connection and registers it.</summary>
    /// <param name="output">The writing end of the connection's output pipe; the session writes, the connection flushes.</param>
    public Client Accept(IClientConnection connection, PipeWriter output)
    {
        long nowMs = _server.Keyspace.NowMs;
        Client client = new(_server.Clients.NextId(), connection, new ReplyWriter(output), _server.Keyspace[0])
        {
            CreatedAtMs = nowMs,
            LastActiveMs = nowMs,
        };
        _server.Acl.EnterAsDefault(client);
        client.Set(ClientFlags.UnixSocket, connection.LocalEndPoint is UnixDomainSocketEndPoint);
        connection.Limits = _server.LimitsFor(client);
        _server.Clients.Add(client);
        _server.Statistics.ConnectionsReceived++;
        return client;
    }

    /// <summary>Takes a session away: its subscriptions, its place in the registry, its writer's buffers.</summary>
    public void Disconnected(Client client)
    {
        client.LongReply?.Abandon();
        _server.Transactions.Discard(client);
        _server.PubSub.Remove(client);
        _server.Tracking.Disconnected(client);
        _server.Monitors.Remove(client);
        _server.Pause.Remove(client);
        _server.Aof.Remove(client);
        if (client.Wait is KeyWait wait)
        {
            _server.KeyWaits.Remove(wait);
        }

        _server.Blocked.Remove(client);
        _server.Clients.Remove(client);
        _server.ClientEviction.Forget(client);
        client.Set(ClientFlags.Closing, true);
        client.Reply.Dispose();
    }

    /// <summary>Replies to malformed input; the connection closes afterwards.</summary>
    public void Reject(Client client, ProtocolError error)
    {
        error.WriteTo(client.Reply);
        _server.Statistics.CountError("ERR");
    }

    /// <summary>Does the periodic work when it is due: expiry, rehashing of idle tables, rates.</summary>
    /// <param name="monotonicMs">A clock that never steps back.</param>
    /// <returns>Milliseconds until it is due again; 0 while a save walks or keys are being evicted, as often as other work
    /// allows.</returns>
    public long Cron(long monotonicMs)
    {
        long startedAt = _timing.Now;
        long dueInMs = RunCron(monotonicMs);
        _server.Statistics.Loop.AddCron(_timing.NanosSince(startedAt));
        return dueInMs;
    }

    private long RunCron(long monotonicMs)
    {
        _server.PubSub.SendHeld();
        if (monotonicMs >= _sampleDueAtMs)
        {
            ServerStatistics statistics = _server.Statistics;
            statistics.Instantaneous.Sample(monotonicMs, statistics);
            _keyTraffic.Tick(monotonicMs);
            _sampleDueAtMs = monotonicMs + CronSamplesEveryMs;
        }

        long nowMs = _server.Keyspace.NowMs;
        _server.Pause.EndWhenDue(nowMs);
        if (monotonicMs >= _cronDueAtMs)
        {
            int hz = _server.Hz;
            _cronDueAtMs = monotonicMs + (1000 / hz);
            if (!_server.CronPaused && !_server.IsLoading)
            {
                _server.RunCron(hz);
            }
        }

        bool evicts = _server.Keyspace.Eviction.IsRunning && _server.MakeRoom() == EvictionResult.Running;
        long compactsInMs = _server.CronPaused || _server.IsLoading ? long.MaxValue : _server.Keyspace.Eviction.Compact(monotonicMs);
        if (_server.KeyWaits.HasReady)
        {
            ServeWaiting(); // Keys have expired that somebody waits for.
        }

        _server.Blocked.EndWhenDue(nowMs);
        if (!_server.IsLoading)
        {
            _server.Aof.Tick();
        }

        long saveWantsInMs = _server.Loader?.Tick() ?? _server.Snapshots.Tick();
        long dueInMs = Math.Min(
            Math.Min(_cronDueAtMs, _sampleDueAtMs) - monotonicMs, _server.Blocked.NextDeadlineMs - nowMs);
        long pauseEndsInMs = _server.Pause.IsActive ? _server.Pause.EndsAtMs - nowMs : dueInMs;
        return evicts ? 0 : Math.Min(saveWantsInMs, Math.Max(1, Math.Min(Math.Min(dueInMs, compactsInMs), pauseEndsInMs)));
    }
}
