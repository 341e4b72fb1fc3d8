using KvServer.Server.Clients;

namespace KvServer.Server.Tests.Observability;

public class ClientPeaksTests
{
    [Fact]
    public void The_largest_of_eight_seconds_are_known()
    {
        ClientPeaks peaks = new();
        const long StartMs = FakeClock.StartMs;
        Assert.Equal((0, 0), peaks.Largest(StartMs));
        peaks.Note(StartMs, 100, 5);
        peaks.Note(StartMs + 999, 50, 7);
        peaks.Note(StartMs + 1000, 60, 6);
        Assert.Equal((100, 7), peaks.Largest(StartMs + 7999));
        Assert.Equal((60, 6), peaks.Largest(StartMs + 8000));
        peaks.Note(StartMs + 8000, 1, 2); // In the place of the first second.
        Assert.Equal((60, 6), peaks.Largest(StartMs + 8999));
        Assert.Equal((1, 2), peaks.Largest(StartMs + 9000));
        Assert.Equal((0, 0), peaks.Largest(StartMs + 100_000));
    }
}
