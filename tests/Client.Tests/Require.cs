using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Skips a test for want of a tool; in CI that is a failure, since there everything is installed.</summary>
internal static class Require
{
    /// <summary>Returns the path of a tool.</summary>
    public static string Tool(string name)
    {
        string? path = TestPaths.FindOnPath(name);
        That(path is not null, $"{name} is not on PATH");
        return path!;
    }

    /// <summary>Skips, or fails in CI, when the condition does not hold.</summary>
    public static void That(bool condition, string reason)
    {
        Assert.False(!condition && TestPaths.IsContinuousIntegration, reason);
        Assert.SkipUnless(condition, reason);
    }
}
