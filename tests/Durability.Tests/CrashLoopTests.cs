using System.Diagnostics;
using KvServer.Durability.Tests.Crashes;

namespace KvServer.Durability.Tests;

/// <summary>Kills the server at random moments, again and again, and checks what it has after each restart.</summary>
public sealed class CrashLoopTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(CrashMode.Snapshot, 0.4)]
    [InlineData(CrashMode.Always, 0.3)]
    [InlineData(CrashMode.EverySecond, 0.3)]
    public async Task After_every_crash_the_data_is_that_of_an_instant_that_was_promised(CrashMode mode, double share)
    {
        int rounds = (int)Math.Ceiling(CrashSettings.Rounds * share);
        int seed = CrashSettings.Seed;
        output.WriteLine($"KVSERVER_CRASH_SEED={seed}, {rounds} rounds");
        await using CrashLoop loop = new(mode, seed);
        await loop.StartAsync();
        Assert.True(mode == CrashMode.Snapshot || loop.IsAppendOnly());
        long startedAt = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds; round++)
        {
            string? fault = await loop.RunRoundAsync(round);
            Assert.True(fault is null, fault);
        }

        double milliseconds = Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
        output.WriteLine(
            $"{milliseconds / rounds:F0} ms a round, {loop.WriteCount} writes, {loop.KillsDuringSaves} kills met a save");
    }
}
