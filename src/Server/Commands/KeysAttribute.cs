namespace KvServer.Server.Commands;

/// <summary>One range of key positions in a command's arguments. Repeats where keys lie in several ranges.</summary>
/// <param name="first">Index of the first key, counting the command name as 0; for subcommands both words count.
/// With <see cref="NumKeysAt"/> this is ignored for the position but still names where the search begins.</param>
/// <param name="access">What the command does with these keys.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class KeysAttribute(int first, KeyAccess access) : Attribute
{
    public int First { get; } = first;

    public KeyAccess Access { get; } = access;

    /// <summary>What decides what a call does, if it is not the same for all.</summary>
    public KeyAccessRule Rule { get; init; }

    /// <summary>Index of the last key; 0 means the first is the only one, -1 the last argument, -2 the one before it.</summary>
    public int Last { get; init; }

    /// <summary>Distance between keys, as in MSET's 2.</summary>
    public int Step { get; init; } = 1;

    /// <summary>With a negative <see cref="Last"/>: only the first 1/Limit of the range holds keys. 0 and 1 mean all.</summary>
    public int Limit { get; init; }

    /// <summary>Index of the argument that holds the number of keys; the keys follow it. 0: not used.</summary>
    public int NumKeysAt { get; init; }

    /// <summary>A word to search for from <see cref="StartFrom"/> on; keys follow it. Empty: not used.</summary>
    public string Keyword { get; init; } = "";

    /// <summary>Where the search for <see cref="Keyword"/> begins; negative searches backwards from the end.</summary>
    public int StartFrom { get; init; }

    /// <summary>Remarks shown in COMMAND INFO's key specification.</summary>
    public string Notes { get; init; } = "";

    /// <summary>Name of a static method of the same class, <c>int (Arguments args, List&lt;int&gt; positions)</c>, that
    /// finds the positions when a range cannot describe them.</summary>
    public string Finder { get; init; } = "";
}
