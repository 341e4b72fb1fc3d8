namespace KvServer.Server.Commands;

/// <summary>Something that runs inside the command loop as one piece: the batches of an event loop's turn, one
/// connection's batch, a cron tick, posted work.</summary>
/// <remarks>An entry is its own link in the queue, so that queueing allocates nothing. It belongs to the command loop
/// from <see cref="CommandLoop.Run"/> until that returned <see langword="true"/> or <see cref="Completed"/> was
/// called.</remarks>
internal abstract class LoopEntry
{
    /// <summary>The next entry in the command loop's queue.</summary>
    internal LoopEntry? Next { get; set; }

    /// <summary>Does the work. Inside the loop; must not throw, must not block.</summary>
    internal abstract void Execute(CommandExecutor executor);

    /// <summary>Tells the entry's owner that another thread has run it. Still inside the loop, so it only signals.</summary>
    internal abstract void Completed();

    /// <summary>Asks the entry's own thread to hold the loop from here on, by calling
    /// <see cref="CommandLoop.ResumeHolding"/>.</summary>
    /// <returns><see langword="false"/> when the entry has no thread that could; the holder then goes on.</returns>
    internal virtual bool TakeOver(CommandLoop loop) => false;
}
