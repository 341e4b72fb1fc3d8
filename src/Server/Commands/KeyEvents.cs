namespace KvServer.Server.Commands;

/// <summary>What follows from an event.</summary>
internal static class KeyEvents
{
    /// <summary>Whether a client that waits for the key may find something now, or find out that it never will.</summary>
    public static bool Wakes(this KeyEvent keyEvent) => keyEvent is not (
        KeyEvent.Expire or KeyEvent.Persist or KeyEvent.XDel or KeyEvent.XTrim or KeyEvent.XSetId or KeyEvent.XGroupCreate
        or KeyEvent.XGroupSetId or KeyEvent.XGroupCreateConsumer or KeyEvent.XGroupDelConsumer);

    /// <summary>Whether a transaction that watches the key is off. As on the reference server, what only the groups and counters
    /// of a stream notice is not seen, and PFDEBUG not either.</summary>
    public static bool IsWatched(this KeyEvent keyEvent) => keyEvent is not (
        KeyEvent.XSetId or KeyEvent.XGroupCreate or KeyEvent.XGroupSetId or KeyEvent.XGroupDestroy
        or KeyEvent.XGroupCreateConsumer or KeyEvent.XGroupDelConsumer or KeyEvent.PfDebug);
}
