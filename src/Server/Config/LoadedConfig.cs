namespace KvServer.Server.Config;

/// <summary>What start-up read.</summary>
/// <param name="Config">The values.</param>
/// <param name="FilePath">Full path of the configuration file, or <see langword="null"/> without one.</param>
/// <param name="SetOutside">Options that included files set: a rewritten file must say them after its includes.</param>
/// <param name="Warnings">One line each, for the log.</param>
public sealed record LoadedConfig(
    ServerConfig Config, string? FilePath, IReadOnlySet<ConfigOption> SetOutside, IReadOnlyList<string> Warnings)
{
    /// <summary>An included file that declares users, or <see langword="null"/>: a rewritten file can't say them again.</summary>
    public string? IncludeWithUsers { get; init; }
}
