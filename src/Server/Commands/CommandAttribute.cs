namespace KvServer.Server.Commands;

/// <summary>Declares a command: the one place from which arity errors, COMMAND, ACL categories and statistics derive.</summary>
/// <param name="name">Upper case; a subcommand is named in full, as in <c>CLIENT|ID</c>.</param>
/// <param name="arity">Arguments with the name itself; negative means "at least". Counts both words of a subcommand.</param>
/// <param name="flags">What it does and where it is allowed.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CommandAttribute(string name, int arity, CommandFlags flags) : Attribute
{
    public string Name { get; } = name;

    public int Arity { get; } = arity;

    public CommandFlags Flags { get; } = flags;

    public CommandGroup Group { get; init; }

    /// <summary>The Redis version that had it first.</summary>
    public string Since { get; init; } = "1.0.0";

    public string Complexity { get; init; } = "O(1)";

    public string Summary { get; init; } = "";

    /// <summary>The arguments after the name, as in <c>key value [condition:NX|XX] [GET]</c>. See <see cref="CommandSyntax"/>.</summary>
    public string Syntax { get; init; } = "";

    /// <summary>ACL categories that the flags and the group do not give, as in <c>"keyspace dangerous"</c>.</summary>
    public string Acl { get; init; } = "";

    /// <summary>What it does with channels among its arguments.</summary>
    public Acl.ChannelUse Channels { get; init; }

    /// <summary>Command tips for clients and proxies, separated by spaces.</summary>
    public string Tips { get; init; } = "";

    /// <summary>When each option was added, "version: what" separated by semicolons.</summary>
    public string History { get; init; } = "";

    /// <summary>The version that deprecated it, and what to use instead, as in <c>"2.6.12: SET with NX"</c>.</summary>
    public string Deprecated { get; init; } = "";

    /// <summary>Not meant for clients: COMMAND DOCS flags it <c>syscmd</c>.</summary>
    public bool IsInternal { get; init; }
}
