using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Clients;

/// <summary>CLIENT PAUSE: which commands wait, until when, and the clients that do.</summary>
/// <remarks>
/// A client is held at the first command that must not run: the command stays in its batch, the client is suspended,
/// and at the end its connection goes on from there. Clients that call nothing of the kind notice nothing.
/// While it lasts no key is
/// removed because its time has come: that would be a change, too. Command loop only.
/// </remarks>
internal sealed class ClientPause(Keyspace keyspace)
{
    private readonly HeldClients _held = new();
    private bool _holdsAll;

    /// <summary>True while some commands wait.</summary>
    public bool IsActive { get; private set; }

    /// <summary>When it ends by itself, in ms since the Unix epoch.</summary>
    public long EndsAtMs { get; private set; }

    /// <summary>Clients that wait now: part of INFO's blocked_clients.</summary>
    public int HeldCount => _held.Count;

    /// <summary>Starts a pause or widens the one that is on: the later end and the stricter kind win.</summary>
    /// <param name="endsAtMs">In ms since the Unix epoch.</param>
    /// <param name="holdsAll">All commands wait; otherwise those that may change data.</param>
    public void Begin(long endsAtMs, bool holdsAll)
    {
        _holdsAll = holdsAll || (IsActive && _holdsAll);
        EndsAtMs = IsActive ? Math.Max(EndsAtMs, endsAtMs) : endsAtMs;
        IsActive = true;
        keyspace.DeletesExpiredKeys = false;
    }

    /// <summary>Ends the pause and lets every held client go on. Does nothing when there is none.</summary>
    public void End()
    {
        if (!IsActive)
        {
            return;
        }

        IsActive = false;
        keyspace.DeletesExpiredKeys = true;
        _holdsAll = false;
        _held.ReleaseAll();
    }

    /// <summary>Ends the pause when its time has come.</summary>
    public void EndWhenDue(long nowMs)
    {
        if (IsActive && nowMs >= EndsAtMs)
        {
            End();
        }
    }

    /// <summary>Whether a call that may do these things must wait now.</summary>
    public bool Holds(CommandFlags flags) =>
        IsActive && (_holdsAll || (flags & (CommandFlags.Write | CommandFlags.MayReplicate)) != 0);

    /// <summary>Suspends a client until the pause ends.</summary>
    public void Hold(Client client) => _held.Hold(client);

    /// <summary>Forgets a client that disconnects.</summary>
    public void Remove(Client client) => _held.Remove(client);
}
