namespace KvServer.Benchmarks.Load;

/// <summary>What a <see cref="ConnectionLoad"/> saw during a stretch of time, and what it cost the server.</summary>
internal sealed class LoadPhase
{
    private readonly Dictionary<string, Histogram> _latencies;

    /// <summary>Makes an empty phase for the names of requests there are.</summary>
    public LoadPhase(IEnumerable<string> names) =>
        _latencies = names.Distinct().ToDictionary(name => name, _ => new Histogram(), StringComparer.Ordinal);

    /// <summary>Durations of the requests of a name whose reply came in this phase.</summary>
    public IReadOnlyDictionary<string, Histogram> Latencies => _latencies;

    /// <summary>How long it lasted.</summary>
    public double Seconds { get; set; }

    /// <summary>Processor time of the server's threads that serve requests.</summary>
    public TimeSpan ServingCpu { get; set; }

    /// <summary>Processor time of the whole server, its child processes that ended in this phase included.</summary>
    public TimeSpan WholeCpu { get; set; }

    /// <summary>The longest time that the server was busy before it looked at its connections again, by its own clock; NaN
    /// when it was not asked or does not say.</summary>
    public double LongestTurnMs { get; set; } = double.NaN;

    /// <summary>Requests of all names.</summary>
    public long Requests => _latencies.Values.Sum(histogram => histogram.Count);

    /// <summary>The processor time of serving threads per request of any name, in microseconds.</summary>
    public double ServingCpuMicroseconds => ServingCpu.TotalMicroseconds / Requests;

    /// <summary>The processor time of the whole server per request of any name, in microseconds.</summary>
    public double WholeCpuMicroseconds => WholeCpu.TotalMicroseconds / Requests;

    /// <summary>The figures of the requests of one name.</summary>
    public BenchmarkRun ToRun(string name)
    {
        Histogram all = _latencies[name];
        return new BenchmarkRun(
            all.Count / Seconds, all.PercentileMs(50), all.PercentileMs(99), all.PercentileMs(99.9), all.MaxNs / 1e6,
            ServingCpuMicroseconds);
    }
}
