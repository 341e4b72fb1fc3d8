namespace KvServer.Server.Observability;

/// <summary>Rates over the last 16 samples, taken every 100 ms: INFO's instantaneous_* fields.</summary>
/// <remarks>Command loop only. The monotonic clock gives the intervals, so a change of the wall clock cannot bend them.</remarks>
internal sealed class InstantaneousMetrics
{
    private const int SampleCount = 16;
    private readonly Series _commands = new();
    private readonly Series _input = new();
    private readonly Series _output = new();

    /// <summary>Commands per second.</summary>
    public long OpsPerSecond => (long)_commands.PerSecond;

    /// <summary>Bytes received per second.</summary>
    public double InputBytesPerSecond => _input.PerSecond;

    /// <summary>Bytes sent per second.</summary>
    public double OutputBytesPerSecond => _output.PerSecond;

    /// <summary>Takes one sample of counters that only grow. Called by the cron, about every 100 ms.</summary>
    /// <param name="nowMs">A monotonic clock in ms.</param>
    public void Sample(long nowMs, long commands, long inputBytes, long outputBytes)
    {
        _commands.Add(nowMs, commands);
        _input.Add(nowMs, inputBytes);
        _output.Add(nowMs, outputBytes);
    }

    public void Reset()
    {
        _commands.Reset();
        _input.Reset();
        _output.Reset();
    }

    private sealed class Series
    {
        private readonly double[] _rates = new double[SampleCount];
        private int _next;
        private long _lastMs;
        private long _lastCount;

        public double PerSecond => _rates.Sum() / SampleCount;

        public void Add(long nowMs, long count)
        {
            if (_lastMs > 0 && nowMs > _lastMs && count >= _lastCount)
            {
                _rates[_next] = (count - _lastCount) * 1000.0 / (nowMs - _lastMs);
                _next = (_next + 1) % SampleCount;
            }

            _lastMs = nowMs;
            _lastCount = count;
        }

        public void Reset()
        {
            Array.Clear(_rates);
            _lastMs = 0;
            _lastCount = 0;
        }
    }
}
