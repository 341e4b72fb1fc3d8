using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Crashes;

/// <summary>How many rounds, and from which seed.</summary>
internal static class CrashSettings
{
    private const int RoundsInContinuousIntegration = 200;
    private const int RoundsOtherwise = 20;

    /// <summary>Rounds of all modes together: KVSERVER_CRASH_ROUNDS, or what fits the machine.</summary>
    public static int Rounds => Read("KVSERVER_CRASH_ROUNDS")
        ?? (TestPaths.IsContinuousIntegration ? RoundsInContinuousIntegration : RoundsOtherwise);

    /// <summary>KVSERVER_CRASH_SEED, or another one for each run.</summary>
    public static int Seed { get; } = Read("KVSERVER_CRASH_SEED") ?? Random.Shared.Next();

    private static int? Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : null;
}
