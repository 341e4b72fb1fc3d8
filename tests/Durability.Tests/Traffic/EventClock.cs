namespace KvServer.Durability.Tests.Traffic;

/// <summary>Numbers what is sent and answered in one order, across all clients of a round. Any thread.</summary>
/// <remarks>Numbers begin at 1. A number taken before sending and one taken after the answer enclose the moment at which
/// the server did the work, so instants of the server can be placed between numbers.</remarks>
internal sealed class EventClock
{
    /// <summary>The number of what has not happened.</summary>
    public const long Never = long.MaxValue;

    private long _last;

    /// <summary>Takes the next number.</summary>
    public long Next() => Interlocked.Increment(ref _last);
}
