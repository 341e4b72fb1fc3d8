using KvServer.Server.Commands;

namespace KvServer.Server.Net;

/// <summary>What one turn of an event loop brings to the command loop, entered as one piece.</summary>
/// <remarks>Each loop has two: one that is filled while the other may still wait for the command loop.</remarks>
internal sealed class Turn(EventLoop owner) : LoopEntry
{
    /// <summary>New connections that need a session.</summary>
    internal List<EpollConnection> Accepted { get; } = [];

    /// <summary>Connections with a batch to run.</summary>
    internal List<EpollConnection> Ready { get; } = [];

    /// <summary>Connections that broke.</summary>
    internal List<EpollConnection> Lost { get; } = [];

    /// <summary>What background threads want done.</summary>
    internal List<Action> Work { get; } = [];

    /// <summary>The connections that <see cref="MaintenanceDue"/> and <see cref="CloseAll"/> are about.</summary>
    internal List<EpollConnection> Maintained { get; } = [];

    /// <summary>Whether the cron is due.</summary>
    internal bool CronDue { get; set; }

    /// <summary>Whether this loop's connections are to be looked over.</summary>
    internal bool MaintenanceDue { get; set; }

    /// <summary>Whether all of this loop's connections are to be closed.</summary>
    internal bool CloseAll { get; set; }

    /// <summary>Connections refused since the previous turn.</summary>
    internal int Refused { get; set; }

    /// <summary>Whether there is anything to enter the command loop for.</summary>
    internal bool HasWork =>
        Ready.Count > 0 || Work.Count > 0 || Accepted.Count > 0 || Lost.Count > 0 || CronDue || MaintenanceDue || CloseAll
        || Refused > 0;

    /// <inheritdoc/>
    internal override void Execute(CommandExecutor executor)
    {
        if ((Accepted.Count | Lost.Count) > 0)
        {
            Admit(executor);
        }

        for (int i = 0; i < Work.Count; i++)
        {
            Work[i]();
        }

        List<EpollConnection> ready = Ready;
        for (int i = 0; i < ready.Count; i++)
        {
            ready[i].Handler.LookAhead(executor);
        }

        for (int i = 0; i < ready.Count; i++)
        {
            ready[i].Handler.PrefetchEntries(executor);
        }

        for (int i = 0; i < ready.Count; i++)
        {
            ready[i].Handler.RunBatch(executor);
        }

        if (CronDue || MaintenanceDue || CloseAll || Refused > 0)
        {
            RunTimers(executor);
        }
    }

    /// <inheritdoc/>
    internal override void Completed() => owner.TurnCompleted();

    /// <inheritdoc/>
    internal override bool TakeOver(CommandLoop loop)
    {
        owner.TakeOverCommandLoop();
        return true;
    }

    /// <summary>Makes the turn ready to be filled again.</summary>
    internal void Clear()
    {
        Accepted.Clear();
        Ready.Clear();
        Lost.Clear();
        Work.Clear();
        Maintained.Clear();
        CronDue = false;
        MaintenanceDue = false;
        CloseAll = false;
        Refused = 0;
    }

    private void Admit(CommandExecutor executor)
    {
        foreach (EpollConnection connection in Accepted)
        {
            connection.Handler.Open(executor);
        }

        foreach (EpollConnection connection in Lost)
        {
            connection.Handler.CloseNow("connection lost");
        }
    }

    private void RunTimers(CommandExecutor executor)
    {
        executor.Statistics.ConnectionsRejected += Refused;
        if (CronDue)
        {
            owner.RunCron(executor);
        }

        if (MaintenanceDue || CloseAll)
        {
            EventLoop.ForEachConnection(this, CloseAll);
        }
    }
}
