using System.Diagnostics;
using KvServer.Server.Net;

namespace KvServer.Server.Commands;

/// <summary>The one door to the keyspace: runs entries one at a time, on whichever thread brings them.</summary>
/// <remarks>
/// <para>What finds the loop idle runs at once on the calling thread: no queue, no hop. What finds it busy is pushed
/// onto a stack without a lock, and the thread that holds the loop runs it before it lets go:</para>
/// <code>
///   _state: null                 idle
///           Held                 somebody runs, nobody waits
///           C -> B -> A -> Held  somebody runs; A came first, then B, then C
/// </code>
/// <para>The holder takes the whole stack at once and turns it round, so entries run in the order they came. It runs
/// a bounded number of other threads' entries; what is left then goes, with the loop itself, to the next entry's own
/// thread (<see cref="LoopEntry.TakeOver"/>), so that no event loop serves the others for ever while its own clients
/// wait. Entries whose threads cannot take over are run by the holder.</para>
/// <para>Everything that code inside the loop touches is seen by the next holder: each hand-over passes through an
/// interlocked operation.</para>
/// </remarks>
internal sealed class CommandLoop
{
    /// <summary>Entries of other threads that a holder runs before it passes the loop on.</summary>
    internal const int MaxForeignEntries = 16;

    private static readonly LoopEntry Held = new Marker();

    private readonly CommandExecutor _executor;
    private readonly Action<Exception>? _onFault;
    private readonly List<Connection> _touched = [];
    private LoopEntry? _state;
    private LoopEntry? _backlog;
    private int _holderThread;

    /// <summary>Creates an idle loop.</summary>
    /// <param name="executor">Runs requests. Called inside the loop only.</param>
    /// <param name="onFault">Told about an exception that an entry let out. Nothing runs any more afterwards: the state
    /// behind this door may be broken, so the process has to end.</param>
    internal CommandLoop(CommandExecutor executor, Action<Exception>? onFault = null)
    {
        _executor = executor;
        _onFault = onFault;
    }

    /// <summary>Whether the calling thread holds the loop at this moment.</summary>
    internal bool IsHeldByCaller => Volatile.Read(ref _holderThread) == Environment.CurrentManagedThreadId;

    /// <summary>Runs an entry now if the loop is idle, else leaves it to the holder.</summary>
    /// <param name="entry">Must not be waiting already.</param>
    /// <returns><see langword="true"/> when the entry has run on this thread; else
    /// <see cref="LoopEntry.Completed"/> is called on the thread that runs it, from inside the loop.</returns>
    /// <remarks>Any thread, but not from inside the loop. Never blocks.</remarks>
    internal bool Run(LoopEntry entry)
    {
        Debug.Assert(!IsHeldByCaller, "An entry must not enter the loop again.");
        if (!EnterOrQueue(entry))
        {
            return false;
        }

        _holderThread = Environment.CurrentManagedThreadId;
        Execute(entry);
        Leave();
        return true;
    }

    /// <summary>Runs work inside the loop: now on this thread when the loop is idle or already held by it, else soon on
    /// the holder's.</summary>
    /// <param name="work">Short work: everything else waits for it.</param>
    /// <remarks>Any thread. For timers and the completions of background work.</remarks>
    internal void Post(Action work)
    {
        if (IsHeldByCaller)
        {
            work();
            return;
        }

        _ = Run(new PostedWork(work));
    }

    /// <summary>Goes on where a holder stopped that passed the loop on.</summary>
    /// <remarks>Called once by the thread that <see cref="LoopEntry.TakeOver"/> named.</remarks>
    internal void ResumeHolding()
    {
        _holderThread = Environment.CurrentManagedThreadId;
        Leave();
    }

    /// <summary>Has a connection's replies committed, and a requested close done, at the end of the entry.</summary>
    /// <remarks>Inside the loop only.</remarks>
    internal void Touch(Connection connection)
    {
        if (!connection.IsTouched)
        {
            connection.IsTouched = true;
            _touched.Add(connection);
        }
    }

    private bool EnterOrQueue(LoopEntry entry)
    {
        LoopEntry? seen = Interlocked.CompareExchange(ref _state, Held, null);
        while (seen is not null)
        {
            entry.Next = seen;
            LoopEntry? before = Interlocked.CompareExchange(ref _state, entry, seen);
            if (before == seen)
            {
                return false;
            }

            seen = before ?? Interlocked.CompareExchange(ref _state, Held, null);
        }

        return true;
    }

    private void Leave()
    {
        int ran = 0;
        while (true)
        {
            LoopEntry? entry = _backlog;
            if (entry is null)
            {
                _holderThread = 0;
                if (Interlocked.CompareExchange(ref _state, null, Held) == Held)
                {
                    return;
                }

                _holderThread = Environment.CurrentManagedThreadId;
                _backlog = entry = TakeWaiting();
            }

            if (ran >= MaxForeignEntries && PassOn(entry))
            {
                return;
            }

            _backlog = entry.Next;
            entry.Next = null;
            Execute(entry);
            entry.Completed();
            ran++;
        }
    }

    // The loop stays held while it changes hands. Nothing of it may be read after TakeOver: the other thread may have
    // gone on with it already.
    private bool PassOn(LoopEntry next)
    {
        _holderThread = 0;
        if (next.TakeOver(this))
        {
            return true;
        }

        _holderThread = Environment.CurrentManagedThreadId;
        return false;
    }

    private LoopEntry TakeWaiting()
    {
        LoopEntry? newest = Interlocked.Exchange(ref _state, Held);
        LoopEntry? oldest = null;
        while (newest != Held)
        {
            Debug.Assert(newest is not null, "The stack ends with the marker while the loop is held.");
            LoopEntry? older = newest!.Next;
            newest.Next = oldest;
            oldest = newest;
            newest = older;
        }

        return oldest!;
    }

    private void Execute(LoopEntry entry)
    {
        try
        {
            _executor.BeginTurn();
            entry.Execute(_executor);
            _executor.EndTurn();
            for (int i = 0; i < _touched.Count; i++) // Disconnecting one may touch others.
            {
                Connection connection = _touched[i];
                connection.IsTouched = false;
                connection.Settle(_executor);
            }

            _touched.Clear();
            _executor.NoteTurn();
        }
        catch (Exception fault)
        {
            _onFault?.Invoke(fault);
            throw; // With the loop still held.
        }
    }

    private sealed class Marker : LoopEntry
    {
        internal override void Execute(CommandExecutor executor) => throw new UnreachableException();

        internal override void Completed() => throw new UnreachableException();
    }

    private sealed class PostedWork(Action work) : LoopEntry
    {
        internal override void Execute(CommandExecutor executor) => work();

        internal override void Completed()
        {
            // Nobody waits for posted work: what it has to say it does itself.
        }
    }
}
