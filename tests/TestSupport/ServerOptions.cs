namespace KvServer.TestSupport;

/// <summary>What a <see cref="ServerProcess"/> is started with.</summary>
public sealed class ServerOptions
{
    /// <summary>The executable; the server under test unless set.</summary>
    public string Binary { get; set; } = TestPaths.ServerBinary;

    /// <summary>Options in configuration file form, name to value, passed as <c>--name value</c>.</summary>
    /// <remarks>A value is split at spaces like a line of the file, so <c>save</c> may be <c>3600 1</c>.</remarks>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Environment variables on top of the caller's, without its <c>KVSERVER_...</c> ones.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>The whole command line instead of one made from <see cref="Settings"/>; set <c>port</c> there too.</summary>
    public IReadOnlyList<string>? CommandLine { get; set; }

    /// <summary>Files that are copied into the server's folder before it starts.</summary>
    public List<string> SeedFiles { get; } = [];

    /// <summary>Text for standard input, which is then closed; null leaves it open.</summary>
    public string? StandardInput { get; set; }

    /// <summary>How long the server may take to become ready.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>True when the executable is redis-server, which knows none of our own options.</summary>
    public bool IsReference => TestPaths.IsReference(Binary);

    /// <summary>Options for a server that tests talk to: nothing saved, DEBUG allowed.</summary>
    public static ServerOptions ForTests(string? binary = null)
    {
        ServerOptions options = new();
        if (binary is not null)
        {
            options.Binary = binary;
        }

        options.Settings["save"] = "";
        options.Settings["appendonly"] = "no";
        options.Settings["enable-debug-command"] = "yes";
        return options;
    }

    /// <summary>Sets an option of our own that redis-server does not know; left out for redis-server.</summary>
    public ServerOptions WithOwn(string name, string value)
    {
        if (!IsReference)
        {
            Settings[name] = value;
        }

        return this;
    }

    /// <summary>Sets an option that both servers know.</summary>
    public ServerOptions With(string name, string value)
    {
        Settings[name] = value;
        return this;
    }
}
