namespace KvServer.Server.Clients;

/// <summary>The memory a client takes: CLIENT LIST's <c>tot-mem</c>, and what <c>maxmemory-clients</c> limits.</summary>
internal static class ClientMemory
{
    /// <summary>Bytes of a connection that does nothing: session, pipes, kernel handles. Measured over 10,000 of them
    /// (<c>tests/Benchmarks -- idle</c>).</summary>
    public const long IdleBytes = 2800;

    /// <summary>Bytes a client takes at this moment: of the bytes that wait, either way, what it has queued and watches,
    /// its subscriptions and prefixes with their names, and what any connection takes. O(1).</summary>
    public static long Of(Client client) =>
        IdleBytes
        + client.Connection.PendingInputBytes
        + client.Connection.BatchBytes
        + client.Connection.PendingOutputBytes
        + client.TransactionBytes
        + client.Name.Length
        + client.LibraryName.Length
        + client.LibraryVersion.Length
        + client.HeldPushBytes
        + (client.Subscriptions?.SizeBytes ?? 0)
        + (client.Tracking?.PrefixBytes ?? 0);
}
