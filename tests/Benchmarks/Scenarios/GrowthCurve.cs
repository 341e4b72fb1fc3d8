namespace KvServer.Benchmarks.Scenarios;

/// <summary>What was slow while something grew: number of keys and milliseconds.</summary>
internal sealed record GrowthCurve(string Name, IReadOnlyList<(long Keys, double Ms)> Slow);
