using KvServer.Server.Commands;
using KvServer.Server.Net.Tls;

namespace KvServer.Server.Net;

/// <content>What is due at times: the cron, the look at every connection, the counts.</content>
internal sealed partial class EventLoop
{
    private const int MaintenanceIntervalMs = 1000;

    // Between two looks whether somebody makes room, while handshakes wait for it.
    private const int HandshakeLookMs = 100;

    private long _nextCronMs;
    private long _nextMaintenanceMs;

    /// <summary>Runs the cron and notes when it wants to run again. Inside the command loop.</summary>
    internal void RunCron(CommandExecutor executor)
    {
        long nowMs = Environment.TickCount64;
        Volatile.Write(ref _nextCronMs, nowMs + executor.Cron(nowMs));
    }

    /// <summary>Looks every connection of this loop over. Inside the command loop, from this loop's turn.</summary>
    internal static void ForEachConnection(Turn turn, bool close)
    {
        long nowMs = Environment.TickCount64;
        foreach (EpollConnection connection in turn.Maintained)
        {
            if (close)
            {
                connection.Handler.CloseAfterReplies();
            }
            else
            {
                connection.Handler.Maintain(nowMs);
            }
        }
    }

    private int WaitMs()
    {
        if (_flying is null && _filling.HasWork)
        {
            return 0;
        }

        long until = Math.Min(Volatile.Read(ref _nextCronMs), _nextMaintenanceMs);
        if (_acceptsAgainAtMs > 0)
        {
            until = Math.Min(until, _acceptsAgainAtMs);
        }

        if (_waitingHandshakes.Count > 0)
        {
            until = Math.Min(until, Environment.TickCount64 + HandshakeLookMs);
        }

        return (int)Math.Clamp(until - Environment.TickCount64, 0, MaintenanceIntervalMs);
    }

    private void PlanTimers()
    {
        if (_nowMs >= Volatile.Read(ref _nextCronMs))
        {
            _nextCronMs = long.MaxValue; // Until it has run and says when it wants to run again.
            _filling.CronDue = true;
        }

        if (_nowMs >= _nextMaintenanceMs)
        {
            _nextMaintenanceMs = _nowMs + MaintenanceIntervalMs;
            CutOffHandshakes(_nowMs, TlsService.TimedOut);
            _filling.MaintenanceDue = ListConnections(_filling) > 0;
            if (Index == 0)
            {
                Services.Blocks.Trim();
            }
        }

        if (_acceptsAgainAtMs > 0 && _nowMs >= _acceptsAgainAtMs)
        {
            WatchListeners();
        }
    }

    private int ListConnections(Turn turn)
    {
        turn.Maintained.Clear();
        if (_connectionCount > 0)
        {
            foreach (EpollConnection? connection in _connections)
            {
                if (connection is not null)
                {
                    turn.Maintained.Add(connection);
                }
            }
        }

        return turn.Maintained.Count;
    }

    private void CountTraffic()
    {
        if ((_receivedBytes | _sentBytes) != 0)
        {
            Services.Executor.Statistics.AddTraffic(_receivedBytes, _sentBytes, _reads, _writes);
            _receivedBytes = 0;
            _sentBytes = 0;
            _reads = 0;
            _writes = 0;
        }
    }
}
