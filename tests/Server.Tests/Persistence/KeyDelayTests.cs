using KvServer.Server.Persistence;

namespace KvServer.Server.Tests.Persistence;

/// <summary>What tests of a load or a save have it wait for each key.</summary>
public sealed class KeyDelayTests
{
    [Theory]
    [InlineData(1, 999, 0)]
    [InlineData(1, 1000, 1)]
    [InlineData(1500, 1, 1)]
    [InlineData(1500, 2, 3)]
    [InlineData(-10, 9_999, 0)]
    [InlineData(-10, 10_000, 1)]
    [InlineData(int.MaxValue, 1_000_000_000, int.MaxValue)]
    [InlineData(int.MinValue, 1_000_000_000, 0)]
    public void Keys_owe_microseconds_or_with_a_negative_option_many_keys_one(int option, long keys, int expectedMs)
    {
        KeyDelay delay = default;
        Assert.Equal(expectedMs, delay.TakeMs(keys, option));
    }

    [Fact]
    public void Parts_of_a_millisecond_are_kept_until_the_option_is_0()
    {
        KeyDelay delay = default;
        Assert.Equal(0, delay.TakeMs(1, 600));
        Assert.Equal(1, delay.TakeMs(2, 600));
        Assert.Equal(0, delay.TakeMs(2, 600));
        Assert.Equal(0, delay.TakeMs(3, 600)); // 0.8
        Assert.Equal(0, delay.TakeMs(4, 0));
        Assert.Equal(0, delay.TakeMs(5, 600));
    }
}
