namespace KvServer.Benchmarks.Load;

/// <summary>A request that took long: when, at how many keys, how long.</summary>
internal readonly record struct SlowRequest(long AtTimestamp, long Keys, double Ms);
