namespace KvServer.Storage;

/// <content>The 24-bit access clock of entries: seconds for LRU; minutes and a logarithmic counter for LFU.</content>
public sealed partial class Keyspace
{
    private const uint ClockMask = 0xFFFFFF;

    // A new key starts with some credit, so that it is not the first to go.
    private const uint FirstFrequency = 5;

    private uint _seconds;
    private uint _minutes;

    /// <summary>Whether entries count accesses (an LFU policy) instead of noting the last one.</summary>
    public bool CountsFrequency { get; set; }

    /// <summary>How slowly the access counter saturates (lfu-log-factor).</summary>
    public int FrequencyLogFactor { get; set; } = 10;

    /// <summary>Minutes after which the access counter loses one (lfu-decay-time); 0 for never.</summary>
    public int FrequencyDecayMinutes { get; set; } = 1;

    /// <summary>The clock of a key that is made now.</summary>
    internal uint FirstAccessClock => CountsFrequency ? (_minutes << 8) | FirstFrequency : _seconds;

    /// <summary>The clock of a key after an access now.</summary>
    internal uint NextAccessClock(uint clock) => CountsFrequency ? NextFrequency(clock) : _seconds;

    /// <summary>Milliseconds since the access a clock notes.</summary>
    internal long IdleTimeMs(uint clock)
    {
        // The clock wraps after 194 days.
        uint idleSeconds = (_seconds - clock) & ClockMask;
        return idleSeconds * 1000L;
    }

    /// <summary>The counter in a clock, less what it has lost since its last access.</summary>
    internal int DecayedFrequency(uint clock)
    {
        var counter = (int)(clock & 0xFF);
        uint minutes = (_minutes - (clock >> 8)) & 0xFFFF;
        long lost = FrequencyDecayMinutes > 0 ? minutes / FrequencyDecayMinutes : 0;
        return (int)Math.Max(0, counter - lost);
    }

    /// <summary>The clock of a key that has been used as a hint says.</summary>
    /// <returns>False when the present policy keeps something else.</returns>
    internal bool TryMakeAccessClock(AccessHint hint, out uint clock)
    {
        clock = CountsFrequency
            ? (_minutes << 8) | (uint)Math.Clamp(hint.Value, 0, byte.MaxValue)
            : (uint)(_seconds - Math.Clamp(hint.Value, 0, ClockMask)) & ClockMask;
        return hint.Kind == (CountsFrequency ? AccessHintKind.Frequency : AccessHintKind.IdleSeconds);
    }

    private void UpdateAccessClock()
    {
        long seconds = _nowMs / 1000;
        _seconds = (uint)seconds & ClockMask;
        _minutes = (uint)(seconds / 60) & 0xFFFF;
    }

    private uint NextFrequency(uint clock)
    {
        int counter = DecayedFrequency(clock);
        if (counter < 255)
        {
            // The higher the counter, the less likely it goes up: a million accesses fit into eight bits.
            double above = Math.Max(0, counter - (int)FirstFrequency);
            if (Random.NextDouble() < 1.0 / ((above * FrequencyLogFactor) + 1))
            {
                counter++;
            }
        }

        return (_minutes << 8) | (uint)counter;
    }
}
