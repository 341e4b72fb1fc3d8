using KvServer.Server.Observability;

namespace KvServer.Server.Metrics;

/// <summary>The figures of one moment.</summary>
/// <param name="Info">The text of INFO EVERYTHING.</param>
/// <param name="MaxClients">The option, in connections.</param>
/// <param name="MaxMemoryBytes">The option; 0 for no limit.</param>
/// <param name="Databases">Numbered databases.</param>
/// <param name="SlowLogLength">Entries of the slow log.</param>
/// <param name="SlowLogLast">The newest of them, or null.</param>
internal sealed record ServerFigures(
    string Info, long MaxClients, long MaxMemoryBytes, int Databases, int SlowLogLength, SlowLogEntry? SlowLogLast)
{
    /// <summary>Takes them. O(clients + commands), some 100 microseconds. Command loop only.</summary>
    public static ServerFigures Take(ServerState server) => new(
        InfoReport.MakeAll(server),
        server.Config.MaxClients,
        server.Config.MaxMemoryBytes,
        server.Keyspace.DatabaseCount,
        server.SlowLog.Entries.Count,
        server.SlowLog.Entries.FirstOrDefault());
}
