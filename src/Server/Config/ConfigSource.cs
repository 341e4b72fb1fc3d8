namespace KvServer.Server.Config;

/// <summary>What kind of place a value comes from.</summary>
public enum ConfigSource
{
    /// <summary>A file, the environment or the command line, while the server starts.</summary>
    Startup,

    /// <summary>The first such line for an option whose lines add up: what was there is replaced.</summary>
    StartupFirst,

    /// <summary>CONFIG SET.</summary>
    Command,
}
