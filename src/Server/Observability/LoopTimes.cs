namespace KvServer.Server.Observability;

/// <summary>How long the command loop is busy at a time, for INFO's <c>eventloop_*</c> fields.</summary>
/// <remarks>
/// An entry is what one turn of an event loop brings to the command loop: it begins when its first call may run and ends when
/// the replies are handed to their connections. Receiving, parsing and sending are done outside of it. Whoever comes later
/// waits until an entry has ended, so the longest one is the longest time for which the server itself keeps anybody waiting.
/// Times are ns of a monotonic clock. Command loop only.
/// </remarks>
internal sealed class LoopTimes
{
    /// <summary>Entries that have ended.</summary>
    public long Entries { get; private set; }

    /// <summary>The time of all entries.</summary>
    public long ElapsedNanos { get; private set; }

    /// <summary>What calls took of it.</summary>
    public long CommandNanos { get; private set; }

    /// <summary>What went into handing changes to the append-only file.</summary>
    public long AofNanos { get; private set; }

    /// <summary>What periodic work took of it.</summary>
    public long CronNanos { get; private set; }

    /// <summary>The time of the longest entry.</summary>
    public long LongestNanos { get; private set; }

    /// <summary>Calls in the entry that had the most.</summary>
    public long MostCommands { get; private set; }

    /// <summary>Counts an entry.</summary>
    /// <param name="nanos">From its begin to its end.</param>
    /// <param name="commands">The calls in it.</param>
    public void AddEntry(long nanos, long commands)
    {
        Entries++;
        ElapsedNanos += nanos;
        LongestNanos = Math.Max(LongestNanos, nanos);
        MostCommands = Math.Max(MostCommands, commands);
    }

    /// <summary>Adds the time of some calls.</summary>
    public void AddCommands(long nanos) => CommandNanos += nanos;

    /// <summary>Adds the time of handing changes to the append-only file.</summary>
    public void AddAof(long nanos) => AofNanos += nanos;

    /// <summary>Adds the time of periodic work.</summary>
    public void AddCron(long nanos) => CronNanos += nanos;

    /// <summary>Begins again at zero.</summary>
    public void Reset()
    {
        Entries = 0;
        ElapsedNanos = 0;
        CommandNanos = 0;
        AofNanos = 0;
        CronNanos = 0;
        LongestNanos = 0;
        MostCommands = 0;
    }
}
