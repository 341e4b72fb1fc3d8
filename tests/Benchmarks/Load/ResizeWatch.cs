using System.Collections.Concurrent;
using System.Diagnostics;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>Asks INFO dicts again and again, and so knows afterwards when the keyspace was resizing.</summary>
internal sealed class ResizeWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<(long At, bool Resizing)> _samples = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly RespClient _client;
    private readonly Thread _thread;

    /// <summary>Starts asking.</summary>
    public ResizeWatch(ServerProcess server)
    {
        _client = server.Connect();
        IsAvailable = InfoFields.Read(_client, "dicts").Names.Any();
        _thread = new Thread(Watch) { IsBackground = true, Name = "resize watch" };
        _thread.Start();
    }

    /// <summary>False for a server without this section.</summary>
    public bool IsAvailable { get; }

    /// <summary>Tells whether a resize was under way when a request was sent, or began or ended beside it.</summary>
    public bool WasResizing(SlowRequest request)
    {
        long margin = (long)((Period.TotalSeconds + (request.Ms / 1000)) * Stopwatch.Frequency);
        return _samples.Any(sample => sample.Resizing && Math.Abs(sample.At - request.AtTimestamp) <= margin);
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _client.Dispose();
        _stop.Dispose();
    }

    private void Watch()
    {
        while (IsAvailable && !_stop.Wait(Period))
        {
            long table1 = InfoFields.Read(_client, "dicts").Part("db0_keys", "table1_size");
            _samples.Enqueue((Stopwatch.GetTimestamp(), table1 > 0));
        }
    }
}
