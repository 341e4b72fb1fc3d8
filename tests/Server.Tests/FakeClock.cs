namespace KvServer.Server.Tests;

/// <summary>A clock that moves only when a test moves it.</summary>
internal sealed class FakeClock : TimeProvider
{
    /// <summary>2030-01-01T00:00:00Z, in ms since the Unix epoch.</summary>
    public const long StartMs = 1_893_456_000_000;

    private long _readMicros;

    public long NowMs { get; private set; } = StartMs;

    /// <summary>How much further each reading of a timestamp is, in microseconds: what something takes that reads it before
    /// and after.</summary>
    public long MicrosPerReading { get; set; }

    public override long TimestampFrequency => 1_000_000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    public override long GetTimestamp()
    {
        _readMicros += MicrosPerReading;
        return (NowMs * 1000) + _readMicros;
    }

    // Time does not pass by itself, so neither does a timer fire.
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Advance(long ms) => NowMs += ms;
}
