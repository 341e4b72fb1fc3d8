namespace KvServer.Server.Observability;

/// <summary>A call that took long.</summary>
/// <param name="Id">Ascending for the life of the process, from 0.</param>
/// <param name="AtSeconds">When it ran, in seconds since the Unix epoch.</param>
/// <param name="Micros">How long it took, in microseconds.</param>
/// <param name="Arguments">Its arguments, cut where they are many or long, secrets replaced.</param>
/// <param name="Address">Where its client came from.</param>
/// <param name="ClientName">What its client called itself; empty for nothing.</param>
internal sealed record SlowLogEntry(
    long Id, long AtSeconds, long Micros, byte[][] Arguments, string Address, byte[] ClientName);
