namespace KvServer.Server.Observability;

/// <summary>Rates over the last 16 samples, taken every 100 ms: INFO's instantaneous_* fields.</summary>
/// <remarks>Command loop only. The monotonic clock gives the intervals, so a change of the wall clock cannot bend them.</remarks>
internal sealed class InstantaneousMetrics
{
    private const int SampleCount = 16;
    private const double MsPerSecond = 1000;
    private const double NanosPerMicrosecond = 1000;
    private readonly Series _commands = new();
    private readonly Series _input = new();
    private readonly Series _output = new();
    private readonly Series _entries = new();
    private readonly Series _entryTimes = new();

    /// <summary>Commands per second.</summary>
    public long OpsPerSecond => (long)(_commands.Mean * MsPerSecond);

    /// <summary>Bytes received per second.</summary>
    public double InputBytesPerSecond => _input.Mean * MsPerSecond;

    /// <summary>Bytes sent per second.</summary>
    public double OutputBytesPerSecond => _output.Mean * MsPerSecond;

    /// <summary>Entries of the command loop per second; see <see cref="LoopTimes"/>.</summary>
    public long EntriesPerSecond => (long)(_entries.Mean * MsPerSecond);

    /// <summary>How long an entry of the command loop takes, in microseconds.</summary>
    public long EntryMicroseconds => (long)(_entryTimes.Mean / NanosPerMicrosecond);

    /// <summary>Takes one sample of counters that only grow. Called by the cron, about every 100 ms.</summary>
    /// <param name="nowMs">A monotonic clock in ms.</param>
    /// <param name="statistics">The counters.</param>
    public void Sample(long nowMs, ServerStatistics statistics)
    {
        _commands.Add(nowMs, statistics.CommandsProcessed);
        _input.Add(nowMs, statistics.NetInputBytes);
        _output.Add(nowMs, statistics.NetOutputBytes);
        _entries.Add(nowMs, statistics.Loop.Entries);
        _entryTimes.Add(statistics.Loop.Entries, statistics.Loop.ElapsedNanos);
    }

    public void Reset()
    {
        _commands.Reset();
        _input.Reset();
        _output.Reset();
        _entries.Reset();
        _entryTimes.Reset();
    }

    // How much a counter grows while another grows by one: the clock, or a count.
    private sealed class Series
    {
        private readonly double[] _rates = new double[SampleCount];
        private int _next;
        private long _lastBase;
        private long _lastCount;

        public double Mean => _rates.Sum() / SampleCount;

        public void Add(long current, long count)
        {
            if (_lastBase > 0 && current > _lastBase && count >= _lastCount)
            {
                _rates[_next] = (count - _lastCount) / (double)(current - _lastBase);
                _next = (_next + 1) % SampleCount;
            }

            _lastBase = current;
            _lastCount = count;
        }

        public void Reset()
        {
            Array.Clear(_rates);
            _lastBase = 0;
            _lastCount = 0;
        }
    }
}
