using KvServer.TestSupport;

namespace KvServer.Benchmarks;

/// <summary>One of the two running servers of a comparison.</summary>
internal sealed record Contestant(string Name, ServerProcess Server) : IAsyncDisposable
{
    /// <summary>Its port as text for command lines.</summary>
    public string Port => Server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes => ProcessCounters.ResidentBytes(Server.ProcessId);

    /// <summary>Processor time of the threads that serve requests: redis-server's first one, our event loops.</summary>
    /// <remarks>The rest of the process is its background work. Means nothing with <c>event-loop sockets</c>.</remarks>
    public TimeSpan ServingCpuTime => ProcessCounters.ThreadCpuTime(Server.ProcessId, "kv-loop");

    /// <summary>Processor time of the process and of its children that have ended.</summary>
    public TimeSpan WholeCpuTime =>
        ProcessCounters.TotalCpuTime(Server.ProcessId) + ProcessCounters.EndedChildrenCpuTime(Server.ProcessId);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Stops several.</summary>
    public static async Task StopAsync(IEnumerable<Contestant> contestants)
    {
        foreach (Contestant contestant in contestants)
        {
            await contestant.DisposeAsync();
        }
    }
}
