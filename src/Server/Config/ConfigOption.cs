namespace KvServer.Server.Config;

/// <summary>Finds the field of a configuration an option stands for.</summary>
/// <typeparam name="T">Type of the field.</typeparam>
public delegate ref T ConfigField<T>(ServerConfig config);

/// <summary>One option: its names, what it accepts, and the field of <see cref="ServerConfig"/> it stands for.</summary>
/// <remarks>Text is kept as one char per byte (Latin-1) on its way in and out, so that no byte of a
/// configuration file is lost; options that hold text decode it as UTF-8. Options have no state.</remarks>
public abstract class ConfigOption
{
    private protected ConfigOption(string name, string? alias, ConfigFlags flags)
    {
        Name = name;
        Alias = alias;
        Flags = flags;
    }

    /// <summary>The name, in lower case.</summary>
    public string Name { get; }

    /// <summary>The older name that still works and is listed too; mostly none.</summary>
    public string? Alias { get; }

    /// <summary>What may be done with it.</summary>
    public ConfigFlags Flags { get; }

    /// <summary>A value that counts as working although the option as such does not yet (<c>save ""</c>).</summary>
    public string? NeutralValue { get; init; }

    /// <summary>Whether it has these flags, all of them.</summary>
    public bool Is(ConfigFlags flags) => (Flags & flags) == flags;

    /// <summary>Reads the words after the name; changes nothing.</summary>
    /// <param name="words">The words, at least one.</param>
    /// <param name="current">The configuration so far, for options that change a part of their value.</param>
    /// <param name="source">Where the words come from; what was set at start-up so far matters to some options.</param>
    /// <param name="value">What to give to <see cref="Assign"/>.</param>
    /// <returns>What is wrong with it, or <see langword="null"/>.</returns>
    public abstract string? Read(
        ReadOnlySpan<string> words, ServerConfig current, ConfigSource source, out object? value);

    /// <summary>Puts a value that <see cref="Read"/> gave into the configuration.</summary>
    public abstract void Assign(ServerConfig config, object? value);

    /// <summary>The value in the form CONFIG GET shows.</summary>
    public abstract string Format(ServerConfig config);

    /// <summary>Copies the value of this option.</summary>
    public abstract void Copy(ServerConfig from, ServerConfig to);

    /// <summary>Whether both configurations have the same value.</summary>
    public virtual bool IsSame(ServerConfig a, ServerConfig b) =>
        string.Equals(Format(a), Format(b), StringComparison.Ordinal);

    /// <summary>Whether the value asks for something that does not exist yet.</summary>
    public bool IsWithoutEffect(ServerConfig config) =>
        Is(ConfigFlags.NotYet) && !IsSame(config, ServerConfig.Defaults) &&
        !string.Equals(Format(config), NeutralValue, StringComparison.Ordinal);

    /// <summary>The lines, without a line end, that bring this value back when a file is read.</summary>
    /// <param name="config">The values.</param>
    /// <param name="complete">Whether parts of the value that are at their default need a line as well.</param>
    public virtual IReadOnlyList<string> FileLines(ServerConfig config, bool complete) => [$"{Name} {FormatForFile(config)}"];

    /// <summary>The value as it stands in a file, with quotes where they are needed.</summary>
    private protected virtual string FormatForFile(ServerConfig config) => Format(config);
}
