using KvServer.Server.Config;
using KvServer.Server.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests.Hosting;

/// <summary>What is written into the file of the kernel, here one of our own.</summary>
public sealed class OomScoreTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private readonly ServerConfig _config = new() { OomScoreAdjValues = [7, 200, 800] };
    private readonly OomScore _score;

    public OomScoreTests()
    {
        File.WriteAllText(_path, "5\n");
        _score = new OomScore(NullLogger.Instance, _path);
    }

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Nothing_is_written_unless_it_is_switched_on()
    {
        File.WriteAllText(_path, "no number");
        Assert.Null(Apply(OomScoreAdjust.No));
        Assert.Equal("no number", File.ReadAllText(_path));
    }

    [Fact]
    public void A_value_is_added_to_that_of_the_start_or_stands_for_itself_and_switching_off_brings_that_back()
    {
        Assert.Equal("12", Written(OomScoreAdjust.Relative));
        Assert.Equal("12", Written(OomScoreAdjust.Yes));
        Assert.Equal("7", Written(OomScoreAdjust.Absolute));
        _config.OomScoreAdjValues = [8, 200, 800];
        Assert.Equal("13", Written(OomScoreAdjust.Relative));
        Assert.Equal("5", Written(OomScoreAdjust.No));
    }

    [Theory]
    [InlineData(2000, "1000")]
    [InlineData(-2000, "-1000")]
    public void Values_stay_within_what_the_kernel_takes(int value, string written)
    {
        _config.OomScoreAdjValues = [value, 0, 0];
        Assert.Equal(written, Written(OomScoreAdjust.Relative));
    }

    [Fact]
    public void What_cannot_be_read_or_written_is_an_error()
    {
        File.WriteAllText(_path, "no number");
        Assert.Equal("Failed to set current oom_score_adj. Check server logs.", Apply(OomScoreAdjust.Yes));
        File.Delete(_path);
        Assert.Equal("Failed to set current oom_score_adj. Check server logs.", Apply(OomScoreAdjust.Yes));
    }

    private string? Apply(OomScoreAdjust adjust)
    {
        _config.OomScoreAdj = adjust;
        return _score.Apply(_config);
    }

    private string Written(OomScoreAdjust adjust)
    {
        Assert.Null(Apply(adjust));
        return File.ReadLines(_path).First(); // A file keeps what a shorter text leaves of a longer one, the kernel's does not.
    }
}
