namespace KvServer.Server.Persistence;

/// <summary>Makes a load or a save take longer, key by key, for tests that have to meet one while it runs: the options
/// <c>key-load-delay</c> and <c>rdb-key-save-delay</c>.</summary>
/// <remarks>What is owed is added up until it is worth a wait. Not thread-safe.</remarks>
internal struct KeyDelay
{
    private const double MicrosPerMs = 1000;

    private long _keys;
    private double _owedMicros;

    /// <summary>Counts the keys since the last call, and takes what is owed for them.</summary>
    /// <param name="keys">All keys so far.</param>
    /// <param name="microsPerKey">The option as it is now: microseconds for each key, or below 0 one for that many keys.
    /// With 0 nothing is owed any more.</param>
    /// <returns>Milliseconds to wait; less than one is kept for the next time.</returns>
    public int TakeMs(long keys, int microsPerKey)
    {
        long more = keys - _keys;
        _keys = keys;
        if (microsPerKey == 0)
        {
            _owedMicros = 0;
            return 0;
        }

        _owedMicros += microsPerKey > 0 ? (double)more * microsPerKey : more / -(double)microsPerKey;
        int ms = (int)Math.Min(_owedMicros / MicrosPerMs, int.MaxValue);
        _owedMicros -= ms * MicrosPerMs;
        return ms;
    }
}
