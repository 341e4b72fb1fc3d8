using System.Diagnostics;

namespace KvServer.Storage;

/// <content>The active expire cycle: removes keys whose time has come although nobody asks for them.</content>
public sealed partial class Keyspace
{
    // Figures of effort 1; each further step of effort adds a quarter (two percent of CPU, one of stale keys).
    private const int KeysPerRound = 20;
    private const long FastCycleMicroseconds = 1000;
    private const int SlowCyclePercent = 25;
    private const int AcceptableStalePercent = 10;
    private const int DatabasesPerCycle = 16;
    private const int RoundsPerClockRead = 16;

    private int _expireDatabase;
    private int _fieldDatabase;
    private bool _expireRanOutOfTime;
    private long _lastFastCycle;

    /// <summary>Whether the cycle does anything (DEBUG SET-ACTIVE-EXPIRE).</summary>
    public bool ActiveExpireEnabled { get; set; } = true;

    /// <summary>From 1 to 10: how much time and how many keys per round (active-expire-effort).</summary>
    public int ActiveExpireEffort { get; set; } = 1;

    /// <summary>The cycle of the cron: up to a quarter of the time between two ticks at effort 1.</summary>
    /// <param name="hz">How often a second the cron calls this.</param>
    public void ExpireSlowly(int hz)
    {
        long microseconds = (SlowCyclePercent + (2 * (ActiveExpireEffort - 1))) * 1_000_000L / hz / 100;
        RunExpireCycle(Math.Max(microseconds, 1));
    }

    /// <summary>A short cycle for each turn of the loop; does something only while many keys are stale.</summary>
    public void ExpireFast()
    {
        int effort = ActiveExpireEffort - 1;
        if (!_expireRanOutOfTime && Statistics.ExpiredStalePercent < AcceptableStalePercent - effort)
        {
            return;
        }

        long microseconds = FastCycleMicroseconds + (FastCycleMicroseconds / 4 * effort);
        if (_lastFastCycle != 0 && Stopwatch.GetElapsedTime(_lastFastCycle).TotalMicroseconds < microseconds * 2)
        {
            return;
        }

        _lastFastCycle = Stopwatch.GetTimestamp();
        RunExpireCycle(microseconds);
    }

    private void RunExpireCycle(long budgetMicroseconds)
    {
        if (!ActiveExpireEnabled || !DeletesExpiredKeys)
        {
            return;
        }

        int effort = ActiveExpireEffort - 1;
        int keysPerRound = KeysPerRound + (KeysPerRound / 4 * effort);
        int acceptablePercent = AcceptableStalePercent - effort;
        int databases = _expireRanOutOfTime ? DatabaseCount : Math.Min(DatabaseCount, DatabasesPerCycle);
        long start = Stopwatch.GetTimestamp();
        long sampled = 0;
        long expired = 0;
        int rounds = 0;
        _expireRanOutOfTime = false;
        for (int i = 0; i < databases && !_expireRanOutOfTime; i++)
        {
            // Going on with the next one even when time runs out gives every database its turn.
            Database database = _databases[_expireDatabase++ % DatabaseCount];
            _expireDatabase %= DatabaseCount;
            bool again = true;
            while (again && database.ExpireCount > 0 && !database.IsExpiryIndexSparse)
            {
                ExpireRound round = default;
                database.ExpireSample((int)Math.Min(keysPerRound, database.ExpireCount), ref round);
                sampled += round.Sampled;
                expired += round.Expired;
                if (round.TtlCount > 0)
                {
                    database.NoteAverageTtl(round.TtlSum / round.TtlCount);
                }

                if (++rounds % RoundsPerClockRead == 0
                    && Stopwatch.GetElapsedTime(start).TotalMicroseconds > budgetMicroseconds)
                {
                    _expireRanOutOfTime = true;
                    Statistics.ExpiredTimeCapReached++;
                    break;
                }

                again = round.Sampled == 0 || round.Expired * 100 / round.Sampled > acceptablePercent;
            }
        }

        ExpireFields(start, budgetMicroseconds);
        Statistics.ExpireCycleMicroseconds += (long)Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        double stale = sampled == 0 ? 0 : (double)expired * 100 / sampled;
        Statistics.ExpiredStalePercent = (stale * 0.05) + (Statistics.ExpiredStalePercent * 0.95);
    }

    // Fields of hashes are in order, so there is nothing to sample: what is due is removed, as far as the time goes. The
    // keys may have used it up, so a quarter more is there for fields.
    private void ExpireFields(long start, long budgetMicroseconds)
    {
        const int FieldsPerClockRead = 64;
        long fieldsStart = Stopwatch.GetTimestamp();
        for (int i = 0; i < DatabaseCount; i++)
        {
            Database database = _databases[_fieldDatabase % DatabaseCount];
            while (database.ExpireFields(FieldsPerClockRead) > 0)
            {
                if (Stopwatch.GetElapsedTime(start).TotalMicroseconds > budgetMicroseconds
                    && Stopwatch.GetElapsedTime(fieldsStart).TotalMicroseconds > budgetMicroseconds / 4)
                {
                    return; // The next cycle goes on here.
                }
            }

            _fieldDatabase = (_fieldDatabase + 1) % DatabaseCount;
        }
    }
}
