namespace KvServer.Server.Net.Tls;

/// <summary>The options for TLS cannot be used. The message is one line for the log.</summary>
internal sealed class TlsException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public TlsException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong, and what it comes from.</summary>
    public TlsException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Nothing more to say.</summary>
    public TlsException()
        : base("TLS cannot be used")
    {
    }
}
