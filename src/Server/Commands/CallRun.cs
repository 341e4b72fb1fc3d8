namespace KvServer.Server.Commands;

/// <summary>Calls of one command that follow each other in a batch and are timed together; see
/// <see cref="CommandTiming"/>.</summary>
internal struct CallRun
{
    /// <summary>What is called; null before the first call.</summary>
    public Command? Command;

    /// <summary>How many calls have run.</summary>
    public int Calls;

    /// <summary>Which request of the batch the last of them was.</summary>
    public int LastIndex;

    /// <summary>When the first began, a timestamp of the clock; 0 while that has not been read.</summary>
    public long StartedAt;
}
