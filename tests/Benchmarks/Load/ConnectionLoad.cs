using System.Diagnostics;
using System.Net.Sockets;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>Connections that each send a request when the last one was answered, at once or when its time has come, from one
/// thread, until disposed.</summary>
/// <remarks>
/// For what redis-benchmark can't do: different requests beside each other, figures of a stretch of time that something else
/// decides, and a load that leaves the processors time for others. While the server stands still nothing new is sent: a pause
/// counts once per connection.
/// </remarks>
internal sealed class ConnectionLoad : IDisposable
{
    private const int WaitMicroseconds = 100_000;
    private const int ShortestWaitMicroseconds = 1000; // What Select can wait for; less would keep a processor busy.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Contestant _server;
    private readonly LoadConnection[] _connections;
    private readonly PriorityQueue<LoadConnection, long> _waiting = new();
    private readonly long _interval; // Of one connection, in ticks of the stopwatch; 0 for none.
    private readonly Thread _thread;
    private readonly AutoResetEvent _taken = new(initialState: false);
    private LoadPhase _next;
    private Exception? _failure;
    private volatile bool _stopping;

    /// <summary>Connects once for each source and starts sending.</summary>
    /// <param name="server">Whom to ask.</param>
    /// <param name="sources">The requests of each connection.</param>
    /// <param name="password">What each says first with AUTH, unless null.</param>
    /// <param name="requestsPerSecond">At most so many of all connections together; 0 for as many as are answered.</param>
    public ConnectionLoad(
        Contestant server, IEnumerable<IRequestSource> sources, string? password = null, int requestsPerSecond = 0)
    {
        _server = server;
        _connections = [.. sources.Select(source => new LoadConnection(server.Server.Port, source, password))];
        _interval = requestsPerSecond == 0 ? 0 : Stopwatch.Frequency * _connections.Length / requestsPerSecond;
        _next = NewPhase();
        _thread = new Thread(Run) { IsBackground = true, Name = "connection load" };
        _thread.Start();
    }

    /// <summary>Counts while something goes on.</summary>
    /// <param name="during">What decides how long; requests that were under way when it began count.</param>
    /// <param name="control">Asks the server for its longest turn, unless null.</param>
    public async Task<LoadPhase> MeasureAsync(Func<Task> during, RespClient? control = null)
    {
        LoadPhase phase = NewPhase();
        control?.Execute("CONFIG", "RESETSTAT");
        Begin(phase);
        TimeSpan serving = _server.ServingCpuTime;
        TimeSpan whole = _server.WholeCpuTime;
        long startedAt = Stopwatch.GetTimestamp();
        await during();
        phase.Seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        phase.ServingCpu = _server.ServingCpuTime - serving;
        phase.WholeCpu = _server.WholeCpuTime - whole;
        Begin(NewPhase()); // Afterwards nobody else writes to what is returned.
        long longestMicroseconds = control is null ? -1 : InfoFields.Read(control, "debug").Integer("eventloop_duration_max");
        phase.LongestTurnMs = longestMicroseconds < 0 ? double.NaN : longestMicroseconds / 1e3;
        return phase;
    }

    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
        Array.ForEach(_connections, connection => connection.Dispose());
        _taken.Dispose();
    }

    private LoadPhase NewPhase() => new(_connections.Select(connection => connection.Name));

    private void Begin(LoadPhase phase)
    {
        Volatile.Write(ref _next, phase);
        if (!_taken.WaitOne(Patience) || _failure is not null)
        {
            throw new InvalidOperationException($"{_server.Name} stopped answering the load.", _failure);
        }
    }

    private void Run()
    {
        try
        {
            Drive();
        }
#pragma warning disable CA1031 // Whatever it is, the thread that measures throws it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
            _taken.Set();
        }
    }

    private void Drive()
    {
        LoadPhase phase = _next;
        Dictionary<Socket, LoadConnection> bySocket = _connections.ToDictionary(connection => connection.Socket);
        Socket[] all = [.. bySocket.Keys];
        List<Socket> ready = new(all.Length);
        StartAll();
        while (!_stopping)
        {
            if (Volatile.Read(ref _next) is { } next && next != phase)
            {
                phase = next;
                _taken.Set();
            }

            ready.Clear();
            ready.AddRange(all);
            Socket.Select(ready, null, null, SendDue());
            foreach (Socket socket in ready)
            {
                LoadConnection connection = bySocket[socket];
                long ns = connection.Receive();
                if (ns >= 0)
                {
                    phase.Latencies[connection.Name].Add(ns);
                    SendInTime(connection);
                }
            }
        }
    }

    // Spread over the first interval.
    private void StartAll()
    {
        long now = Stopwatch.GetTimestamp();
        for (int i = 0; i < _connections.Length; i++)
        {
            _waiting.Enqueue(_connections[i], now + (_interval * i / _connections.Length));
        }
    }

    private void SendInTime(LoadConnection connection)
    {
        if (_interval == 0)
        {
            connection.Send();
            return;
        }

        _waiting.Enqueue(connection, connection.SentAt + _interval);
    }

    // Returns how many microseconds nobody else is due.
    private int SendDue()
    {
        while (_waiting.TryPeek(out LoadConnection? connection, out long due))
        {
            long ticksLeft = due - Stopwatch.GetTimestamp();
            if (ticksLeft > 0)
            {
                long microseconds = ticksLeft * 1_000_000 / Stopwatch.Frequency;
                return (int)Math.Clamp(microseconds, ShortestWaitMicroseconds, WaitMicroseconds);
            }

            _waiting.Dequeue();
            connection.Send();
        }

        return WaitMicroseconds;
    }
}
