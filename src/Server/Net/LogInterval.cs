namespace KvServer.Server.Net;

/// <summary>Lets a line into the log once in so many ms, whatever clients do to have it written.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class LogInterval(long intervalMs)
{
    private long _enteredAtMs = -intervalMs; // The clock may have started just now.

    /// <summary>Whether the line is due. Of several threads that ask at once, one is told so.</summary>
    /// <param name="nowMs">In ms of <see cref="Environment.TickCount64"/>.</param>
    internal bool TryEnter(long nowMs)
    {
        long enteredAtMs = Interlocked.Read(ref _enteredAtMs);
        return nowMs - enteredAtMs >= intervalMs
            && Interlocked.CompareExchange(ref _enteredAtMs, nowMs, enteredAtMs) == enteredAtMs;
    }
}
