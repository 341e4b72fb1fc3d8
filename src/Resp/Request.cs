namespace KvServer.Resp;

/// <summary>One request of a batch: where its arguments are, and places for what the server finds out ahead.</summary>
public struct Request
{
    internal int FirstSlot;

    /// <summary>The number of arguments, the command name included; at least 1.</summary>
    public int ArgumentCount { get; internal set; }

    /// <summary>The index of the first key argument; filled by the server, 0 when there is none.</summary>
    public int FirstKey;

    /// <summary>The hash of that key; filled by the server.</summary>
    public ulong KeyHash;

    /// <summary>The command found for the name; filled by the server, null until then.</summary>
    public object? Command;

    /// <summary>The arguments, valid until <paramref name="batch"/> is cleared.</summary>
    public readonly Arguments Arguments(RequestBatch batch) => batch.ArgumentsAt(FirstSlot, ArgumentCount);
}
