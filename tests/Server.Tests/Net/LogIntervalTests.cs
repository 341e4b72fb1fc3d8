using KvServer.Server.Net;

namespace KvServer.Server.Tests.Net;

/// <summary>How often a line comes into the log.</summary>
public sealed class LogIntervalTests
{
    [Fact]
    public void The_first_line_is_let_in_and_then_one_in_each_interval()
    {
        LogInterval interval = new(1000);
        Assert.True(interval.TryEnter(0));
        Assert.False(interval.TryEnter(0));
        Assert.False(interval.TryEnter(999));
        Assert.True(interval.TryEnter(1000));
        Assert.False(interval.TryEnter(1999));
        Assert.True(interval.TryEnter(5000));
        Assert.False(interval.TryEnter(5999));
    }
}
