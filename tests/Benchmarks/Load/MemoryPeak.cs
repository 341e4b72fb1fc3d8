using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>Looks again and again at the resident memory of a process and its children, and keeps the highest value.</summary>
/// <remarks>Looking walks page tables and so disturbs the server: latencies are measured without it.</remarks>
internal sealed class MemoryPeak : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim _stop = new();
    private readonly int _processId;
    private readonly Thread _thread;
    private long _bytes;

    /// <summary>Starts looking.</summary>
    public MemoryPeak(int processId)
    {
        _processId = processId;
        BytesBefore = ProcessCounters.FamilyBytes(processId);
        _bytes = BytesBefore;
        _thread = new Thread(Watch) { IsBackground = true, Name = "memory peak" };
        _thread.Start();
    }

    /// <summary>What it was at the start.</summary>
    public long BytesBefore { get; }

    /// <summary>Stops looking.</summary>
    /// <returns>The highest value seen.</returns>
    public long Stop()
    {
        _stop.Set();
        _thread.Join();
        return _bytes;
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void Watch()
    {
        try
        {
            while (!_stop.Wait(Period))
            {
                _bytes = Math.Max(_bytes, ProcessCounters.FamilyBytes(_processId));
            }
        }
        catch (IOException)
        {
            // The server has ended; whoever talks to it says so.
        }
    }
}
