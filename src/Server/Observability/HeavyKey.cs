namespace KvServer.Server.Observability;

/// <summary>One of the busiest keys, as <see cref="HeavyKeys.Top"/> tells of it.</summary>
/// <param name="Database">The number of its database.</param>
/// <param name="Name">The key, of a long one the first <see cref="HeavyKeys.KeptNameBytes"/> bytes.</param>
/// <param name="NameBytes">How long the key is.</param>
/// <param name="Amount">What was counted for it, in requests or bytes.</param>
/// <param name="Error">How far the true amount may be away from it; more than that is as rare as three standard
/// deviations are.</param>
/// <param name="PerSecond">The amount per second of late.</param>
internal readonly record struct HeavyKey(
    int Database, byte[] Name, int NameBytes, long Amount, long Error, long PerSecond);
