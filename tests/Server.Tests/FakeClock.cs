namespace KvServer.Server.Tests;

/// <summary>A clock that moves only when a test moves it.</summary>
internal sealed class FakeClock : TimeProvider
{
    /// <summary>2030-01-01T00:00:00Z, in ms since the Unix epoch.</summary>
    public const long StartMs = 1_893_456_000_000;

    public long NowMs { get; private set; } = StartMs;

    public override long TimestampFrequency => 1000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    public override long GetTimestamp() => NowMs;

    public void Advance(long ms) => NowMs += ms;
}
