namespace KvServer.Storage;

/// <summary>Counters of streams, groups and deliveries, which clients may set to anything and which go on past 63 bits.</summary>
public static class StreamCount
{
    /// <summary>The number to say in a command, which takes no negative ones; the largest for one that has become negative.</summary>
    /// <param name="count">The counter.</param>
    /// <param name="least">The least number that the command takes.</param>
    public static long ForCommand(long count, long least = 0) => count < least ? long.MaxValue : count;
}
