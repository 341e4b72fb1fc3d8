namespace KvServer.Server.Hosting;

/// <summary>The server can't start. The message is one clear line for log and standard error; exit code 1.</summary>
public sealed class StartupException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public StartupException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong, and what it comes from.</summary>
    public StartupException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>A failed start without more to say.</summary>
    public StartupException()
        : base("The server can't start")
    {
    }

    /// <summary>The port can't be listened on.</summary>
    public static StartupException ListeningFailed(int port, string kind, Exception? inner = null) =>
        new($"Failed listening on port {port} ({kind}), aborting.", inner!);
}
