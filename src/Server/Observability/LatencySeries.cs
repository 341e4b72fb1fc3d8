namespace KvServer.Server.Observability;

/// <summary>The last slow seconds of one event: at most 160 samples, the oldest first.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class LatencySeries
{
    private const int MaxSamples = 160;

    private readonly Queue<LatencySample> _samples = new();

    /// <summary>The samples, oldest first; never empty once something was added.</summary>
    public IReadOnlyCollection<LatencySample> Samples => _samples;

    /// <summary>The newest sample.</summary>
    public LatencySample Latest { get; private set; }

    /// <summary>The longest time ever added, in ms, also when its sample has gone.</summary>
    public long MaxMs { get; private set; }

    /// <summary>Adds a time; of those of one second the longest stays. O(1).</summary>
    public void Add(long nowSeconds, long ms)
    {
        MaxMs = Math.Max(MaxMs, ms);
        if (_samples.Count > 0 && Latest.AtSeconds == nowSeconds)
        {
            if (ms > Latest.Ms)
            {
                ReplaceLatest(new LatencySample(nowSeconds, ms));
            }

            return;
        }

        if (_samples.Count == MaxSamples)
        {
            _samples.Dequeue();
        }

        Latest = new LatencySample(nowSeconds, ms);
        _samples.Enqueue(Latest);
    }

    // A queue gives only its oldest away, so it is turned round once; that happens while something is slow anyway.
    private void ReplaceLatest(LatencySample sample)
    {
        for (int i = _samples.Count; i > 0; i--)
        {
            LatencySample old = _samples.Dequeue();
            _samples.Enqueue(i == 1 ? sample : old);
        }

        Latest = sample;
    }
}
