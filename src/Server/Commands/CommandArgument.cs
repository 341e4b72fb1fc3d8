namespace KvServer.Server.Commands;

/// <summary>One argument of a command as COMMAND DOCS shows it; made by <see cref="CommandSyntax"/>.</summary>
internal sealed class CommandArgument
{
    public required string Name { get; init; }

    public required CommandArgumentType Type { get; init; }

    /// <summary>Index of the key specification it falls under, or -1.</summary>
    public int KeySpecIndex { get; init; } = -1;

    /// <summary>The word that stands before the value, or is the argument itself; null when there is none.</summary>
    public string? Token { get; init; }

    /// <summary>The version that added it, empty when the command always had it.</summary>
    public string Since { get; init; } = "";

    /// <summary>The version that deprecated it, empty when it is current.</summary>
    public string DeprecatedSince { get; init; } = "";

    public bool IsOptional { get; init; }

    public bool IsMultiple { get; init; }

    /// <summary>Each repetition repeats the token too.</summary>
    public bool RepeatsToken { get; init; }

    /// <summary>The members of a block or the alternatives of a choice.</summary>
    public IReadOnlyList<CommandArgument> Arguments { get; init; } = [];
}
