namespace KvServer.Server.Observability;

/// <summary>Remembers when events took long: what LATENCY shows, for latency-monitor-threshold ms and more.</summary>
/// <remarks>Command loop only. While the threshold is 0 nothing is remembered, and <see cref="Begin"/> does not read the
/// clock.</remarks>
internal sealed class LatencyMonitor(ServerState server)
{
    private readonly Dictionary<string, LatencySeries> _events = new(StringComparer.Ordinal);

    /// <summary>Whether anything is watched.</summary>
    public bool IsOn => server.Config.LatencyMonitorThresholdMs > 0;

    /// <summary>What has happened since the start or the last reset, by the name of the event.</summary>
    public IReadOnlyDictionary<string, LatencySeries> Events => _events;

    /// <summary>Begins to time something that may take long. Every Begin is followed by an <see cref="End"/>.</summary>
    /// <returns>A timestamp; 0 while nothing is watched.</returns>
    public long Begin() => IsOn ? server.Clock.GetTimestamp() : 0;

    /// <summary>Ends what <see cref="Begin"/> began, and remembers it if it took long.</summary>
    /// <param name="name">What it was, in the words of the reference server where it has some.</param>
    /// <param name="startedAt">What Begin returned.</param>
    public void End(string name, long startedAt)
    {
        if (startedAt != 0)
        {
            AddIfSlow(name, (long)server.Clock.GetElapsedTime(startedAt).TotalMilliseconds);
        }
    }

    /// <summary>Remembers a time if it reaches the threshold.</summary>
    /// <param name="name">What took it.</param>
    /// <param name="ms">How long, in ms.</param>
    public void AddIfSlow(string name, long ms)
    {
        if (!IsOn || ms < server.Config.LatencyMonitorThresholdMs)
        {
            return;
        }

        if (!_events.TryGetValue(name, out LatencySeries? series))
        {
            _events.Add(name, series = new LatencySeries());
        }

        series.Add(server.Clock.GetUtcNow().ToUnixTimeSeconds(), ms);
    }

    /// <summary>Forgets all events.</summary>
    /// <returns>How many there were.</returns>
    public int Reset()
    {
        int count = _events.Count;
        _events.Clear();
        return count;
    }

    /// <summary>Forgets an event of this name, in any case.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Reset(string name) =>
        _events.Keys.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } found
        && _events.Remove(found);
}
