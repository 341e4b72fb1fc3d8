using KvServer.TestSupport;

namespace KvServer.Benchmarks;

/// <summary>One of the two running servers of a comparison.</summary>
internal sealed record Contestant(string Name, ServerProcess Server) : IAsyncDisposable
{
    /// <summary>Its port as text for command lines.</summary>
    public string Port => Server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes => ProcessCounters.ResidentBytes(Server.ProcessId);

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
