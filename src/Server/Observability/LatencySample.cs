namespace KvServer.Server.Observability;

/// <summary>The worst time an event took within one second.</summary>
/// <param name="AtSeconds">Which second, since the Unix epoch.</param>
/// <param name="Ms">How long it took, in ms.</param>
internal readonly record struct LatencySample(long AtSeconds, long Ms);
