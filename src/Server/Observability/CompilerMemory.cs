namespace KvServer.Server.Observability;

/// <summary>Has what the just-in-time compiler used and freed given back to the system.</summary>
/// <remarks>
/// The compiler works in memory of the C library, on threads of their own: some 6 MB during the first seconds of load. It keeps
/// what it no longer needs until the finalizer thread has come by three times, more than two seconds apart; and that thread
/// sleeps while there is no garbage, which is most of the time here. Then the library keeps it. So once nothing has been
/// compiled for a second the one is woken and the other asked, a few times; afterwards at ever longer intervals, because the
/// library holds its locks for a moment. Command loop only.
/// </remarks>
/// <param name="compiledMethods">Counts the methods compiled since the start.</param>
/// <param name="giveBack">Wakes the one and asks the other; must not wait for them.</param>
internal sealed class CompilerMemory(Func<long> compiledMethods, Action giveBack)
{
    private const long QuietMs = 1000;
    private const long RoundMs = 2500;
    private const int Rounds = 4;
    private const long FirstIntervalMs = 5000;
    private const long LongestIntervalMs = 600_000;

    private long _methods = -1;
    private long _methodsAtLast;
    private long _changedAtMs;
    private long _notBeforeMs = long.MinValue;
    private long _intervalMs = FirstIntervalMs;
    private int _roundsLeft;

    /// <summary>Lets time pass. Called by the cron.</summary>
    /// <param name="nowMs">The time in ms, of a clock that never steps back.</param>
    public void Tick(long nowMs)
    {
        long methods = compiledMethods();
        if (methods != _methods)
        {
            _methods = methods;
            _changedAtMs = nowMs;
            return;
        }

        if (nowMs < _notBeforeMs || nowMs - _changedAtMs < QuietMs)
        {
            return;
        }

        if (_roundsLeft == 0 && methods != _methodsAtLast)
        {
            _roundsLeft = Rounds;
        }

        if (_roundsLeft > 0)
        {
            _methodsAtLast = methods;
            _roundsLeft--;
            _notBeforeMs = nowMs + RoundMs;
            if (_roundsLeft == 0)
            {
                _notBeforeMs = nowMs + _intervalMs;
                _intervalMs = Math.Min(_intervalMs * 2, LongestIntervalMs);
            }

            giveBack();
        }
    }
}
