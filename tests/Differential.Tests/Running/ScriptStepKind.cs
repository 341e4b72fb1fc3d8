namespace KvServer.Differential.Tests.Running;

/// <summary>What a step of a script does.</summary>
public enum ScriptStepKind
{
    /// <summary>Sends a command and compares its replies.</summary>
    Command,

    /// <summary>Sends bytes and compares everything that comes back until the line is quiet or closed.</summary>
    Raw,

    /// <summary>Reads replies or pushes without sending anything, and compares them.</summary>
    Read,

    /// <summary>Changes to another connection, opened at first use.</summary>
    Connection,

    /// <summary>Closes the current connection on both sides.</summary>
    Close,

    /// <summary>Sets an option on both servers; set back after the script.</summary>
    Config,

    /// <summary>Compares DEBUG DIGEST.</summary>
    Digest,

    /// <summary>Repeats a command on both servers until the reply reads as given.</summary>
    Until,
}
