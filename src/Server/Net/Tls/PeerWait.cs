namespace KvServer.Server.Net.Tls;

/// <summary>How long a handshake has waited for its client, all in all. What the server itself takes does not count: it may
/// have hundreds to compute.</summary>
/// <remarks>One thread begins and ends waits at a time; any thread may ask.</remarks>
internal sealed class PeerWait
{
    private long _sinceMs = Environment.TickCount64; // 0 while it does not wait.
    private long _beforeMs;

    /// <summary>Whether it waits now, as from the beginning on, and how long it has waited, in ms.</summary>
    internal bool HasWaited(long ms)
    {
        long before = Volatile.Read(ref _beforeMs); // First, so that a wait that ends meanwhile does not count twice.
        long since = Volatile.Read(ref _sinceMs);
        return since != 0 && before + Environment.TickCount64 - since >= ms;
    }

    /// <summary>The client has to send something.</summary>
    internal void Begin() => Volatile.Write(ref _sinceMs, Environment.TickCount64);

    /// <summary>It has.</summary>
    internal void End()
    {
        if (_sinceMs != 0)
        {
            Volatile.Write(ref _beforeMs, _beforeMs + Environment.TickCount64 - _sinceMs);
            Volatile.Write(ref _sinceMs, 0);
        }
    }
}
