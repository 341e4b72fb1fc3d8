namespace KvServer.Server.Commands;

/// <summary>What follows from an event.</summary>
internal static class KeyEvents
{
    /// <summary>Whether a client that waits for the key may find something now, or find out that it never will.</summary>
    public static bool Wakes(this KeyEvent keyEvent) => keyEvent is not (
        KeyEvent.Expire or KeyEvent.Persist or KeyEvent.XDel or KeyEvent.XTrim or KeyEvent.XSetId or KeyEvent.XGroupCreate
        or KeyEvent.XGroupSetId or KeyEvent.XGroupCreateConsumer or KeyEvent.XGroupDelConsumer);
}
